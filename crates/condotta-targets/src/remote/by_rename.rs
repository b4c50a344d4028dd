//! Stores of files in folders, whose commit is a rename: content is written under a temporary name
//! beside the file, and gets the file's name when it is complete.

use std::{
    io::{self, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    file_system::name_of,
    resume::Resumed,
    store::{Content, Part, Stat, Store},
    sweep::Clean,
};
use crate::{read_write::Sink, temporary_name};

/// What a server can do with one file or folder. Paths have no slash at either end.
pub(crate) trait Files: Send + Sync + 'static {
    /// A file under a temporary name that has not been modified for so long is nobody's any more.
    const LONGEST_WRITE: Duration = Duration::from_secs(24 * 60 * 60);

    /// What there is at a path.
    fn stat(&self, path: &str) -> io::Result<Stat>;

    /// Opens a file at a byte.
    fn open(&self, path: &str, at: u64) -> io::Result<Content>;

    /// Starts a file in a folder that is there.
    fn create(&self, path: &str) -> io::Result<Box<dyn Upload>>;

    /// The names in a folder, and whether they are folders.
    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>>;

    /// When a file was last modified.
    fn modified(&self, path: &str) -> io::Result<SystemTime>;

    /// Makes a folder in one that is there.
    fn make_folder(&self, path: &str) -> io::Result<()>;

    /// Gives a file or folder another name at once. A file that has it is replaced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &str) -> io::Result<()>;

    /// Removes a folder with nothing in it.
    fn remove_folder(&self, path: &str) -> io::Result<()>;
}

/// A file that is being written.
pub(crate) trait Upload: Write + Send {
    /// Waits until the server has all of it.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A store made of what its server can do. The text is the server's URL, as people may see it.
pub(crate) struct ByRename<F>(Arc<F>, Clean, String);

impl<F: Files> ByRename<F> {
    pub(crate) fn new(files: F, place: String) -> Self {
        Self(Arc::new(files), Clean::default(), place)
    }

    fn create(&self, path: &str) -> io::Result<Writing<F>> {
        let temporary = temporary_name::temporary(name_of(path).as_ref());
        let temporary = beside(path, &temporary.to_string_lossy());
        let created = match self.0.create(&temporary) {
            // Servers say in many ways that there is no such folder.
            Err(error) if !is_there(self.0.stat(parent_of(path)))? => {
                self.make_folder(parent_of(path)).map_err(|_| error)?;
                self.1.mark(parent_of(path));
                self.0.create(&temporary)
            }
            created => created,
        };
        if created.is_ok() {
            self.1.sweep_once(&*self.0, parent_of(path));
        }
        Ok(Writing {
            upload: Some(created?),
            files: Arc::clone(&self.0),
            temporary,
            path: path.to_owned(),
        })
    }

    fn list_into(&self, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for (name, is_folder) in self.0.entries(&folder)? {
                let path = within(&folder, &name);
                if is_folder {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        Ok(())
    }

    fn remove_tree(&self, folder: &str) -> io::Result<()> {
        for (name, is_folder) in self.0.entries(folder)? {
            let path = within(folder, &name);
            if is_folder {
                self.remove_tree(&path)?;
            } else {
                self.0.remove_file(&path)?;
            }
        }
        self.0.remove_folder(folder)
    }
}

impl<F: Files> Store for ByRename<F> {
    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.0.stat(path)
    }

    fn read(&self, path: &str, part: Part) -> io::Result<Content> {
        let Stat::File(size) = self.0.stat(path)? else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let end = part.end.map_or(size, |end| end.min(size));
        if part.start >= end {
            return Ok(Box::new(io::empty()));
        }
        let place = format!("{}/{path}", self.2);
        let (files, path) = (Arc::clone(&self.0), path.to_owned());
        let content = Resumed::new(place, part.start..end, move |at| files.open(&path, at))?;
        Ok(Box::new(content))
    }

    fn write(&self, path: &str) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(self.create(path)?))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        if let Stat::File(_) = self.0.stat(folder)? {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let mut files = Vec::new();
        self.list_into(folder, &mut files)?;
        Ok(files)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        match self.0.stat(path) {
            Ok(Stat::Folder) => return Ok(()),
            Ok(Stat::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_empty() => {}
            Err(error) => return Err(error),
        }
        self.make_folder(parent_of(path))?;
        match self.0.make_folder(path) {
            // Somebody else was faster.
            Err(_) if matches!(self.0.stat(path), Ok(Stat::Folder)) => Ok(()),
            made => made,
        }
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        let mut content = self.read(from, Part::ALL)?;
        let mut copy = self.create(to)?;
        io::copy(&mut content, &mut copy)?;
        Box::new(copy).commit()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.stat(from)?;
        self.make_folder(parent_of(to))?;
        self.0.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match self.0.stat(path)? {
            Stat::File(_) => self.0.remove_file(path),
            Stat::Folder => self.remove_tree(path),
        }
    }
}

/// A file under its temporary name.
struct Writing<F: Files> {
    /// Gone when it is finished, or failed to be.
    upload: Option<Box<dyn Upload>>,
    files: Arc<F>,
    temporary: String,
    path: String,
}

impl<F: Files> Writing<F> {
    fn upload(&mut self) -> io::Result<&mut dyn Upload> {
        match &mut self.upload {
            Some(upload) => Ok(upload.as_mut()),
            None => Err(io::Error::other("it was finished before")),
        }
    }
}

impl<F: Files> Write for Writing<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.upload()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.upload()?.flush()
    }
}

impl<F: Files> Sink for Writing<F> {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        if let Some(upload) = self.upload.take() {
            upload.finish()?;
        }
        self.files.rename(&self.temporary, &self.path)?;
        self.temporary.clear();
        Ok(())
    }
}

impl<F: Files> Drop for Writing<F> {
    fn drop(&mut self) {
        if self.temporary.is_empty() {
            return;
        }
        // The connection is free for the next call when the upload is over.
        drop(self.upload.take());
        // What stays has a name that is no output's.
        let _ = self.files.remove_file(&self.temporary);
    }
}

fn is_there(stat: io::Result<Stat>) -> io::Result<bool> {
    match stat {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The folder that a path is in.
pub(crate) fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn beside(path: &str, name: &str) -> String {
    within(parent_of(path), name)
}

/// The path of a name in a folder.
pub(super) fn within(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}
