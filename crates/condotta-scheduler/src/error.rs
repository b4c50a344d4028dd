//! Why a request was refused. A refused request has changed nothing.

use alloc::string::String;

/// The reason for which a request was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The id of a task or worker, or another name, is empty.
    #[error("the {what} is empty: send a name")]
    Empty {
        /// What the text would have been.
        what: &'static str,
    },
    /// An id or name is longer than anything that makes sense.
    #[error("the {what} has {len} bytes: send at most {max}")]
    TooLong {
        /// What the text is.
        what: &'static str,
        /// Its length.
        len: usize,
        /// The longest that is accepted.
        max: usize,
    },
    /// A number is not one, is negative, or is beyond what can be added up.
    #[error("the {what} is {value}: send a number from {min} to {max}")]
    OutOfRange {
        /// What the number is.
        what: &'static str,
        /// The number as sent.
        value: f64,
        /// The smallest that is accepted.
        min: f64,
        /// The largest that is accepted.
        max: f64,
    },
    /// The combined task of a batch whose members are not known, or no longer run.
    #[error("batch {batch_id} has no running member: ask for work again instead of starting it")]
    NoSuchBatch {
        /// The batch.
        batch_id: String,
    },
}
