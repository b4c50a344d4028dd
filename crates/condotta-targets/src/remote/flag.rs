//! A folder in a store that is complete with a flag file in it.

use std::fmt;

use super::{RemoteFileSystem, RemoteTarget, store::Protocol};
use crate::{ReadWrite, Target, TargetError, location::Location};

/// The file by which Hadoop's tools, too, know a complete folder.
const SUCCESS_FLAG: &str = "_SUCCESS";

/// A folder that exists when there is a file `_SUCCESS` in it: Luigi's flag target.
///
/// Programs such as Spark write it by themselves. Others write the [`part`](Self::part)s and then
/// [`complete`](Self::complete) the folder.
pub struct FlagTarget<P: Protocol> {
    fs: RemoteFileSystem<P>,
    folder: Location,
    flag: &'static str,
}

impl<P: Protocol> FlagTarget<P> {
    pub(super) fn at(fs: RemoteFileSystem<P>, location: Location) -> Self {
        Self {
            folder: location.with_path(location.folder()),
            fs,
            flag: SUCCESS_FLAG,
        }
    }

    /// Another name for the flag file.
    pub fn flag(mut self, name: &'static str) -> Self {
        self.flag = name;
        self
    }

    /// A file in the folder.
    pub fn part(&self, name: impl fmt::Display) -> RemoteTarget<P> {
        let path = match self.folder.path.as_str() {
            "" => name.to_string(),
            folder => format!("{folder}/{name}"),
        };
        RemoteTarget::at(self.fs.clone(), self.folder.with_path(path))
    }

    /// Writes the flag: the folder is complete.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn complete(&self) -> Result<(), TargetError> {
        self.part(self.flag).write("")
    }

    /// All files at any depth, sorted, without the flag.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn list(&self) -> Result<Vec<RemoteTarget<P>>, TargetError> {
        let mut files = self.fs.list_at(&self.folder)?;
        let flag = self.part(self.flag).url();
        files.retain(|file| file.url() != flag);
        Ok(files)
    }

    /// Removes the folder with all that is in it. The flag goes first: half a folder is none.
    ///
    /// # Errors
    /// There is none, or it cannot be removed.
    pub fn remove(&self) -> Result<(), TargetError> {
        let flag = self.part(self.flag);
        if flag.exists()? {
            flag.remove()?;
            if !self.fs.exists_at(&self.folder)? {
                return Ok(());
            }
        }
        self.fs.remove_at(&self.folder)
    }
}

impl<P: Protocol> Target for FlagTarget<P> {
    fn exists(&self) -> Result<bool, TargetError> {
        self.part(self.flag).exists()
    }
}

impl<P: Protocol> Clone for FlagTarget<P> {
    fn clone(&self) -> Self {
        Self {
            fs: self.fs.clone(),
            folder: self.folder.clone(),
            flag: self.flag,
        }
    }
}

impl<P: Protocol> fmt::Display for FlagTarget<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.fmt(f)
    }
}

impl<P: Protocol> fmt::Debug for FlagTarget<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FlagTarget").field(&self.folder).finish()
    }
}
