//! A file in a store as a target.

use std::{fmt, io::BufReader, io::Read, ops::Range, path::Path};

use super::{
    RemoteFileSystem,
    file_system::name_of,
    store::{Part, Protocol},
};
use crate::{
    BoxError, Format, LocalCopy, ReadWrite, Reader, Target, TargetError, Writer, local,
    location::Location,
};

/// The bytes between a stream and its store.
const BUFFER: usize = 64 * 1024;

/// A file in a store, which is there as a whole or not at all.
///
/// It exists when its writer is committed; until then, and when its process is killed, there is
/// nothing, or what was there before.
pub struct RemoteTarget<P: Protocol> {
    fs: RemoteFileSystem<P>,
    location: Location,
    format: Format,
}

impl<P: Protocol> RemoteTarget<P> {
    pub(super) fn at(fs: RemoteFileSystem<P>, location: Location) -> Self {
        let format = Format::Plain;
        Self {
            fs,
            location,
            format,
        }
    }

    /// How the content is stored.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Stores the content as the name says: `.gz`, `.bz2`, `.zst`, `.xz`, else as it is.
    pub fn format_by_extension(self) -> Self {
        let format = Format::of_extension(Path::new(&self.location.path));
        self.format(format)
    }

    /// The URL, without a password.
    pub fn url(&self) -> String {
        self.location.to_string()
    }

    /// The file system that the target is in.
    pub fn fs(&self) -> &RemoteFileSystem<P> {
        &self.fs
    }

    /// The size in bytes, as it is stored.
    ///
    /// # Errors
    /// There is no file, or it cannot be found out.
    pub fn size(&self) -> Result<u64, TargetError> {
        self.fs.size_at(&self.location)
    }

    /// Some of the bytes as they are stored, whatever the format. Past the end there are none.
    ///
    /// # Errors
    /// There is no file, or it cannot be read.
    pub fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, TargetError> {
        let mut bytes = Vec::new();
        self.fs
            .open(&self.location, range.into())
            .and_then(|mut content| content.read_to_end(&mut bytes))
            .map_err(TargetError::io("read", self))?;
        Ok(bytes)
    }

    /// A copy on this machine, for a program that reads files. It has the content as it is stored, and the
    /// target's name.
    ///
    /// # Errors
    /// There is no file, or it cannot be read.
    pub fn local_copy(&self) -> Result<LocalCopy, TargetError> {
        let plain = self.clone().format(Format::Plain);
        LocalCopy::of_stored(&plain, name_of(&self.location.path))
    }

    /// Hands `fill` a path on this machine at which it, or a program that it runs, makes a file. That is put
    /// into the store when `fill` succeeds, and removed when it fails or panics.
    ///
    /// The path has the target's name, in a folder for temporary files. The file is stored as it is:
    /// [`format`](Self::format) is for the program to heed.
    ///
    /// # Errors
    /// `fill` failed or made no file, the target cannot be written, or ([`TargetError::Exists`]) it exists by then.
    pub fn temporary_path<T>(
        &self,
        fill: impl FnOnce(&Path) -> Result<T, BoxError>,
    ) -> Result<T, TargetError> {
        let plain = self.clone().format(Format::Plain);
        local::temporary_path(&plain, name_of(&self.location.path), fill)
    }

    /// Removes the file, or the folder with all that is in it.
    ///
    /// # Errors
    /// There is nothing, or it cannot be removed.
    pub fn remove(&self) -> Result<(), TargetError> {
        self.fs.remove_at(&self.location)
    }
}

impl<P: Protocol> Target for RemoteTarget<P> {
    fn exists(&self) -> Result<bool, TargetError> {
        self.fs.exists_at(&self.location)
    }
}

impl<P: Protocol> ReadWrite for RemoteTarget<P> {
    fn reader(&self) -> Result<Reader, TargetError> {
        let content = self.fs.open(&self.location, Part::ALL);
        let content = content.map_err(TargetError::io("read", self))?;
        let content = BufReader::with_capacity(BUFFER, content);
        Reader::new(self.to_string(), self.format, content)
    }

    fn writer(&self) -> Result<Writer, TargetError> {
        let sink = self
            .fs
            .on(&self.location, |store| store.write(self.location.file()?));
        let sink = sink.map_err(TargetError::io("write", self))?;
        Writer::boxed(self.to_string(), self.format, sink)
    }
}

impl<P: Protocol> Clone for RemoteTarget<P> {
    fn clone(&self) -> Self {
        Self {
            fs: self.fs.clone(),
            location: self.location.clone(),
            format: self.format,
        }
    }
}

impl<P: Protocol> fmt::Display for RemoteTarget<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(f)
    }
}

impl<P: Protocol> fmt::Debug for RemoteTarget<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteTarget").field(&self.location).finish()
    }
}
