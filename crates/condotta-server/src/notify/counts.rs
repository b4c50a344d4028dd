//! How often something was sent, or was not.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one way out has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFigures {
    /// Sent and taken.
    pub sent: u64,
    /// Attempts that failed and are repeated.
    pub retried: u64,
    /// Given up, for it was refused or failed for too long.
    pub failed: u64,
    /// Left out, since too much waited.
    pub dropped: u64,
    /// What waits now.
    pub queued: u64,
}

/// The same, counted by several threads.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) queued: AtomicU64,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counts {
    pub(super) fn figures(&self) -> SendFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SendFigures {
            sent: of(&self.sent),
            retried: of(&self.retried),
            failed: of(&self.failed),
            dropped: of(&self.dropped),
            queued: of(&self.queued),
        }
    }
}
