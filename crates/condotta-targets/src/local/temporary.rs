//! Temporary files and folders beside the target that they will become.
//!
//! A run holds a lock on each of its own: the system drops the lock when the run dies, however it
//! dies, so one without a lock is dead and may be swept.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::{
    durable::{make_folders, parent_of, sync_folder, sync_tree},
    rename::rename_new,
    sweep,
};
use crate::temporary_name;

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path does not end in a name",
        )
    })?;
    Ok(path.with_file_name(temporary_name::temporary(name)))
}

/// Takes the lock on what was just made. `false`: a sweep was faster, make another.
fn claim(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(file.metadata()?.nlink() > 0),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Without locks on this file system nobody else can take this for dead either.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

/// Makes something new beside `path`, with the folders it needs, and claims it.
fn make<T>(
    path: &Path,
    durable: bool,
    make: impl Fn(&Path) -> io::Result<T>,
    handle: impl Fn(&T) -> &File,
) -> io::Result<(T, PathBuf)> {
    let mut made_folders = false;
    loop {
        let temporary = temporary_name(path)?;
        let made = match make(&temporary) {
            Ok(made) => made,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !made_folders => {
                made_folders = true;
                make_folders(parent_of(path), durable)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if claim(handle(&made))? {
            if made_folders {
                sweep::mark_clean(parent_of(path));
            } else {
                sweep::sweep_once(parent_of(path));
            }
            return Ok((made, temporary));
        }
    }
}

/// A file to be written, which is removed when it is dropped before [`persist`](Self::persist).
pub(super) struct TemporaryFile {
    file: File,
    path: PathBuf,
    destination: PathBuf,
    durable: bool,
    persisted: bool,
}

impl TemporaryFile {
    /// Makes one beside `destination`.
    pub(super) fn new(destination: &Path, durable: bool) -> io::Result<Self> {
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let (file, path) = make(destination, durable, create, |file| file)?;
        Ok(Self {
            file,
            path,
            destination: destination.to_owned(),
            durable,
            persisted: false,
        })
    }

    /// What is written to.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the file its destination's name, replacing what has it.
    pub(super) fn persist(mut self) -> io::Result<()> {
        if self.durable {
            self.file.sync_all()?;
        }
        fs::rename(&self.path, &self.destination)?;
        self.persisted = true;
        if self.durable {
            sync_folder(parent_of(&self.destination))?;
        }
        Ok(())
    }
}

impl io::Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.persisted {
            // What stays, the next run sweeps.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A folder for something that others write, which is removed with what is left in it.
///
/// The lock is on the folder, so that what is in it may be anything. Nobody else can look into it.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    _lock: File,
    path: PathBuf,
    destination: PathBuf,
    durable: bool,
}

impl TemporaryFolder {
    /// Makes one beside `destination`.
    pub(super) fn new(destination: &Path, durable: bool) -> io::Result<Self> {
        let create = |path: &Path| {
            DirBuilder::new().mode(0o700).create(path)?;
            match File::open(path) {
                // Swept before it was opened: as if the name had been taken.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(io::ErrorKind::AlreadyExists.into())
                }
                opened => opened,
            }
        };
        let (lock, path) = make(destination, durable, create, |lock| lock)?;
        Ok(Self {
            _lock: lock,
            path,
            destination: destination.to_owned(),
            durable,
        })
    }

    /// Where to write. It has the destination's name, for programs that look at extensions.
    pub(super) fn inner(&self) -> PathBuf {
        let name = self.destination.file_name();
        self.path
            .join(name.unwrap_or_else(|| OsStr::new("content")))
    }

    /// Gives what was written its destination's name, which must be free.
    pub(super) fn persist(self) -> io::Result<()> {
        let inner = self.inner();
        if self.durable {
            sync_tree(&inner)?;
        }
        rename_new(&inner, &self.destination)?;
        if self.durable {
            sync_folder(parent_of(&self.destination))?;
        }
        Ok(())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What stays, the next run sweeps.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_names_can_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n".repeat(255));
        let temporary = TemporaryFile::new(&path, false).expect("made");
        assert!(temporary_name::is_temporary(
            temporary.path.file_name().expect("a name")
        ));
        temporary.persist().expect("renamed");
        assert!(path.exists());
    }
}
