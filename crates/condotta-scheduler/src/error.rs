//! Why the scheduler refuses a request. A refused request has changed nothing.

use alloc::string::String;

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
    /// A batch that nobody runs.
    #[error("task {task_id} cannot run batch {batch_id}: no member of that batch is running")]
    NoSuchBatch {
        /// The combined task.
        task_id: String,
        /// The batch.
        batch_id: String,
    },
}
