//! What every store can do. Targets and file systems are made of these; each backend brings one.

use std::{
    io::{self, Read},
    ops::Range,
};

use crate::{location::Location, read_write::Sink};

/// A stream of content.
pub(crate) type Content = Box<dyn Read + Send>;

/// Something that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stat {
    /// A file of this many bytes.
    File(u64),
    /// A folder, or what looks like one: a name that others begin with.
    Folder,
}

/// Which bytes of a file: from a byte on, up to (and without) another or to the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
}

impl Part {
    pub(crate) const ALL: Self = Self {
        start: 0,
        end: None,
    };
}

impl From<Range<u64>> for Part {
    fn from(range: Range<u64>) -> Self {
        Self {
            start: range.start,
            end: Some(range.end),
        }
    }
}

/// A store by the paths in it, which have no slash at either end. What is missing is `NotFound`.
pub(crate) trait Store: Send + Sync {
    /// What there is at a path.
    fn stat(&self, path: &str) -> io::Result<Stat>;

    /// Opens a file.
    fn read(&self, path: &str, part: Part) -> io::Result<Content>;

    /// Starts a file, which is there once it is committed, as a whole.
    fn write(&self, path: &str) -> io::Result<Box<dyn Sink>>;

    /// The paths of all files at any depth below a folder, in no order.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a folder and its parents; one that is there is fine.
    fn make_folder(&self, path: &str) -> io::Result<()>;

    /// Copies a file, replacing another.
    fn copy(&self, from: &str, to: &str) -> io::Result<()>;

    /// Moves a file, replacing another, or a folder.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file, or a folder with all that is in it.
    fn remove(&self, path: &str) -> io::Result<()>;
}

/// A kind of store, with its settings. Each has a [`RemoteFileSystem`](super::RemoteFileSystem) and
/// targets; for functions over all of them, it is a parameter.
pub trait Protocol: Clone + Default + Send + Sync + 'static {
    /// The schemes of its URLs; the first is the one to write.
    const SCHEMES: &'static [&'static str];

    /// The store that a place is in. It need not be there yet.
    #[doc(hidden)]
    fn connect(&self, location: &Location) -> io::Result<Connected>;
}

/// A store that somebody reached.
#[doc(hidden)]
pub struct Connected(pub(crate) Box<dyn Store>);

impl Connected {
    pub(crate) fn new(store: impl Store + 'static) -> Self {
        Self(Box::new(store))
    }
}
