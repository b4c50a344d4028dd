//! Temporary files and folders beside the target that they will become.
//!
//! Their names are as Luigi's, `<path>-luigi-tmp-<digits>`, with more digits than stock Luigi gives,
//! so that ours are known. A run holds a lock on each of its own: the system drops the lock when the
//! run dies, however it dies, so one without a lock is dead and may be swept.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
    path::{Path, PathBuf},
    process,
};

use super::{
    durable::{make_folders, parent_of, sync_folder, sync_tree},
    rename::rename_new,
    sweep,
};

const INFIX: &str = "-luigi-tmp-";
/// Ten of the process and ten of chance. Stock Luigi has ten at most.
const DIGITS: usize = 20;
/// The longest name that file systems take.
const LONGEST_NAME: usize = 255;

/// Whether a file's name is one that this module gave.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.len() > INFIX.len() + DIGITS && {
        let (front, digits) = name.split_at(name.len() - DIGITS);
        front.ends_with(INFIX.as_bytes()) && digits.iter().all(u8::is_ascii_digit)
    }
}

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path does not end in a name",
        )
    })?;
    let mut name = name.as_bytes().to_owned();
    name.truncate(LONGEST_NAME - INFIX.len() - DIGITS);
    let process = process::id();
    let chance = fastrand::u64(0..10_000_000_000);
    name.extend(format!("{INFIX}{process:010}{chance:010}").into_bytes());
    Ok(path.with_file_name(OsString::from_vec(name)))
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
/// The lock is on the folder, so that what is in it may be anything.
pub(super) struct TemporaryFolder {
    _lock: File,
    path: PathBuf,
    destination: PathBuf,
    durable: bool,
}

impl TemporaryFolder {
    /// Makes one beside `destination`.
    pub(super) fn new(destination: &Path, durable: bool) -> io::Result<Self> {
        let create = |path: &Path| {
            fs::create_dir(path)?;
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
    fn names_are_luigis_with_more_digits() {
        let path = temporary_name(Path::new("a b/ü.txt")).expect("a name");
        let name = path.file_name().expect("a name");
        assert!(path.starts_with("a b"));
        assert!(name.to_string_lossy().starts_with("ü.txt-luigi-tmp-"));
        assert!(is_temporary(name));
        for other in [
            "ü.txt-luigi-tmp-1234567890",
            "ü.txt",
            "-luigi-tmp-12345678901234567890",
            "x-luigi-tmp-1234567890123456789x",
        ] {
            assert!(!is_temporary(OsStr::new(other)), "{other}");
        }
    }

    #[test]
    fn the_longest_names_can_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n".repeat(LONGEST_NAME));
        let temporary = TemporaryFile::new(&path, false).expect("made");
        assert!(is_temporary(temporary.path.file_name().expect("a name")));
        temporary.persist().expect("renamed");
        assert!(path.exists());
    }
}
