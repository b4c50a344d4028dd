//! When to try again: later each time, and not all at the same moment.

use std::time::Duration;

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait after so many failures in a row: about a second, then twice as long each time.
pub(super) fn backoff(failures: u32) -> Duration {
    let doubled = 1u64 << failures.saturating_sub(1).min(16);
    let wait = Duration::from_secs(doubled).min(LONGEST);
    wait.mul_f64(0.75 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        for (failures, about) in [(1, 1.0), (3, 4.0), (60, 300.0)] {
            for _ in 0..100 {
                let wait = backoff(failures).as_secs_f64();
                assert!((0.75 * about..=1.25 * about).contains(&wait), "{wait}");
            }
        }
    }
}
