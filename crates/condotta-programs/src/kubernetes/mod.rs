//! Programs as jobs of a Kubernetes cluster: created, watched, found again by a label, and deleted.
//!
//! The cluster itself remembers what is known of a job. What its pod prints is the run's output; the
//! cluster makes one stream of both.

mod error;
mod follow;
mod job;
mod logs;
mod pods;

pub use error::KubernetesError;
pub use job::{KubernetesJob, KubernetesSettings};
