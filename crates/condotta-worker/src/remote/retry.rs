//! How long a request is tried again, and how often.
//!
//! One rule: a request is tried again until `rpc_retry_attempts` times `rpc_retry_wait` seconds have
//! passed, first soon, then more and more rarely. Reports of finished runs are tried ten times as long.

use std::time::{Duration, Instant};

use super::http::{Failure, FailureKind};
use crate::StopLevel;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Between two tries of a request on which the server itself failed.
const BROKEN_WAIT: Duration = Duration::from_secs(1);
/// So much longer are reports of finished runs tried again.
const REPORT_FACTOR: u32 = 10;
/// A random part of each wait, so that many workers do not all come back at one moment.
const JITTER: f64 = 0.25;

/// How much a request matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// What is said now is of no interest later: it is tried twice.
    Passing,
    /// It has to be answered before the worker goes on.
    Needed,
    /// Takes a batch over. Luigi's server fails on it when the batch is gone, each time.
    Claim,
    /// Asks for work, which a worker that phases out no longer wants.
    Work,
    /// The result of a run, which must not be lost.
    Report,
}

impl Urgency {
    /// From this level on, a worker that is to stop tries no longer.
    pub(super) fn gives_up_at(self) -> StopLevel {
        match self {
            Self::Passing | Self::Work => StopLevel::PhaseOut,
            Self::Needed | Self::Claim => StopLevel::Finish,
            Self::Report => StopLevel::Now,
        }
    }
}

/// The settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patience {
    pub(super) attempts: u32,
    pub(super) wait: Duration,
}

/// The tries of one request.
pub(super) struct Tries {
    pub(super) urgency: Urgency,
    patience: Patience,
    /// Nobody ever answered at this address.
    unknown: bool,
    started: Instant,
    pub(super) count: u32,
    broken: u32,
}

impl Tries {
    pub(super) fn new(urgency: Urgency, patience: Patience, unknown: bool) -> Self {
        Self {
            urgency,
            patience,
            unknown,
            started: Instant::now(),
            count: 1,
            broken: 0,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the request is tried again at most.
    pub(super) fn limit(&self) -> Duration {
        let Patience { attempts, wait } = self.patience;
        if attempts <= 1 {
            return Duration::ZERO;
        }
        match self.urgency {
            Urgency::Passing => FIRST_WAIT,
            // As long as Luigi needs to find that nobody answers.
            Urgency::Needed | Urgency::Work if self.unknown => wait.saturating_mul(attempts - 1),
            Urgency::Needed | Urgency::Claim | Urgency::Work => wait.saturating_mul(attempts),
            Urgency::Report => wait.saturating_mul(attempts).saturating_mul(REPORT_FACTOR),
        }
    }

    /// After a failure: how long to wait before the next try, if there is to be one.
    pub(super) fn next(&mut self, failure: &Failure) -> Option<Duration> {
        let wait = match failure.kind {
            FailureKind::NoWay
            | FailureKind::NoMethod
            | FailureKind::TooLong
            | FailureKind::Refused => return None,
            FailureKind::Broken => {
                self.broken += 1;
                let is_final = matches!(self.urgency, Urgency::Passing | Urgency::Claim);
                if is_final || self.broken >= self.patience.attempts {
                    return None;
                }
                BROKEN_WAIT.min(self.patience.wait)
            }
            FailureKind::Away { retry_after } => {
                if self.urgency == Urgency::Passing && self.count > 1 {
                    return None;
                }
                let doubled = FIRST_WAIT * 2_u32.saturating_pow(self.count.min(10) - 1);
                doubled.min(WAIT_MAX).max(retry_after.unwrap_or_default())
            }
        };
        let left = self.limit().checked_sub(self.elapsed())?;
        if left.is_zero() {
            return None;
        }
        self.count += 1;
        let wait = wait.mul_f64(1.0 + JITTER * fastrand::f64());
        // The last try is at the end of the time, not before it.
        Some(wait.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        attempts: 3,
        wait: Duration::from_secs(30),
    };

    fn away() -> Failure {
        Failure {
            kind: FailureKind::Away { retry_after: None },
            code: None,
            error: "gone".into(),
        }
    }

    #[test]
    fn waits_begin_short_and_double_up_to_a_limit() {
        let mut tries = Tries::new(Urgency::Needed, PATIENCE, false);
        let waits: Vec<f64> = std::iter::from_fn(|| tries.next(&away()))
            .take(9)
            .map(|wait| wait.as_secs_f64())
            .collect();
        let expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0];
        for (wait, expected) in waits.iter().zip(expected) {
            assert!((expected..=expected * 1.25).contains(wait), "{waits:?}");
        }
    }

    #[test]
    fn the_limit_is_the_settings_product_and_longer_for_reports() {
        let limit = |urgency, unknown| Tries::new(urgency, PATIENCE, unknown).limit().as_secs();
        assert_eq!(limit(Urgency::Needed, false), 90);
        assert_eq!(limit(Urgency::Needed, true), 60);
        assert_eq!(limit(Urgency::Report, false), 900);
    }

    #[test]
    fn nothing_is_tried_again_with_one_attempt() {
        let once = Patience {
            attempts: 1,
            ..PATIENCE
        };
        assert_eq!(Tries::new(Urgency::Report, once, false).next(&away()), None);
    }

    #[test]
    fn what_passes_is_tried_twice_and_what_is_refused_once() {
        let mut passing = Tries::new(Urgency::Passing, PATIENCE, false);
        assert!(passing.next(&away()).is_some());
        assert_eq!(passing.next(&away()), None);
        let refused = Failure {
            kind: FailureKind::Refused,
            code: None,
            error: "no".into(),
        };
        assert_eq!(
            Tries::new(Urgency::Report, PATIENCE, false).next(&refused),
            None
        );
    }

    #[test]
    fn a_request_on_which_the_server_fails_is_tried_as_often_as_luigi_does() {
        let broken = Failure {
            kind: FailureKind::Broken,
            code: None,
            error: "500".into(),
        };
        let mut tries = Tries::new(Urgency::Report, PATIENCE, false);
        let retries = std::iter::from_fn(|| tries.next(&broken)).count();
        assert_eq!(retries, 2);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it() {
        let busy = Failure {
            kind: FailureKind::Away {
                retry_after: Some(Duration::from_secs(7)),
            },
            code: None,
            error: "busy".into(),
        };
        let wait = Tries::new(Urgency::Needed, PATIENCE, false)
            .next(&busy)
            .unwrap();
        assert!(wait >= Duration::from_secs(7), "{wait:?}");
    }
}
