//! The lock on a state directory: one scheduler at a time. The system lets go of it when the
//! process ends, however it ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    error::{StateError, Tried as _},
    files::LOCK_FILE,
};

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock for a scheduler, and writes down who has it.
    pub(super) fn take(directory: &Path) -> Result<Self, StateError> {
        let path = directory.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let file = options.open(&path).tried("open for writing", &path)?;
        let mut lock = Self::finish(file.try_lock(), file, directory)?;
        // It only tells others who has the lock. A start must not fail for that on a full disk.
        if let Err(error) = lock.sign() {
            tracing::warn!("cannot write {}: {error}", path.display());
        }
        Ok(lock)
    }

    /// Keeps schedulers away while the directory is only read, which needs no right to write.
    pub(super) fn share(directory: &Path) -> Result<Option<Self>, StateError> {
        let path = directory.join(LOCK_FILE);
        match File::open(&path) {
            Ok(file) => Self::finish(file.try_lock_shared(), file, directory).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).tried("open", &path),
        }
    }

    fn finish(
        result: Result<(), TryLockError>,
        mut file: File,
        directory: &Path,
    ) -> Result<Self, StateError> {
        match result {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked {
                path: directory.to_owned(),
                pid: holder(&mut file),
            }),
            Err(TryLockError::Error(error)) => Err(error).tried("lock", &directory.join(LOCK_FILE)),
        }
    }

    fn sign(&mut self) -> io::Result<()> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = since.unwrap_or_default().as_secs();
        let text = format!("pid {}\nsince {started}\n", process::id());
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    /// Leaves no name behind. Who only read the directory cannot do that, and wrote none. To close the file alone would
    /// not let go of the lock while a process that another thread starts has the file, too, for a moment.
    fn drop(&mut self) {
        drop(self.0.set_len(0));
        drop(self.0.unlock());
    }
}

/// Who has the lock. It may have been taken just now, and not be signed yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.strip_prefix("pid ")?.lines().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_let_go_of_although_somebody_has_the_file_still() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(folder.path()).expect("it is free");
        let inherited = lock.0.try_clone().expect("a file");
        let error = Lock::take(folder.path()).expect_err("it is taken");
        assert!(matches!(error, StateError::Locked { .. }), "{error}");
        drop(lock);
        Lock::take(folder.path()).expect("it is free again");
        drop(inherited);
    }
}
