//! The worker: plans a graph of tasks, asks a scheduler for work, runs tasks and reports.
//!
//! It is generic over what a task is ([`Runnable`]) and over where its scheduler is
//! ([`Scheduler`]: in this process, or elsewhere). It knows nothing of the task DSL, of the command
//! line or of any other language.

mod scheduler;
mod task;

pub use scheduler::{Scheduler, SchedulerError};
pub use task::{BoxError, ParamInfo, RunContext, RunOutcome, Runnable, TaskHandle};
