//! Time as the scheduler sees it: given with each request, never asked for.

use core::cmp::Ordering;

/// A moment in seconds on some clock. Only differences between moments of one clock mean anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timestamp(pub f64);

impl Timestamp {
    /// The moment `secs` later. An infinite delay is a moment that never comes.
    #[must_use]
    pub fn after(self, secs: f64) -> Self {
        Self(self.0 + secs)
    }

    /// Seconds from `earlier` to this moment; negative when this one is earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The time of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// On a clock that never jumps. Every lease, retry and prune decision uses this one alone.
    pub monotonic: Timestamp,
    /// Seconds since the epoch, for people: it is stored and shown, and decides nothing.
    pub wall: Timestamp,
}

impl Now {
    /// Both clocks at the same `secs`, as tests and scenarios have it.
    #[must_use]
    pub fn at(secs: f64) -> Self {
        Self {
            monotonic: Timestamp(secs),
            wall: Timestamp(secs),
        }
    }
}
