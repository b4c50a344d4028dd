//! The files of a kind of store by URL, with the words of Luigi's file systems.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    FlagTarget, RemoteTarget,
    store::{Part, Protocol, Stat, Store},
};
use crate::{TargetError, location::Location, temporary_name::is_temporary};

/// Files in stores of one kind, by URL. Clones share their connections.
pub struct RemoteFileSystem<P: Protocol> {
    shared: Arc<Shared<P>>,
}

struct Shared<P> {
    protocol: P,
    /// By what a URL says of the store: its bucket, or its host and user.
    stores: Mutex<HashMap<String, Arc<dyn Store>>>,
}

impl<P: Protocol> RemoteFileSystem<P> {
    /// The file system, with credentials and settings from their usual places.
    pub fn new() -> Self {
        Self::with(P::default())
    }

    pub(crate) fn with(protocol: P) -> Self {
        let stores = Mutex::default();
        Self {
            shared: Arc::new(Shared { protocol, stores }),
        }
    }

    /// The same with other settings, and connections of its own.
    pub(crate) fn changed(self, change: impl FnOnce(&mut P)) -> Self {
        let mut protocol = self.shared.protocol.clone();
        change(&mut protocol);
        Self::with(protocol)
    }

    /// The file at a URL as a target.
    pub fn target(&self, url: impl AsRef<str>) -> RemoteTarget<P> {
        RemoteTarget::at(self.clone(), Location::parse(url.as_ref()))
    }

    /// The folder at a URL as a target that is complete with a flag file in it.
    pub fn flag_target(&self, url: impl AsRef<str>) -> FlagTarget<P> {
        FlagTarget::at(self.clone(), Location::parse(url.as_ref()))
    }

    /// Whether there is a file or folder.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn exists(&self, url: impl AsRef<str>) -> Result<bool, TargetError> {
        self.exists_at(&Location::parse(url.as_ref()))
    }

    /// Whether there is a folder.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn is_dir(&self, url: impl AsRef<str>) -> Result<bool, TargetError> {
        let location = Location::parse(url.as_ref());
        let stat = self.on(&location, |store| found(store.stat(location.folder())));
        let stat = stat.map_err(TargetError::io("look for", &location))?;
        Ok(stat == Some(Stat::Folder))
    }

    /// The size of a file in bytes, as it is stored.
    ///
    /// # Errors
    /// There is no file, or it cannot be found out.
    pub fn size(&self, url: impl AsRef<str>) -> Result<u64, TargetError> {
        self.size_at(&Location::parse(url.as_ref()))
    }

    /// All files at any depth below a folder, sorted. What a writer has not committed, or left behind
    /// when it was killed, is not among them.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn list(&self, url: impl AsRef<str>) -> Result<Vec<RemoteTarget<P>>, TargetError> {
        self.list_at(&Location::parse(url.as_ref()))
    }

    /// Makes a folder with its parents; one that is there is fine. Where folders are but names that
    /// others begin with, as in object stores, there is nothing to do.
    ///
    /// # Errors
    /// There is a file on the way, or it cannot be made.
    pub fn make_dirs(&self, url: impl AsRef<str>) -> Result<(), TargetError> {
        let location = Location::parse(url.as_ref());
        self.on(&location, |store| store.make_folder(location.folder()))
            .map_err(TargetError::io("make folder", &location))
    }

    /// Removes a file, or a folder with all that is in it.
    ///
    /// # Errors
    /// There is nothing, or it cannot be removed.
    pub fn remove(&self, url: impl AsRef<str>) -> Result<(), TargetError> {
        self.remove_at(&Location::parse(url.as_ref()))
    }

    /// Copies a file as it is stored, replacing a file there. Both are in the same store.
    ///
    /// # Errors
    /// It cannot be copied; what was at `to` is as it was.
    pub fn copy(&self, from: impl AsRef<str>, to: impl AsRef<str>) -> Result<(), TargetError> {
        let (from, to) = (Location::parse(from.as_ref()), Location::parse(to.as_ref()));
        self.within_one(&from, &to, |store| store.copy(from.file()?, to.file()?))
            .map_err(TargetError::io("copy", arrow(&from, &to)))
    }

    /// Moves a file, replacing a file there, or a folder. Both are in the same store. Object stores
    /// copy and then remove: whoever looks in between sees both.
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn move_to(&self, from: impl AsRef<str>, to: impl AsRef<str>) -> Result<(), TargetError> {
        let (from, to) = (Location::parse(from.as_ref()), Location::parse(to.as_ref()));
        self.within_one(&from, &to, |store| store.rename(from.folder(), to.folder()))
            .map_err(TargetError::io("move", arrow(&from, &to)))
    }

    pub(super) fn exists_at(&self, location: &Location) -> Result<bool, TargetError> {
        let stat = self.on(location, |store| found(store.stat(location.folder())));
        Ok(stat
            .map_err(TargetError::io("look for", location))?
            .is_some())
    }

    pub(super) fn size_at(&self, location: &Location) -> Result<u64, TargetError> {
        let size = self.on(location, |store| match store.stat(location.file()?)? {
            Stat::File(size) => Ok(size),
            Stat::Folder => Err(io::ErrorKind::IsADirectory.into()),
        });
        size.map_err(TargetError::io("look for", location))
    }

    pub(super) fn list_at(&self, location: &Location) -> Result<Vec<RemoteTarget<P>>, TargetError> {
        let mut paths = self
            .on(location, |store| store.list(location.folder()))
            .map_err(TargetError::io("list", location))?;
        paths.retain(|path| !is_temporary(name_of(path).as_ref()));
        paths.sort_unstable();
        let target = |path| RemoteTarget::at(self.clone(), location.with_path(path));
        Ok(paths.into_iter().map(target).collect())
    }

    pub(super) fn remove_at(&self, location: &Location) -> Result<(), TargetError> {
        self.on(location, |store| store.remove(location.folder()))
            .map_err(TargetError::io("remove", location))
    }

    pub(super) fn open(
        &self,
        location: &Location,
        part: Part,
    ) -> io::Result<super::store::Content> {
        self.on(location, |store| store.read(location.file()?, part))
    }

    /// Does something in the store that a place is in.
    pub(super) fn on<T>(
        &self,
        location: &Location,
        act: impl FnOnce(&dyn Store) -> io::Result<T>,
    ) -> io::Result<T> {
        act(&*self.store(location)?)
    }

    fn within_one(
        &self,
        from: &Location,
        to: &Location,
        act: impl FnOnce(&dyn Store) -> io::Result<()>,
    ) -> io::Result<()> {
        to.check(P::SCHEMES)?;
        if key_of(from) != key_of(to) {
            return Err(io::Error::new(
                io::ErrorKind::CrossesDevices,
                "the places are in different stores; read from one and write to the other",
            ));
        }
        self.on(from, act)
    }

    fn store(&self, location: &Location) -> io::Result<Arc<dyn Store>> {
        location.check(P::SCHEMES)?;
        // A panic elsewhere leaves the map whole: each change to it is one call.
        let stores = self.shared.stores.lock();
        let mut stores = stores.unwrap_or_else(PoisonError::into_inner);
        let key = key_of(location);
        if let Some(store) = stores.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = self.shared.protocol.connect(location)?.0.into();
        stores.insert(key, Arc::clone(&store));
        Ok(store)
    }
}

/// Tells the stores of one kind from each other. It is never shown.
fn key_of(location: &Location) -> String {
    let password = location
        .password
        .as_ref()
        .map(crate::location::Secret::reveal);
    format!(
        "{} {:?} {password:?} {}",
        location.scheme, location.user, location.host
    )
}

/// What is not there as `None`.
fn found(stat: io::Result<Stat>) -> io::Result<Option<Stat>> {
    match stat {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn arrow(from: &Location, to: &Location) -> String {
    format!("{from} to {to}")
}

impl<P: Protocol> Clone for RemoteFileSystem<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<P: Protocol> Default for RemoteFileSystem<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Protocol> fmt::Debug for RemoteFileSystem<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteFileSystem")
            .field(&P::SCHEMES)
            .finish()
    }
}
