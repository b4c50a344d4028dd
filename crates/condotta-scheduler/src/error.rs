//! Why the scheduler refuses a request. A refused request has changed nothing.

use alloc::string::String;

use crate::Status;

/// A request that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A name that has to be said is empty.
    #[error("{what} is empty: say which one is meant")]
    Empty {
        /// What is empty.
        what: &'static str,
    },
    /// A text is longer than the scheduler keeps.
    #[error("{what} has {length} bytes, {limit} are allowed: shorten it")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A number that is none, or is infinite.
    #[error("{what} is {value}: give a finite number")]
    NotFinite {
        /// What is not finite.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// A priority that ranks nowhere.
    #[error("the priority of task {task_id} is not a number: give one, or leave it out for 0")]
    PriorityNotANumber {
        /// The task.
        task_id: String,
    },
    /// A number that is no length of time.
    #[error("{what} is {value}: give seconds, zero or more")]
    NoDuration {
        /// What is none.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// More of a resource than can be counted.
    #[error(
        "task {task_id} needs {amount} of {resource}, {limit} is the most that can be asked for: count in greater units"
    )]
    TooMuch {
        /// The task.
        task_id: String,
        /// The resource.
        resource: String,
        /// What it needs.
        amount: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// A batch that nobody runs.
    #[error("task {task_id} cannot run batch {batch_id}: no member of that batch is running")]
    NoSuchBatch {
        /// The combined task.
        task_id: String,
        /// The batch.
        batch_id: String,
    },
    /// A run is to be ended, and there is none.
    #[error("task {task_id} {}, so there is no run to cancel", now(*.status))]
    NotRunning {
        /// The task.
        task_id: String,
        /// Its status; `None` when it is not known.
        status: Option<Status>,
    },
    /// A run is to be ended, and another one is under way.
    #[error("attempt {attempt} of task {task_id} is over: attempt {current} runs now")]
    OtherAttempt {
        /// The task.
        task_id: String,
        /// The attempt that was meant.
        attempt: u64,
        /// The one that runs.
        current: u64,
    },
    /// The worker that runs the task cannot end runs.
    #[error(
        "task {task_id} cannot be cancelled: it is run by worker {worker}, which is stock Luigi's or an \
         older one and has no way to end a run; end it on its machine"
    )]
    CannotCancel {
        /// The task.
        task_id: String,
        /// The worker.
        worker: String,
    },
}

fn now(status: Option<Status>) -> alloc::string::String {
    match status {
        None => "is not known".into(),
        Some(status) => alloc::format!("is {}", status.name()),
    }
}
