//! What can be wrong with a state directory, and what to do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The path is something else.
    #[error("{} is not a directory: name another state directory", .0.display())]
    NotADirectory(PathBuf),
    /// There is no such directory, and this is no occasion to make one.
    #[error("there is no state in {}", .0.display())]
    Absent(PathBuf),
    /// The directory belongs to something else.
    #[error(
        "{} holds {entry:?} but no state of a scheduler: name an empty or a new directory",
        path.display()
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Something that was found in it.
        entry: String,
    },
    /// A later version wrote it.
    #[error(
        "{} was written by a newer condotta (format {found}; this one knows up to {known}): \
         use that version",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// Another process has it open.
    #[error(
        "another scheduler{} uses {}: stop it, or name another state directory",
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default(),
        path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The other process, as far as it said so.
        pid: Option<u32>,
    },
    /// What was written is not what is there.
    #[error(
        "the state in {} is damaged: {damage}; intact before it: {intact}. Nothing was changed. \
         To set aside what is damaged and keep all that can be read, run: \
         condotta state check {} --repair",
        path.display(),
        Quoted(path)
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What is wrong first.
        damage: Damage,
        /// What was read before it.
        intact: String,
    },
    /// An earlier write failed.
    #[error(
        "an earlier write to {} failed, so nothing more is stored: make room or repair the disk, \
         then start the scheduler again",
        .0.display()
    )]
    Poisoned(PathBuf),
    /// State is only imported where there is none.
    #[error("{} already holds a state: import into an empty or a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// An import is not what an export writes.
    #[error("line {line} of the import: {reason}")]
    BadImport {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The export cannot be written.
    #[error("cannot write the export: {0}")]
    Export(#[source] io::Error),
}

impl StateError {
    /// Whether it is not even sure that what can be read is on the disk: after a failed sync the
    /// system may keep in memory what it could not write, and forget that.
    pub(crate) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Io { action: "sync", .. })
    }
}

/// A place where a file is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file's name.
    pub file: String,
    /// The byte at which it starts.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.file, self.offset, self.what)
    }
}

/// A path as a shell takes it.
struct Quoted<'a>(&'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%:,".contains(c);
        if !text.is_empty() && text.chars().all(is_plain) {
            f.write_str(&text)
        } else {
            write!(f, "'{}'", text.replace('\'', r"'\''"))
        }
    }
}

/// Says what was tried, and on what.
pub(super) trait Tried<T> {
    fn tried(self, action: &'static str, path: &Path) -> Result<T, StateError>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, action: &'static str, path: &Path) -> Result<T, StateError> {
        self.map_err(|source| StateError::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
