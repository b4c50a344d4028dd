//! Why a worker cannot go on.

use crate::{ConfigError, LoadError, SchedulerError};

/// A worker cannot go on. That a task fails is no such error.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The scheduler refused, or cannot be reached.
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
    /// A setting makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Tasks depend on one another in a circle, so that none of them could ever run.
    #[error("tasks depend on one another in a cycle: {}", .path.join(" -> "))]
    Cycle {
        /// The tasks on the way round; the last one is the first one.
        path: Vec<String>,
    },
    /// The worker was told to stop while it was planning.
    #[error("stopped while planning")]
    Stopped,
    /// The combined task of a batch, or a task found while running, cannot be built.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system gives no more threads.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}
