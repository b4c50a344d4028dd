//! The journal's writing end: appends, and makes sure that what was appended is on the disk.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    block::{self, Kind},
    error::{StateError, Tried as _},
    files::{self, Header, Role},
    lock::Lock,
    snapshot::SnapshotWriter,
};

/// Appends transactions to the journal. It holds the directory's lock.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    lock: Arc<Lock>,
    file: File,
    number: u64,
    /// Of the segment.
    length: u64,
    bytes_since_snapshot: u64,
    buffer: Vec<u8>,
    is_poisoned: bool,
}

/// Where a writer starts.
pub(super) struct Start {
    pub(super) directory: PathBuf,
    pub(super) lock: Lock,
    pub(super) file: File,
    pub(super) number: u64,
    pub(super) length: u64,
    pub(super) bytes_since_snapshot: u64,
}

impl Writer {
    pub(super) fn new(start: Start) -> Self {
        Self {
            directory: start.directory,
            lock: Arc::new(start.lock),
            file: start.file,
            number: start.number,
            length: start.length,
            bytes_since_snapshot: start.bytes_since_snapshot,
            buffer: Vec::new(),
            is_poisoned: false,
        }
    }

    /// Appends what [`encode`](super::encode) wrote, one transaction or several, and returns when
    /// it is on the disk.
    ///
    /// # Errors
    ///
    /// When the system refuses, such as on a full disk. Nobody can then say what is on the disk, so
    /// this writer writes nothing more: the next start finds out.
    pub fn write(&mut self, frames: &[u8]) -> Result<(), StateError> {
        if self.is_poisoned {
            return Err(StateError::Poisoned(self.directory.clone()));
        }
        if frames.is_empty() {
            return Ok(());
        }
        let result = self.append(Kind::Transactions, frames);
        self.is_poisoned = result.is_err();
        result
    }

    fn append(&mut self, kind: Kind, content: &[u8]) -> Result<(), StateError> {
        let path = self.directory.join(Role::Journal.file_name(self.number));
        self.buffer.clear();
        block::append(kind, content, &mut self.buffer).tried("write", &path)?;
        self.file.write_all(&self.buffer).tried("write", &path)?;
        self.file.sync_data().tried("sync", &path)?;
        self.length += self.buffer.len() as u64;
        self.bytes_since_snapshot += self.buffer.len() as u64;
        Ok(())
    }

    /// Marks the journal as whole: whatever is not as it was written is damage from here on. Nothing
    /// more can be written.
    ///
    /// # Errors
    ///
    /// When the system refuses, or an earlier write failed. All that was written stays written.
    pub fn close(&mut self) -> Result<(), StateError> {
        if self.is_poisoned {
            return Err(StateError::Poisoned(self.directory.clone()));
        }
        self.is_poisoned = true;
        self.append(Kind::Closed, &[])
    }

    /// How much of the journal a start would have to replay over the newest snapshot.
    #[must_use]
    pub fn bytes_since_snapshot(&self) -> u64 {
        self.bytes_since_snapshot
    }

    /// Starts a new segment of the journal, and the snapshot that will stand for all before it.
    ///
    /// What is written from now on goes to the new segment. The snapshot may be written meanwhile,
    /// in any number of steps: it holds each thing as it was at some time after this call.
    ///
    /// # Errors
    ///
    /// When the system refuses. Writing goes on in the old segment, if that is still sure.
    pub fn begin_snapshot(&mut self) -> Result<SnapshotWriter, StateError> {
        if self.is_poisoned {
            return Err(StateError::Poisoned(self.directory.clone()));
        }
        let number = self.number + 1;
        let path = self.directory.join(Role::Journal.file_name(number));
        let header = Header::new(Role::Journal, number, Some(self.length)).block();
        match files::put(&path, &header) {
            Ok(file) => self.file = file,
            Err(error) => {
                // With a new segment in place, more in the old one would look like damage.
                self.is_poisoned = path.exists();
                return Err(error);
            }
        }
        self.number = number;
        self.length = header.len() as u64;
        self.bytes_since_snapshot = self.length;
        SnapshotWriter::start(&self.directory, number, Arc::clone(&self.lock))
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use condotta_scheduler::{Now, Record};

    use crate::state::{StateDir, StateError, encode};

    /// A pipe takes what is written to it and refuses to be synced.
    #[test]
    fn a_failed_sync_poisons_the_writer_though_a_later_one_would_succeed() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("state");
        let mut writer = StateDir::open(&path).expect("a new one").writer;
        let mut frames = Vec::new();
        encode(Now::at(1.0), &[Record::Paused(true)], &mut frames);
        let (_reader, pipe) = std::io::pipe().expect("a pipe");
        let journal = std::mem::replace(&mut writer.file, OwnedFd::from(pipe).into());
        let error = writer.write(&frames).expect_err("not synced").to_string();
        assert!(error.starts_with("cannot sync "), "{error}");
        writer.file = journal;
        let error = writer.write(&frames).expect_err("poisoned");
        assert!(matches!(error, StateError::Poisoned(_)), "{error}");
        let error = writer.begin_snapshot().expect_err("poisoned");
        assert!(matches!(error, StateError::Poisoned(_)), "{error}");
    }
}
