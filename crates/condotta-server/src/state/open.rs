//! Opens a state directory for a scheduler: makes it if need be, reads it, and cuts off a bad end,
//! which is kept beside it.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use condotta_scheduler::{SavedState, Timestamp};

use super::{
    error::{StateError, Tried as _},
    files::{self, DAMAGED, Header, Listing, Role},
    lock::Lock,
    read::{self, Cut, OnDamage, Reading, Segment},
    writer::{Start, Writer},
};

/// The state of a scheduler in one directory.
#[derive(Debug)]
pub struct StateDir;

/// A state that was read, and where it goes on.
#[derive(Debug)]
pub struct Opened {
    /// What there is.
    pub saved: SavedState,
    /// The greatest time on the monotonic clock that a transaction has. The clock goes on from it.
    pub monotonic: Timestamp,
    /// What was found.
    pub report: OpenReport,
    /// The end of the journal.
    pub writer: Writer,
}

/// What was found in a directory, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// Tasks that there are.
    pub tasks: usize,
    /// Transactions that were read, those of the snapshot included.
    pub transactions: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Files that were read.
    pub files: usize,
    /// Whether the directory is a new one.
    pub is_new: bool,
    /// What was cut off the journal.
    pub cut: Option<Cut>,
    /// The file in which that is kept.
    pub kept_in: Option<PathBuf>,
}

impl fmt::Display for OpenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_new {
            return f.write_str("a new state directory");
        }
        let Self {
            tasks,
            transactions,
            bytes,
            files,
            ..
        } = self;
        write!(
            f,
            "{tasks} tasks, from {transactions} transactions in {files} files of {bytes} bytes"
        )?;
        if let Some(cut) = &self.cut {
            write!(f, "; {cut}: cut off")?;
        }
        if let Some(kept_in) = &self.kept_in {
            write!(f, ", and kept in {}", kept_in.display())?;
        }
        Ok(())
    }
}

impl StateDir {
    /// Opens the state in a directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// When the directory cannot be used, is used by another process or is damaged. What it holds
    /// is then as it was.
    pub fn open(path: &Path) -> Result<Opened, StateError> {
        files::make_directory(path)?;
        read::list(path)?;
        let lock = Lock::take(path)?;
        // Only with the lock held does the list stay as it is.
        let listing = read::list(path)?;
        if listing.has_state() {
            Self::open_existing(path, &listing, lock)
        } else {
            remove_temporary(&listing);
            Self::open_new(path, lock)
        }
    }

    fn open_new(path: &Path, lock: Lock) -> Result<Opened, StateError> {
        let header = Header::new(Role::Journal, 1, None).block();
        let file = files::put(&path.join(Role::Journal.file_name(1)), &header)?;
        files::write_format(path)?;
        let length = header.len() as u64;
        Ok(Opened {
            saved: SavedState::default(),
            monotonic: Timestamp(0.0),
            report: OpenReport {
                tasks: 0,
                transactions: 0,
                bytes: 0,
                files: 0,
                is_new: true,
                cut: None,
                kept_in: None,
            },
            writer: Writer::new(Start {
                directory: path.to_owned(),
                lock,
                file,
                number: 1,
                length,
                bytes_since_snapshot: length,
            }),
        })
    }

    fn open_existing(path: &Path, listing: &Listing, lock: Lock) -> Result<Opened, StateError> {
        let reading = read::read(path, listing, OnDamage::Stop)?;
        let segment = reading
            .last
            .clone()
            .expect("without a segment, reading fails");
        let cut = reading.torn.as_ref();
        let kept_in = cut.map(|cut| keep(path, cut)).transpose()?.flatten();
        let file = open_segment(path, &segment)?;
        remove_temporary(listing);
        if !listing.has_format {
            files::write_format(path)?;
        }
        if let Some(&snapshot) = listing.snapshots.keys().last() {
            files::remove_before(path, snapshot);
        }
        let journals = reading.files.iter().filter(|file| !file.is_snapshot);
        Ok(Opened {
            monotonic: reading.now.monotonic,
            report: report(&reading, kept_in),
            writer: Writer::new(Start {
                directory: path.to_owned(),
                lock,
                file,
                number: segment.number,
                length: segment.length,
                bytes_since_snapshot: journals.map(|file| file.bytes).sum(),
            }),
            saved: reading.saved,
        })
    }
}

fn report(reading: &Reading, kept_in: Option<PathBuf>) -> OpenReport {
    OpenReport {
        tasks: reading.saved.task_count(),
        transactions: reading.transactions(),
        bytes: reading.files.iter().map(|file| file.bytes).sum(),
        files: reading.files.len(),
        is_new: false,
        cut: reading.torn.clone(),
        kept_in,
    }
}

/// Gives what is to be cut off a place of its own; `None` where there is no room for an unfinished
/// write, which nobody needs. An earlier one of the same place is replaced by such a one, so that
/// they do not fill a disk on which writing fails again and again.
fn keep(path: &Path, cut: &Cut) -> Result<Option<PathBuf>, StateError> {
    let bytes = fs::read(path.join(&cut.file)).tried("read", &path.join(&cut.file))?;
    let bytes = &bytes[bytes.len().min(cut.offset as usize)..];
    let place = path.join(DAMAGED);
    let end = if cut.is_unfinished { ".unfinished" } else { "" };
    let name = format!("{}.from-{}{end}", cut.file, cut.offset);
    let mut kept_in = place.join(&name);
    let mut number = 1;
    while !cut.is_unfinished && kept_in.exists() {
        number += 1;
        kept_in = place.join(format!("{name}.{number}"));
    }
    let kept = files::make_directory(&place).and_then(|()| files::put(&kept_in, bytes));
    match kept {
        Ok(_) => Ok(Some(kept_in)),
        Err(error) if cut.is_unfinished => {
            tracing::warn!("cannot keep what is cut off: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens the last segment where it goes on, without a bad end or the mark of a clean stop.
///
/// An earlier process may have ended before what it wrote was on the disk. It is part of the state
/// now, so it has to be there before anything is answered.
fn open_segment(path: &Path, segment: &Segment) -> Result<File, StateError> {
    let path = path.join(Role::Journal.file_name(segment.number));
    let file = OpenOptions::new().write(true).open(&path);
    let mut file = file.tried("open for writing", &path)?;
    file.set_len(segment.length).tried("cut", &path)?;
    file.sync_all().tried("sync", &path)?;
    file.seek(SeekFrom::Start(segment.length))
        .tried("write", &path)?;
    Ok(file)
}

/// Files that never became whole do no harm where they cannot be removed.
fn remove_temporary(listing: &Listing) {
    for file in &listing.temporary {
        if let Err(error) = fs::remove_file(file) {
            tracing::warn!("cannot remove {}: {error}", file.display());
        }
    }
}
