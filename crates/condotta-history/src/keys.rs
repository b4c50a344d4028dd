//! Under which numbers things are stored.

use condotta_scheduler::Timestamp;
use md5::{Digest as _, Md5};

use crate::{attempt::Began, attempt_id::AttemptId};

/// Bits of a task's key: of a hundred million tasks, two share one with a probability of a thousandth.
const TASK_BITS: u32 = 63;
/// Bits of the keys of families and workers, of which there are fewer, and more rows that name them.
const NAME_BITS: u32 = 47;

/// The keys in a row of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowKeys {
    pub(crate) task: i64,
    pub(crate) family: i64,
    pub(crate) worker: Option<i64>,
}

impl RowKeys {
    pub(crate) fn of(began: &Began) -> Self {
        Self {
            task: task(&began.task_id),
            family: family(&began.family),
            worker: began.worker.as_deref().map(worker),
        }
    }
}

pub(crate) fn task(task_id: &str) -> i64 {
    hash(task_id, TASK_BITS)
}

pub(crate) fn family(family: &str) -> i64 {
    hash(family, NAME_BITS)
}

pub(crate) fn worker(worker: &str) -> i64 {
    hash(worker, NAME_BITS)
}

/// What a pack is found by. Of a few thousand million names, two may share a number: what is found is
/// looked at.
pub(crate) fn in_packs(kind: &str, names: &[&str]) -> i64 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(kind.as_bytes());
    for name in names {
        hash.update(&[0]);
        hash.update(name.as_bytes());
    }
    // With its sign, so that four bytes are enough.
    i32::from_ne_bytes(hash.finalize().to_ne_bytes()).into()
}

/// When it began, in milliseconds, and what tells it from others of that moment.
pub(crate) fn attempt(id: &AttemptId) -> [i64; 2] {
    [id.millis(), id.hash()]
}

/// Milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
pub(crate) fn millis(time: Timestamp) -> i64 {
    (time.0 * 1000.0) as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for hundreds of thousands of years"
)]
pub(crate) fn timestamp(millis: i64) -> Timestamp {
    Timestamp(millis as f64 / 1000.0)
}

/// As [`millis`] of a time that [`timestamp`] made, which may lie a little below the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
pub(crate) fn whole_millis(time: Timestamp) -> i64 {
    (time.0 * 1000.0).round() as i64
}

fn hash(text: &str, bits: u32) -> i64 {
    let digest = Md5::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    let number = u64::from_be_bytes(first) >> (64 - bits);
    i64::try_from(number).expect("fewer than 64 bits")
}
