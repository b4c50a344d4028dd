//! A folder whose content appears as a whole.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{LocalFileSystem, temporary::TemporaryFolder};
use crate::{BoxError, Target, TargetError};

/// The file by which Hadoop's tools, too, know a complete folder.
const SUCCESS_FLAG: &str = "_SUCCESS";

/// A folder of this machine as a target.
///
/// ```
/// use condotta_targets::{DirectoryTarget, Target};
///
/// # let parent = tempfile::tempdir()?;
/// let target = DirectoryTarget::new(parent.path().join("months"));
/// target.populate(|folder| Ok(std::fs::write(folder.join("january"), "31")?))?;
/// assert!(target.exists()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DirectoryTarget {
    path: PathBuf,
    flagged: bool,
    durable: bool,
}

impl DirectoryTarget {
    /// The folder at `path`, which exists when it is a folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            flagged: false,
            durable: true,
        }
    }

    /// Whether the folder is complete only with a file `_SUCCESS` in it, as for folders that other
    /// programs fill in place. [`populate`](Self::populate) then writes the file.
    pub fn success_flag(mut self, flagged: bool) -> Self {
        self.flagged = flagged;
        self
    }

    /// Whether writing waits for the disk, as [`LocalTarget::fsync`](crate::LocalTarget::fsync).
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

    /// Hands `fill` an empty folder to fill. It becomes the target when `fill` succeeds, and is
    /// removed when it fails or panics.
    ///
    /// A folder that lacks the flag it should have is the rest of a failed attempt of somebody, and
    /// makes way.
    ///
    /// # Errors
    /// `fill` failed, or ([`TargetError::Exists`]) the target exists by then.
    pub fn populate<T>(
        &self,
        fill: impl FnOnce(&Path) -> Result<T, BoxError>,
    ) -> Result<T, TargetError> {
        let write = |error| TargetError::taken("write", self)(error);
        let temporary = TemporaryFolder::new(&self.path, self.durable).map_err(write)?;
        let folder = temporary.inner();
        fs::create_dir(&folder).map_err(write)?;
        let value = fill(&folder).map_err(|source| TargetError::Fill {
            target: self.to_string(),
            source,
        })?;
        if self.flagged {
            fs::write(folder.join(SUCCESS_FLAG), "").map_err(write)?;
            if self.path.is_dir() && !self.exists()? {
                fs::remove_dir_all(&self.path).map_err(write)?;
            }
        }
        temporary.persist().map_err(write)?;
        Ok(value)
    }

    /// All files at any depth, sorted, without the flag.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn list(&self) -> Result<Vec<PathBuf>, TargetError> {
        let mut files = self.fs().list(&self.path)?;
        if self.flagged {
            let flag = self.path.join(SUCCESS_FLAG);
            files.retain(|file| *file != flag);
        }
        Ok(files)
    }

    /// Removes the folder with all that is in it. The flag goes first: half a folder is none.
    ///
    /// # Errors
    /// There is none, or it cannot be removed.
    pub fn remove(&self) -> Result<(), TargetError> {
        if self.flagged {
            match fs::remove_file(self.path.join(SUCCESS_FLAG)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(TargetError::io("remove", self)(error));
                }
                _ => {}
            }
        }
        self.fs().remove(&self.path)
    }
}

impl Target for DirectoryTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        if self.flagged {
            return self.fs().exists(self.path.join(SUCCESS_FLAG));
        }
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(TargetError::io("look for", self)(error)),
        }
    }
}

impl fmt::Display for DirectoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl fmt::Debug for DirectoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirectoryTarget").field(&self.path).finish()
    }
}
