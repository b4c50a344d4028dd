//! How an attempt is named for good: in history, in what it printed, and by the API.
//!
//! The scheduler numbers the attempts of each task, and begins anew for a task that it forgot. So the name is made
//! of when the attempt began, too, and whoever knows the three makes the same name.

use std::{fmt, str::FromStr};

use condotta_scheduler::Timestamp;

use crate::keys;

/// The name of an attempt: `0193a5c2b7e-5f3c09aa`. Names sort by when their attempts began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// When the attempt began, in milliseconds since 1970.
    millis: u64,
    /// What tells it from others of that moment.
    hash: u32,
}

/// A text that names no attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no attempt's id: those look like 0193a5c2b7e-5f3c09aa")]
pub struct BadAttemptId(String);

impl AttemptId {
    /// The attempt of this number of this task, which began at that wall-clock time.
    #[must_use]
    pub fn new(task_id: &str, attempt: u64, began: Timestamp) -> Self {
        let mut hash = crc32fast::Hasher::new();
        hash.update(task_id.as_bytes());
        hash.update(&attempt.to_le_bytes());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and no attempt begins before 1970"
        )]
        let millis = (began.0 * 1000.0) as u64;
        let hash = hash.finalize();
        Self { millis, hash }
    }

    /// When the attempt began, to the millisecond.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        keys::timestamp(self.millis())
    }

    /// Whether both may be the same task's attempt of the same number, begun at different times. Hashes are
    /// compared, so they may be others.
    #[must_use]
    pub fn may_be_of_same_number(&self, other: &Self) -> bool {
        self.hash == other.hash
    }

    /// Milliseconds since 1970.
    pub(crate) fn millis(&self) -> i64 {
        // Sixteen digits may be more than is ever stored.
        i64::try_from(self.millis).unwrap_or(i64::MAX)
    }

    /// What tells it from others of that moment.
    pub(crate) fn hash(&self) -> i64 {
        self.hash.into()
    }

    /// The name of an attempt that is stored.
    pub(crate) fn of_parts(millis: i64, hash: i64) -> Self {
        let millis = u64::try_from(millis).unwrap_or(0);
        let hash = u32::try_from(hash).unwrap_or(0);
        Self { millis, hash }
    }
}

/// Digits and a hyphen alone, so a name is safe in paths of files.
impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:011x}-{:08x}", self.millis, self.hash)
    }
}

/// Only what [`AttemptId::new`] can make is taken, as it is written.
impl FromStr for AttemptId {
    type Err = BadAttemptId;

    fn from_str(text: &str) -> Result<Self, BadAttemptId> {
        let read = text.split_once('-').and_then(|(began, hash)| {
            Some(Self {
                millis: u64::from_str_radix(began, 16).ok()?,
                hash: u32::from_str_radix(hash, 16).ok()?,
            })
        });
        // Only as it is written: without a sign, capitals and further zeros.
        read.filter(|read| read.to_string() == text)
            .ok_or_else(|| BadAttemptId(text.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_task_number_and_time() {
        let id = AttemptId::new("Hello__99914b932b", 3, Timestamp(1_795_737_600.25));
        let others = [
            AttemptId::new("Hello__99914b932c", 3, Timestamp(1_795_737_600.25)),
            AttemptId::new("Hello__99914b932b", 4, Timestamp(1_795_737_600.25)),
            AttemptId::new("Hello__99914b932b", 3, Timestamp(1_795_737_600.5)),
        ];
        assert!(others.iter().all(|other| *other != id), "{id} {others:?}");
        assert!(others[2] > id, "it began later");
        let is_same = |other: &AttemptId| id.may_be_of_same_number(other);
        assert_eq!(others.each_ref().map(is_same), [false, false, true]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn only_names_are_taken() {
        for wrong in [
            "",
            "-",
            "../../etc/passwd",
            "0193a5c2b7e",
            "0193a5c2b7e-5F3C09AA",
            "0193a5c2b7e-5f3c09aaa",
            "00193a5c2b7e-5f3c09aa",
            "+193a5c2b7e1-5f3c09aa",
            "../93a5c2b7e-5f3c09aa",
        ] {
            let error = wrong.parse::<AttemptId>().unwrap_err();
            assert!(error.to_string().contains("0193a5c2b7e-5f3c09aa"));
        }
    }
}
