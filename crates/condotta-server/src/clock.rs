//! The two clocks. The scheduler decides by the monotonic one; the wall's is only for people.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use condotta_scheduler::{Now, Timestamp};

/// What the wall's clock shows: seconds since 1970.
#[must_use]
pub fn wall_secs() -> f64 {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    wall.unwrap_or_default().as_secs_f64()
}

/// A monotonic clock that goes on from where an earlier life of the scheduler left it, and the wall's.
///
/// Time in which no scheduler runs does not count: no lease, retry or removal falls due meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    offset: Timestamp,
}

impl Clock {
    /// A clock that shows `offset` now.
    #[must_use]
    pub fn starting_at(offset: Timestamp) -> Self {
        Self {
            began: Instant::now(),
            offset,
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            monotonic: self.offset.after(self.began.elapsed().as_secs_f64()),
            wall: Timestamp(wall_secs()),
        }
    }

    /// The moment at which the monotonic clock will show `at`.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Instant {
        let secs = at.since(self.offset).max(0.0);
        let from_now = std::time::Duration::try_from_secs_f64(secs).ok();
        from_now
            .and_then(|duration| self.began.checked_add(duration))
            .unwrap_or_else(|| self.began + std::time::Duration::from_hours(24 * 365))
    }
}
