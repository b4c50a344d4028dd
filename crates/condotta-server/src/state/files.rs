//! The files of a state directory: their names and headers, and how they come and go so that a
//! crash at any point leaves a directory that can be opened.
//!
//! `journal-<n>.log` are the journal's segments; `snapshot-<n>.state` stands for everything before
//! segment `n`. A file gets its name only when it is whole and on the disk; until then it ends in
//! `.tmp`, and the next start removes it.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    block::{self, Kind},
    error::{StateError, Tried as _},
};
use crate::{access, audit};

/// The newest format that this version reads, and the one that it writes.
pub(super) const FORMAT: u32 = 1;

/// The file that says which format a directory has. It is written last, so that a directory that
/// has it has had a journal.
pub(super) const FORMAT_FILE: &str = "format";

/// The file that is locked while a directory is in use.
pub(super) const LOCK_FILE: &str = "lock";

/// Where repairs put what they set aside, and starts what they cut off.
pub(super) const DAMAGED: &str = "damaged";

/// What else may be in a directory.
const NEIGHBOURS: [&str; 9] = [
    LOCK_FILE,
    DAMAGED,
    "lost+found",
    crate::logs::FOLDER,
    access::TOKENS_FILE,
    access::TEMPORARY_FILE,
    access::LOCK_FILE,
    audit::NEWER,
    audit::OLDER,
];

const FORMAT_TEXT: &str = "condotta state, format ";

/// The first block of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// What the file is.
    pub(super) condotta: Role,
    pub(super) format: u32,
    /// The number in the file's name.
    pub(super) number: u64,
    /// The length of the segment before this one when it was left, so that what its end lost shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_bytes: Option<u64>,
}

/// The two kinds of files with blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Journal,
    Snapshot,
}

impl Role {
    /// The name of a file.
    pub(super) fn file_name(self, number: u64) -> String {
        match self {
            Self::Journal => format!("journal-{number}.log"),
            Self::Snapshot => format!("snapshot-{number}.state"),
        }
    }
}

impl Header {
    pub(super) fn new(condotta: Role, number: u64, previous_bytes: Option<u64>) -> Self {
        Self {
            condotta,
            format: FORMAT,
            number,
            previous_bytes,
        }
    }

    /// The block of it.
    pub(super) fn block(&self) -> Vec<u8> {
        let text = serde_json::to_vec(self).expect("a header is plain text");
        let mut block = Vec::new();
        block::append(Kind::Header, &text, &mut block).expect("a header is short");
        block
    }
}

/// What a directory holds, by names.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) journals: BTreeMap<u64, PathBuf>,
    pub(super) snapshots: BTreeMap<u64, PathBuf>,
    /// Files that never became whole.
    pub(super) temporary: Vec<PathBuf>,
    pub(super) has_format: bool,
    /// Something that no state directory holds.
    pub(super) other: Option<String>,
}

impl Listing {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            listing.add(&entry.file_name(), entry.path());
        }
        Ok(listing)
    }

    fn add(&mut self, name: &OsStr, path: PathBuf) {
        let name = name.to_string_lossy();
        if let Some(number) = number(&name, "journal-", ".log") {
            self.journals.insert(number, path);
        } else if let Some(number) = number(&name, "snapshot-", ".state") {
            self.snapshots.insert(number, path);
        } else if is_temporary(&name) {
            self.temporary.push(path);
        } else if name == FORMAT_FILE {
            self.has_format = true;
        } else if !NEIGHBOURS.contains(&&*name) {
            self.other = Some(name.into_owned());
        }
    }

    /// Whether there is a state, whole or not.
    pub(super) fn has_state(&self) -> bool {
        self.has_format || !self.journals.is_empty() || !self.snapshots.is_empty()
    }
}

fn number(name: &str, before: &str, after: &str) -> Option<u64> {
    let digits = name.strip_prefix(before)?.strip_suffix(after)?;
    let number = digits.parse().ok()?;
    (format!("{number}") == digits).then_some(number)
}

/// Only names that this version or another of this format gives: nobody else's files are removed.
fn is_temporary(name: &str) -> bool {
    name == "format.tmp"
        || number(name, "journal-", ".log.tmp").is_some()
        || number(name, "snapshot-", ".state.tmp").is_some()
}

/// Makes the directory if it is not there; only its owner may look inside.
pub(crate) fn make_directory(path: &Path) -> Result<(), StateError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => return Err(StateError::NotADirectory(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).tried("look at", path),
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).tried("create the directory", path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Gives a file to the directory's owner, also when root made it for a server that is somebody else.
pub(crate) fn owned_as(directory: &Path, path: &Path, file: File) -> io::Result<File> {
    let owner = fs::metadata(directory)?;
    let ours = file.metadata()?;
    if (ours.uid(), ours.gid()) != (owner.uid(), owner.gid()) && nix::unistd::geteuid().is_root() {
        chown(path, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(file)
}

/// Where a file is written until it is whole.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// Makes a new file, which only its owner may read: parameters and errors may tell secrets.
pub(super) fn create(path: &Path) -> Result<File, StateError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).tried("create", path)
}

/// Puts a file with this content in place, whole and on the disk. The file is open for more.
pub(super) fn put(path: &Path, content: &[u8]) -> Result<File, StateError> {
    let temporary = temporary(path);
    let mut file = create(&temporary)?;
    file.write_all(content).tried("write", &temporary)?;
    file.sync_all().tried("sync", &temporary)?;
    put_in_place(path)?;
    Ok(file)
}

/// Gives a whole file its name.
pub(super) fn put_in_place(path: &Path) -> Result<(), StateError> {
    fs::rename(temporary(path), path).tried("rename a file to", path)?;
    sync_directory(path.parent().expect("our files are in a directory"))
}

pub(super) fn sync_directory(path: &Path) -> Result<(), StateError> {
    let directory = File::open(path).tried("open", path)?;
    directory.sync_all().tried("sync", path)
}

/// Removes what the snapshot of this number made superfluous. What cannot be removed does no harm,
/// and is tried again at the next occasion.
pub(super) fn remove_before(path: &Path, snapshot: u64) {
    let result = Listing::of(path).and_then(|listing| {
        let journals = listing.journals.range(..snapshot);
        let mut old = listing.snapshots.range(..snapshot).chain(journals);
        old.try_for_each(|(_, file)| fs::remove_file(file))
    });
    if let Err(error) = result {
        tracing::warn!("cannot remove old files from {}: {error}", path.display());
    }
}

/// Writes which format the directory has.
pub(super) fn write_format(path: &Path) -> Result<(), StateError> {
    let text = format!("{FORMAT_TEXT}{FORMAT}\n");
    put(&path.join(FORMAT_FILE), text.as_bytes()).map(drop)
}

/// Reads which format the directory has; `None` when the file says nothing.
pub(super) fn read_format(path: &Path) -> io::Result<Option<u32>> {
    let bytes = fs::read(path.join(FORMAT_FILE))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.strip_suffix('\n');
    let digits = line.and_then(|line| line.strip_prefix(FORMAT_TEXT));
    Ok(digits.and_then(|digits| digits.parse().ok()))
}
