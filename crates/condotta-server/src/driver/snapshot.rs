//! A snapshot of the whole state, taken in slices while requests are answered.
//!
//! What changes between two slices is in the journal, which went on in a new segment before the
//! first slice: read over the snapshot, it makes the state whole.

use std::{
    sync::mpsc::{self, SyncSender, TrySendError},
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
    slice: Option<Slice>,
    slices: Option<SyncSender<Slice>>,
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
        mut writer: SnapshotWriter,
        done: impl FnOnce(Message) + Send + 'static,
    ) -> Result<Self, DriverError> {
        let (slices, received) = mpsc::sync_channel(SLICES_AHEAD);
        let thread = thread::Builder::new()
            .name("snapshot".to_owned())
            .spawn(move || {
                let mut result: Option<Result<(), StateError>> = None;
                while result.is_none() {
                    result = match received.recv() {
                        Ok(Slice::Frames(frames)) => writer.write(&frames).err().map(Err),
                        Ok(Slice::End) => break,
                        // Given up: what was written so far is no snapshot.
                        Err(mpsc::RecvError) => return,
                    };
                }
                let result = result.unwrap_or_else(|| writer.finish());
                done(Message::SnapshotEnded(result));
            })
            .map_err(DriverError::Thread)?;
        Ok(Self {
            cursor: Some(RecordCursor::default()),
            slice: None,
            slices: Some(slices),
            thread: Some(thread),
        })
    }

    /// Whether there is something to put down.
    pub(crate) fn is_slicing(&self) -> bool {
        self.slices.is_some()
    }

    /// Puts down the next slice, unless the disk is behind.
    pub(crate) fn step(&mut self, scheduler: &Scheduler, now: Now, committer: &Committer) {
        let Some(slices) = self.slices.take() else {
            return;
        };
        let slice = match self.slice.take() {
            Some(slice) => slice,
            None => match self.cursor.take() {
                Some(cursor) => {
                    let (records, next) = scheduler.read_records(cursor, STEP_TASKS);
                    self.cursor = next;
                    Slice::Frames(frames(now, &records))
                }
                None => {
                    // What the last slices show may not be in the journal yet. Only when it is, the
                    // snapshot shows no change by half.
                    committer.then(move || {
                        let _ = slices.send(Slice::End);
                    });
                    return;
                }
            },
        };
        match slices.try_send(slice) {
            Ok(()) => self.slices = Some(slices),
            Err(TrySendError::Full(slice)) => {
                self.slice = Some(slice);
                self.slices = Some(slices);
            }
            // The disk failed, which the thread says.
            Err(TrySendError::Disconnected(_)) => {}
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
