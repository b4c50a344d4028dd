//! Keeps the log readable when one trouble goes on and on.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often a trouble that lasts is told.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Remembers when a trouble was last told.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    told: Mutex<Option<Instant>>,
}

impl Seldom {
    /// Whether it is time to tell it again; if so, it counts as told.
    pub(crate) fn is_due(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() > TELL_EVERY);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_just_told_is_not_told_again() {
        let trouble = Seldom::default();
        assert!(trouble.is_due());
        assert!(!trouble.is_due());
        let long_ago = Instant::now().checked_sub(2 * TELL_EVERY);
        *trouble.told.lock().expect("nobody panics") = long_ago;
        assert!(trouble.is_due());
    }
}
