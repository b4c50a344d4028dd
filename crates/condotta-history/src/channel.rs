//! How entries come to the thread that writes: without ever making whoever tells them wait.
//!
//! What waits is bounded, in bytes. What finds no room is counted and left out, and
//! whoever tells is asked to say how things stand as soon as there is room again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    mpsc::{self, Receiver, RecvTimeoutError},
};
use std::time::Duration;

use crate::attempt::Entry;

/// Where entries are put in.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Each with its size.
    entries: mpsc::Sender<(usize, Entry)>,
    shared: Arc<Shared>,
}

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Entries {
    entries: Receiver<(usize, Entry)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: AtomicUsize,
    most_bytes: usize,
    /// What found no room and was not told yet.
    left_out: AtomicU64,
    /// What ever found no room.
    all_left_out: AtomicU64,
    /// Attempts that were written and dropped again, since they were too old or too many.
    expired: AtomicU64,
    /// Something was left out since it was said how things stand.
    gap: AtomicBool,
}

/// Room for so many bytes.
pub(crate) fn channel(most_bytes: usize) -> (Sender, Entries) {
    let (sender, receiver) = mpsc::channel();
    let shared = Arc::new(Shared {
        bytes: AtomicUsize::new(0),
        most_bytes,
        left_out: AtomicU64::new(0),
        all_left_out: AtomicU64::new(0),
        expired: AtomicU64::new(0),
        gap: AtomicBool::new(false),
    });
    let sender = Sender {
        entries: sender,
        shared: Arc::clone(&shared),
    };
    (
        sender,
        Entries {
            entries: receiver,
            shared,
        },
    )
}

/// What waits to be written, for whoever watches that.
#[derive(Clone, Debug)]
pub struct Backlog {
    shared: Arc<Shared>,
}

impl Backlog {
    /// How many bytes wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// How many entries the history lacks, since there was no room for them.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.shared.all_left_out.load(Ordering::Relaxed)
    }

    /// How many attempts were dropped again, since they were too old or too many.
    #[must_use]
    pub fn expired(&self) -> u64 {
        self.shared.expired.load(Ordering::Relaxed)
    }
}

impl Sender {
    /// What waits to be written.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        Backlog {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Takes an entry, or counts that there was no room for it. Returns at once.
    pub fn send(&self, entry: Entry) {
        let size = entry.size();
        let before = self.shared.bytes.fetch_add(size, Ordering::Relaxed);
        // One that is larger than all room may come alone.
        let has_room = before == 0 || before + size <= self.shared.most_bytes;
        if has_room {
            // When nobody writes any more, that was said.
            let _ = self.entries.send((size, entry));
            return;
        }
        self.shared.bytes.fetch_sub(size, Ordering::Relaxed);
        self.shared.left_out.fetch_add(1, Ordering::Relaxed);
        self.shared.all_left_out.fetch_add(1, Ordering::Relaxed);
        self.shared.gap.store(true, Ordering::Relaxed);
    }

    /// Whether it is to be told how things stand: something was left out, and there is room again.
    #[must_use]
    pub fn wants_standing(&self) -> bool {
        if !self.shared.gap.load(Ordering::Relaxed) {
            return false;
        }
        self.shared.bytes.load(Ordering::Relaxed) < self.shared.most_bytes / 4
    }

    /// Tells how things stand, which closes the gap.
    pub fn send_standing(&self, standing: Box<crate::Standing>) {
        self.shared.gap.store(false, Ordering::Relaxed);
        self.send(Entry::Standing(standing));
    }
}

impl Entries {
    pub(crate) fn next(&self, within: Duration) -> Result<Entry, RecvTimeoutError> {
        let (size, entry) = self.entries.recv_timeout(within)?;
        self.shared.bytes.fetch_sub(size, Ordering::Relaxed);
        Ok(entry)
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// So many attempts were dropped.
    pub(crate) fn note_expired(&self, attempts: u64) {
        self.shared.expired.fetch_add(attempts, Ordering::Relaxed);
    }

    /// How much found no room since this was last asked.
    pub(crate) fn take_left_out(&self) -> u64 {
        self.shared.left_out.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{Began, Standing};

    fn entry() -> Entry {
        Entry::Began(Box::default())
    }

    #[test]
    fn what_finds_no_room_is_counted_until_it_is_said_how_things_stand() {
        let (sender, entries) = channel(4 * entry().size());
        for _ in 0..6 {
            sender.send(entry());
        }
        let backlog = sender.backlog();
        assert_eq!(
            (backlog.bytes(), backlog.left_out()),
            (4 * entry().size(), 2)
        );
        assert_eq!(entries.take_left_out(), 2);
        assert_eq!(backlog.left_out(), 2);
        assert_eq!(entries.take_left_out(), 0, "it is told once");
        assert!(!sender.wants_standing(), "there is no room");
        while entries.next(Duration::ZERO).is_ok() {}
        assert!(sender.wants_standing());
        sender.send_standing(Box::new(Standing::default()));
        assert!(!sender.wants_standing());
    }

    #[test]
    fn one_entry_that_is_larger_than_all_room_comes_alone() {
        let (sender, entries) = channel(1000);
        let large = Began {
            family: "x".repeat(5000).into(),
            ..Began::default()
        };
        sender.send(Entry::Began(Box::new(large)));
        sender.send(entry());
        assert_eq!(entries.take_left_out(), 1);
        assert!(!sender.wants_standing(), "it is still full");
        assert!(matches!(entries.next(Duration::ZERO), Ok(Entry::Began(_))));
        assert!(sender.wants_standing());
        assert!(entries.next(Duration::ZERO).is_err());
    }
}
