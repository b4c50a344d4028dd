//! Why the scheduler's thread cannot start, or had to end.

use std::io;

use condotta_history::HistoryError;

use crate::state::StateError;

/// Why the scheduler's thread cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The stored state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The history cannot be kept.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// The thread that stores changes panicked.
    #[error("the thread that stores changes panicked; what was acknowledged is stored")]
    Journal,
    /// The scheduler fails over what is due, again and again.
    #[error(
        "the scheduler fails over what is due each time that its state is read anew: {0}; what it \
         acknowledged is stored"
    )]
    Panicked(String),
}
