//! What reaches the scheduler's thread.

use condotta_protocol::{Object, RpcError};
use condotta_scheduler::{Now, Scheduler};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{CallError, Reply, reading::Turn};
use crate::state::{SnapshotWriter, StateError};

/// Where the answer to a call goes.
pub(crate) type Answer = oneshot::Sender<Result<Reply, CallError>>;

/// One request on its way.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) arguments: Object,
    pub(crate) answer: Answer,
}

/// A short look at the scheduler, which answers by itself.
pub(crate) type Look = Box<dyn FnOnce(&Scheduler, Now) + Send>;

/// What is done with the scheduler.
pub(crate) type Work = Box<dyn FnOnce(&mut Scheduler, Now) -> Result<Value, RpcError> + Send>;

/// Something to be done with the scheduler, on its way.
pub(crate) struct Act {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    pub(crate) answer: Answer,
}

/// Something for the scheduler's thread to do.
pub(crate) enum Message {
    /// A request.
    Call(Call),
    /// A short look.
    Look(Look),
    /// A long look.
    Read(Box<dyn Turn>),
    /// A change that is no remote procedure call.
    Act(Act),
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
