//! Writes a snapshot: beside the journal, in as many steps as one likes, and in force only when it
//! is whole.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    block::{self, Kind},
    error::{StateError, Tried as _},
    files::{self, Header, Role},
    lock::Lock,
    read_file::SnapshotEnd,
};

/// A snapshot that is being written. Dropped before [`finish`](Self::finish), it leaves nothing.
#[derive(Debug)]
pub struct SnapshotWriter {
    directory: PathBuf,
    /// The name that it will have.
    path: PathBuf,
    number: u64,
    file: File,
    blocks: u64,
    buffer: Vec<u8>,
    is_finished: bool,
    /// The directory stays ours until the snapshot is done.
    _lock: Arc<Lock>,
}

impl SnapshotWriter {
    pub(super) fn start(
        directory: &Path,
        number: u64,
        lock: Arc<Lock>,
    ) -> Result<Self, StateError> {
        let path = directory.join(Role::Snapshot.file_name(number));
        let mut writer = Self {
            directory: directory.to_owned(),
            file: files::create(&files::temporary(&path))?,
            path,
            number,
            blocks: 0,
            buffer: Header::new(Role::Snapshot, number, None).block(),
            is_finished: false,
            _lock: lock,
        };
        writer.flush()?;
        Ok(writer)
    }

    /// Appends what [`encode`](super::encode) wrote.
    ///
    /// # Errors
    ///
    /// When the system refuses. The snapshot is then to be dropped; the journal is not touched.
    pub fn write(&mut self, frames: &[u8]) -> Result<(), StateError> {
        if frames.is_empty() {
            return Ok(());
        }
        self.blocks += 1;
        self.append(Kind::Transactions, frames)
    }

    /// Puts the snapshot in force, and removes what it replaces.
    ///
    /// # Errors
    ///
    /// When the system refuses. The earlier snapshot and the whole journal are then still there.
    /// Old files that cannot be removed are no error: they do no harm, and are removed later.
    pub fn finish(mut self) -> Result<(), StateError> {
        let end = SnapshotEnd {
            blocks: self.blocks,
        };
        let end = serde_json::to_vec(&end).expect("a number is plain text");
        self.append(Kind::End, &end)?;
        self.file.sync_all().tried("sync", &self.path)?;
        files::put_in_place(&self.path)?;
        self.is_finished = true;
        files::remove_before(&self.directory, self.number);
        Ok(())
    }

    fn append(&mut self, kind: Kind, content: &[u8]) -> Result<(), StateError> {
        self.buffer.clear();
        block::append(kind, content, &mut self.buffer).tried("write", &self.path)?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), StateError> {
        self.file.write_all(&self.buffer).tried("write", &self.path)
    }
}

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // If that fails, the next start removes it.
            drop(fs::remove_file(files::temporary(&self.path)));
        }
    }
}
