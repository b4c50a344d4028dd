//! A file, or whatever a program makes at a path, as a target.

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use super::{
    LocalFileSystem,
    temporary::{TemporaryFile, TemporaryFolder},
};
use crate::{BoxError, Format, ReadWrite, Reader, Target, TargetError, Writer, read_write::Sink};

/// The bytes between a stream and its file.
const BUFFER: usize = 64 * 1024;

/// A file of this machine. It may be a folder, too; see [`temporary_path`](Self::temporary_path).
///
/// Content is written to a temporary file in the same folder (whose parents are made), put on the
/// disk, and renamed: at no moment is there half a file under the target's name, not even when the
/// process is killed or the machine fails. Temporary files of killed runs are removed when a later
/// run writes to the same folder.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LocalTarget {
    path: PathBuf,
    format: Format,
    durable: bool,
}

impl LocalTarget {
    /// The file at `path`, stored as it is, whatever its extension.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            format: Format::Plain,
            durable: true,
        }
    }

    /// How the content is stored.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Stores the content as the path's extension says: `.gz`, `.bz2`, `.zst`, `.xz`, else as it is.
    pub fn format_by_extension(self) -> Self {
        let format = Format::of_extension(&self.path);
        self.format(format)
    }

    /// Whether writing waits for the disk. Without, what was written is still whole or absent when
    /// the process is killed, but a crash of the machine may take it back or leave it empty.
    pub fn fsync(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file system that the target is in, with the target's durability.
    pub fn fs(&self) -> LocalFileSystem {
        LocalFileSystem::new().fsync(self.durable)
    }

    /// Whether there is a folder at the path.
    pub fn is_dir(&self) -> bool {
        self.fs().is_dir(&self.path)
    }

    /// Makes the folders that the path is in.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn make_dirs(&self) -> Result<(), TargetError> {
        self.fs().make_dirs(super::durable::parent_of(&self.path))
    }

    /// All files below the path, for a target that is a folder.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn list(&self) -> Result<Vec<PathBuf>, TargetError> {
        self.fs().list(&self.path)
    }

    /// Removes the file, or the folder with all that is in it.
    ///
    /// # Errors
    /// There is nothing, or it cannot be removed.
    pub fn remove(&self) -> Result<(), TargetError> {
        self.fs().remove(&self.path)
    }

    /// Copies the file as it is stored; see [`LocalFileSystem::copy`].
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn copy_to(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        self.fs().copy(&self.path, path)
    }

    /// Moves the file or folder, replacing a file there; see [`LocalFileSystem::move_to`].
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn move_to(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        self.fs().move_to(&self.path, path)
    }

    /// Renames to a path that must be free; see [`LocalFileSystem::rename_dont_move`].
    ///
    /// # Errors
    /// It is taken, or the target cannot be renamed.
    pub fn rename_dont_move(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        self.fs().rename_dont_move(&self.path, path)
    }

    /// Hands `fill` a path at which it, or a program that it runs, makes a file or a folder. That
    /// becomes the target when `fill` succeeds, and is removed when it fails or panics.
    ///
    /// The path has the target's file name, in a folder of its own beside the target. What is there
    /// is taken as it is: [`format`](Self::format) is for the program to heed.
    ///
    /// # Errors
    /// `fill` failed or made nothing, or ([`TargetError::Exists`]) the target exists by then.
    pub fn temporary_path<T>(
        &self,
        fill: impl FnOnce(&Path) -> Result<T, BoxError>,
    ) -> Result<T, TargetError> {
        let temporary = TemporaryFolder::new(&self.path, self.durable)
            .map_err(TargetError::io("write", self))?;
        let inner = temporary.inner();
        let value = fill(&inner).map_err(|source| TargetError::Fill {
            target: self.to_string(),
            source,
        })?;
        if inner.symlink_metadata().is_err() {
            return Err(TargetError::Fill {
                target: self.to_string(),
                source: "nothing was made at the temporary path".into(),
            });
        }
        temporary
            .persist()
            .map_err(TargetError::taken("write", self))?;
        Ok(value)
    }
}

impl Target for LocalTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        warn_of_wildcards(&self.path);
        self.fs().exists(&self.path)
    }
}

impl ReadWrite for LocalTarget {
    fn reader(&self) -> Result<Reader, TargetError> {
        let file = File::open(&self.path).map_err(TargetError::io("read", self))?;
        Reader::new(
            self.to_string(),
            self.format,
            BufReader::with_capacity(BUFFER, file),
        )
    }

    fn writer(&self) -> Result<Writer, TargetError> {
        let file =
            TemporaryFile::new(&self.path, self.durable).map_err(TargetError::io("write", self))?;
        let sink = FileSink(BufWriter::with_capacity(BUFFER, file));
        Writer::new(self.to_string(), self.format, sink)
    }
}

impl fmt::Display for LocalTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl fmt::Debug for LocalTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalTarget").field(&self.path).finish()
    }
}

struct FileSink(BufWriter<TemporaryFile>);

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for FileSink {
    fn commit(self: Box<Self>) -> io::Result<()> {
        let file = self
            .0
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.persist()
    }
}

/// Warns, once for each path, that one file is no set of files.
fn warn_of_wildcards(path: &Path) {
    static WARNED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
    let bytes = path.as_os_str().as_encoded_bytes();
    if !bytes.iter().any(|byte| b"*?[{".contains(byte)) {
        return;
    }
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.insert(path.to_owned()) {
        tracing::warn!(
            "Using wildcards in path {} might lead to processing of an incomplete dataset; override exists() to suppress the warning.",
            path.display()
        );
    }
}
