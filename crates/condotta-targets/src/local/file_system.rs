//! Files and folders by path, with the words of Luigi's `LocalFileSystem`.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    durable::{make_folders, parent_of, sync_folder},
    rename::rename_new,
    temporary::{TemporaryFile, TemporaryFolder},
};
use crate::TargetError;

/// The file system of this machine.
#[derive(Clone, Copy, Debug)]
pub struct LocalFileSystem {
    /// Whether what is changed is put on the disk before a call returns.
    pub(super) durable: bool,
}

impl Default for LocalFileSystem {
    fn default() -> Self {
        Self { durable: true }
    }
}

impl LocalFileSystem {
    /// The file system, durable.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether calls wait for the disk (by default they do), so that a crash of the machine takes
    /// nothing back.
    pub fn fsync(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Whether there is something at `path`. A link that leads nowhere is nothing.
    ///
    /// # Errors
    /// It cannot be found out, as in a folder that may not be entered.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool, TargetError> {
        let path = path.as_ref();
        match path.try_exists() {
            // Below a regular file there is nothing.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
            result => result.map_err(TargetError::io("look for", path.display())),
        }
    }

    /// Whether there is a folder at `path`.
    pub fn is_dir(&self, path: impl AsRef<Path>) -> bool {
        path.as_ref().is_dir()
    }

    /// Makes a folder with its parents; one that is there is fine.
    ///
    /// # Errors
    /// There is a file in the way, or it cannot be made.
    pub fn make_dirs(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        let path = path.as_ref();
        make_folders(path, self.durable).map_err(TargetError::io("make folder", path.display()))
    }

    /// Makes one new folder.
    ///
    /// # Errors
    /// It exists, its parent does not, or it cannot be made.
    pub fn make_dir(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        let path = path.as_ref();
        fs::create_dir(path)
            .and_then(|()| self.sync(parent_of(path)))
            .map_err(TargetError::taken("make folder", path.display()))
    }

    /// All files at any depth below `path`, sorted.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn list(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>, TargetError> {
        let mut folders = vec![path.as_ref().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            list_into(&folder, &mut folders, &mut files)
                .map_err(TargetError::io("list", folder.display()))?;
        }
        files.sort_unstable();
        Ok(files)
    }

    /// Removes a file, or a folder with all that is in it.
    ///
    /// # Errors
    /// There is nothing, or it cannot be removed.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<(), TargetError> {
        let path = path.as_ref();
        let remove = || {
            if fs::symlink_metadata(path)?.is_dir() {
                fs::remove_dir_all(path)?;
            } else {
                fs::remove_file(path)?;
            }
            self.sync(parent_of(path))
        };
        remove().map_err(TargetError::io("remove", path.display()))
    }

    /// Copies a file with its permissions, making the parents of `to` and replacing a file there.
    ///
    /// # Errors
    /// It cannot be read or written; what was at `to` is as it was.
    pub fn copy(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), TargetError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.copy_file(from, to)
            .map_err(TargetError::io("copy", arrow(from, to)))
    }

    /// Moves a file or folder, making the parents of `to` and replacing a file there. To another
    /// disk it is copied, appears as a whole, and only then leaves its old place.
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn move_to(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), TargetError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let renamed = self.with_parents(from, to, |from, to| fs::rename(from, to));
        let moved = match renamed {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.move_by_copy(from, to)
            }
            renamed => renamed.and_then(|()| self.sync_both(from, to)),
        };
        moved.map_err(TargetError::io("move", arrow(from, to)))
    }

    /// Renames to a path that must be free, in one step: of several at once, one succeeds.
    ///
    /// # Errors
    /// [`TargetError::Exists`] when there is something at `to`; or it cannot be renamed.
    pub fn rename_dont_move(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<(), TargetError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.with_parents(from, to, rename_new)
            .and_then(|()| self.sync_both(from, to))
            .map_err(TargetError::taken("rename to", to.display()))
    }

    /// Renames by `rename`; when the folder of `to` is missing, makes it and does it again.
    fn with_parents(
        &self,
        from: &Path,
        to: &Path,
        rename: impl Fn(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        match rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::symlink_metadata(from)?;
                make_folders(parent_of(to), self.durable)?;
                rename(from, to)
            }
            result => result,
        }
    }

    fn copy_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut source = File::open(from)?;
        let metadata = source.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut copy = TemporaryFile::new(to, self.durable)?;
        io::copy(&mut source, copy.file())?;
        copy.file().set_permissions(metadata.permissions())?;
        copy.persist()
    }

    pub(super) fn move_by_copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        if fs::symlink_metadata(from)?.is_dir() {
            let copy = TemporaryFolder::new(to, self.durable)?;
            copy_tree(from, &copy.inner())?;
            copy.persist()?;
            fs::remove_dir_all(from)?;
        } else {
            self.copy_file(from, to)?;
            fs::remove_file(from)?;
        }
        self.sync(parent_of(from))
    }

    fn sync_both(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.sync(parent_of(to))?;
        if parent_of(from) == parent_of(to) {
            return Ok(());
        }
        self.sync(parent_of(from))
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        if self.durable {
            sync_folder(folder)?;
        }
        Ok(())
    }
}

fn arrow(from: &Path, to: &Path) -> String {
    format!("{} to {}", from.display(), to.display())
}

fn list_into(
    folder: &Path,
    folders: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if !metadata.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    fs::set_permissions(to, metadata.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_by_copy_keeps_the_tree() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("x/to"));
        fs::create_dir_all(from.join("deep/er")).expect("made");
        fs::write(from.join("deep/er/file"), "content").expect("written");
        std::os::unix::fs::symlink("file", from.join("deep/er/link")).expect("linked");
        let system = LocalFileSystem::new();
        system.move_by_copy(&from, &to).expect("moved");
        assert!(!from.exists());
        assert_eq!(fs::read(to.join("deep/er/link")).expect("kept"), b"content");

        let file = folder.path().join("file");
        fs::write(&file, "new").expect("written");
        fs::write(folder.path().join("old"), "old").expect("written");
        system
            .move_by_copy(&file, &folder.path().join("old"))
            .expect("moved");
        assert_eq!(fs::read(folder.path().join("old")).expect("kept"), b"new");
        assert!(!file.exists());
    }
}
