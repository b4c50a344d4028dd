//! Keeps the log readable while a database is away: says so at once, then seldom, and when it is over.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How often a trouble that lasts is told, usually.
pub(crate) const TELL_EVERY: Duration = Duration::from_mins(1);

/// What went wrong and when that was told.
#[derive(Debug)]
pub(crate) struct Complaints {
    every: Duration,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    began: Instant,
    told: Instant,
    times: u64,
}

/// What is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// That something goes wrong.
    Begun,
    /// That it went wrong so often by now, in so long a time.
    GoesOn(u64, Duration),
}

impl Complaints {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            trouble: Mutex::default(),
        }
    }

    /// It went wrong once more. What is to be told of it, if anything is.
    pub(crate) fn failed(&self) -> Option<Due> {
        let mut trouble = self.trouble();
        let now = Instant::now();
        let Some(trouble) = &mut *trouble else {
            *trouble = Some(Trouble {
                began: now,
                told: now,
                times: 1,
            });
            return Some(Due::Begun);
        };
        trouble.times += 1;
        if now.duration_since(trouble.told) < self.every {
            return None;
        }
        trouble.told = now;
        Some(Due::GoesOn(
            trouble.times,
            now.duration_since(trouble.began),
        ))
    }

    /// It went well. After how many failures, and how long a time, if there were any.
    pub(crate) fn succeeded(&self) -> Option<(u64, Duration)> {
        let trouble = self.trouble().take()?;
        Some((trouble.times, trouble.began.elapsed()))
    }

    /// For how long it has gone wrong by now, if it does.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        self.trouble()
            .as_ref()
            .map(|trouble| trouble.began.elapsed())
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_at_once_and_then_seldom() {
        let complaints = Complaints::new(Duration::from_secs(3600));
        assert_eq!(complaints.succeeded(), None);
        for _ in 0..2 {
            assert_eq!(complaints.failed(), Some(Due::Begun));
            assert_eq!(complaints.failed(), None);
            assert_eq!(complaints.succeeded().map(|(times, _)| times), Some(2));
        }
        let complaints = Complaints::new(Duration::ZERO);
        assert_eq!(complaints.failed(), Some(Due::Begun));
        assert!(matches!(complaints.failed(), Some(Due::GoesOn(2, _))));
    }
}
