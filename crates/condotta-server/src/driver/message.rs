//! What reaches the scheduler's thread.

use condotta_protocol::Object;
use tokio::sync::oneshot;

use super::{CallError, Reply};
use crate::state::{SnapshotWriter, StateError};

/// Where the answer to a call goes.
pub(crate) type Answer = oneshot::Sender<Result<Reply, CallError>>;

/// One request on its way.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) arguments: Object,
    pub(crate) answer: Answer,
}

/// Something for the scheduler's thread to do.
pub(crate) enum Message {
    /// A request.
    Call(Call),
    /// The journal goes on in a new segment, so a snapshot can be taken.
    SnapshotBegun(SnapshotWriter),
    /// A snapshot was finished, or failed.
    SnapshotEnded(Result<(), StateError>),
    /// Changes cannot be made durable any more.
    StateFailed(StateError),
    /// The thread that makes changes durable panicked.
    JournalPanicked,
    /// The end is near: nobody is to wait for work any more.
    Close,
    /// The end.
    Stop,
}
