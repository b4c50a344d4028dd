//! Programs on the nodes of a Slurm cluster: submitted, followed, found again, and cancelled.
//!
//! A folder that all nodes share has what is known of a job: its number, its script, what it prints, and
//! with which code it ended. So a worker that is started anew goes on with the job that an earlier one
//! submitted, and the result is known without an accounting database.

mod canceller;
mod commands;
mod error;
mod follow;
mod job;
mod logs;
mod queue;
mod record;
mod script;

pub use error::{SlurmElement, SlurmError};
pub use job::{SlurmJob, SlurmSettings};
pub use queue::questions;
