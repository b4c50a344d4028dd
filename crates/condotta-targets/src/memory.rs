//! Targets in the process's memory, for tests and benches.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Cursor, Write},
    sync::{Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{Format, ReadWrite, Reader, Target, TargetError, Writer, read_write::Sink};

type Contents = HashMap<Arc<str>, Arc<Vec<u8>>>;

/// Named contents, shared by all clones.
#[derive(Clone, Default)]
pub struct MemoryStore {
    contents: Arc<RwLock<Contents>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The store of this process, which [`MemoryTarget::new`] uses.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<MemoryStore> = LazyLock::new(MemoryStore::new);
        &SHARED
    }

    /// A target in this store.
    pub fn target(&self, name: impl Into<Arc<str>>) -> MemoryTarget {
        MemoryTarget {
            store: self.clone(),
            name: name.into(),
            format: Format::Plain,
        }
    }

    /// The names of what is there, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.contents().keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.contents_mut().clear();
    }

    // A panic elsewhere leaves the map whole: each change to it is one call.
    fn contents(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn contents_mut(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore").field(&self.names()).finish()
    }
}

/// A named content in the process's memory. It is gone when the process ends.
#[derive(Clone)]
pub struct MemoryTarget {
    store: MemoryStore,
    name: Arc<str>,
    format: Format,
}

impl MemoryTarget {
    /// A target in the store of this process.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        MemoryStore::shared().target(name)
    }

    /// How the content is stored.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes the content.
    ///
    /// # Errors
    /// There is none.
    pub fn remove(&self) -> Result<(), TargetError> {
        match self.store.contents_mut().remove(&self.name) {
            Some(_) => Ok(()),
            None => Err(TargetError::io("remove", self)(
                io::ErrorKind::NotFound.into(),
            )),
        }
    }
}

impl Target for MemoryTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        Ok(self.store.contents().contains_key(&self.name))
    }
}

impl ReadWrite for MemoryTarget {
    fn reader(&self) -> Result<Reader, TargetError> {
        let content = self.store.contents().get(&self.name).cloned();
        let content =
            content.ok_or_else(|| TargetError::io("read", self)(io::ErrorKind::NotFound.into()))?;
        Reader::new(
            self.to_string(),
            self.format,
            Cursor::new(SharedBytes(content)),
        )
    }

    fn writer(&self) -> Result<Writer, TargetError> {
        let sink = MemorySink {
            store: self.store.clone(),
            name: Arc::clone(&self.name),
            bytes: Vec::new(),
        };
        Writer::new(self.to_string(), self.format, sink)
    }
}

impl fmt::Display for MemoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for MemoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryTarget").field(&self.name).finish()
    }
}

struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct MemorySink {
    store: MemoryStore,
    name: Arc<str>,
    bytes: Vec<u8>,
}

impl Write for MemorySink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for MemorySink {
    fn commit(self: Box<Self>) -> io::Result<()> {
        let Self { store, name, bytes } = *self;
        store.contents_mut().insert(name, Arc::new(bytes));
        Ok(())
    }
}
