//! A snapshot of the whole state, taken in slices while requests are answered.
//!
//! What changes between two slices is in the journal, which went on in a new segment before the
//! first slice: read over the snapshot, it makes the state whole.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use condotta_scheduler::{Now, Record, RecordCursor, Scheduler};

use super::{DriverError, committer::Committer, message::Message};
use crate::state::{self, SnapshotWriter, StateError};

/// How many tasks are put down in one step: well below a millisecond's worth.
const STEP_TASKS: usize = 200;
/// How many slices may wait for the disk.
const SLICES_AHEAD: usize = 64;

/// A snapshot under way.
pub(crate) struct Snapshot {
    cursor: Option<RecordCursor>,
    /// To the thread that writes, until it has all.
    slices: Option<Sender<Slice>>,
    /// How many slices wait for the disk.
    ahead: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

enum Slice {
    Frames(Vec<u8>),
    /// All was read, and all that it shows is durable.
    End,
}

impl Snapshot {
    /// Starts the thread that writes. It says to `done` how it ended.
    pub(crate) fn start(
        writer: SnapshotWriter,
        done: impl FnOnce(Message) + Send + 'static,
    ) -> Result<Self, DriverError> {
        let (slices, received) = mpsc::channel();
        let ahead = Arc::new(AtomicUsize::new(0));
        let waiting = ahead.clone();
        let thread = thread::Builder::new()
            .name("snapshot".to_owned())
            .spawn(move || {
                if let Some(result) = write(writer, &received, &waiting) {
                    done(Message::SnapshotEnded(result));
                }
            })
            .map_err(DriverError::Thread)?;
        Ok(Self {
            cursor: Some(RecordCursor::default()),
            slices: Some(slices),
            ahead,
            thread: Some(thread),
        })
    }

    /// Whether there is something to put down, now or once the disk has caught up.
    pub(crate) fn is_slicing(&self) -> bool {
        self.slices.is_some()
    }

    /// Whether the disk is behind.
    pub(crate) fn is_held_up(&self) -> bool {
        self.ahead.load(Ordering::Relaxed) >= SLICES_AHEAD
    }

    /// Puts down the next slice, unless the disk is behind.
    pub(crate) fn step(&mut self, scheduler: &Scheduler, now: Now, committer: &Committer) {
        if self.is_held_up() {
            return;
        }
        let Some(cursor) = self.cursor.take() else {
            // What the last slices show may not be in the journal yet. Only when it is, the snapshot
            // shows no change by half.
            if let Some(slices) = self.slices.take() {
                committer.then(move || drop(slices.send(Slice::End)));
            }
            return;
        };
        let (records, next) = scheduler.read_records(cursor, STEP_TASKS);
        self.cursor = next;
        let sent = self.slices.as_ref().map(|slices| {
            self.ahead.fetch_add(1, Ordering::Relaxed);
            slices.send(Slice::Frames(frames(now, &records)))
        });
        if let Some(Err(_)) = sent {
            // The disk failed, which the thread says.
            self.slices = None;
        }
    }
}

/// Writes slices until the last. Nothing when they end before: what was written is no snapshot then.
fn write(
    mut writer: SnapshotWriter,
    slices: &Receiver<Slice>,
    ahead: &AtomicUsize,
) -> Option<Result<(), StateError>> {
    loop {
        match slices.recv().ok()? {
            Slice::Frames(frames) => {
                let written = writer.write(&frames);
                ahead.fetch_sub(1, Ordering::Relaxed);
                if written.is_err() {
                    return Some(written);
                }
            }
            Slice::End => return Some(writer.finish()),
        }
    }
}

/// A snapshot that nobody goes on with is given up; nobody writes any more then.
impl Drop for Snapshot {
    fn drop(&mut self) {
        self.slices = None;
        if let Some(thread) = self.thread.take() {
            // What goes wrong in there was said there.
            let _ = thread.join();
        }
    }
}

/// Writes a snapshot of everything at once, when nobody can ask anything anyway.
pub(crate) fn write_whole(
    scheduler: &Scheduler,
    now: Now,
    mut writer: SnapshotWriter,
) -> Result<(), StateError> {
    let mut cursor = Some(RecordCursor::default());
    while let Some(at) = cursor {
        let (records, next) = scheduler.read_records(at, STEP_TASKS);
        writer.write(&frames(now, &records))?;
        cursor = next;
    }
    writer.finish()
}

fn frames(now: Now, records: &[Record]) -> Vec<u8> {
    let mut frames = Vec::new();
    if !records.is_empty() {
        state::encode(now, records, &mut frames);
    }
    frames
}
