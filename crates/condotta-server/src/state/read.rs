//! Reads a state directory: the newest snapshot, then the journal's segments in order.
//!
//! Only the last segment may end in a bad block, unless it was closed: a write that was cut short.
//! Everything else that is not as it was written is damage. To start, the first
//! damage ends the reading; to check and to repair, reading goes on behind it.

use std::{
    collections::BTreeSet,
    fmt, io,
    ops::Bound,
    path::{Path, PathBuf},
};

use condotta_scheduler::{Now, Record, SavedState, Timestamp};

use super::{
    error::{Damage, StateError, Tried as _},
    files::{self, FORMAT, FORMAT_FILE, Listing, Role},
    frame::{self, BadFrame},
    read_file::FileReader,
};

/// What becomes of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDamage {
    /// It is an error.
    Stop,
    /// It is noted, and what can be read around it is.
    GoOn,
}

/// What was read of a directory.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) saved: SavedState,
    /// The latest time of a transaction, on each clock.
    pub(super) now: Now,
    pub(super) files: Vec<StateFile>,
    pub(super) damages: Vec<Damage>,
    /// Tasks that records were about and that are not removed. Only kept while reading goes on
    /// behind damage: those of them that did not come together from their parts are lost.
    pub(super) mentioned: BTreeSet<String>,
    /// The end of the last segment that was cut off, or is to be.
    pub(super) torn: Option<Cut>,
    /// What the last segment is, when there is one.
    pub(super) last: Option<Segment>,
    on_damage: OnDamage,
    directory: PathBuf,
}

/// A file of a state directory, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The transactions that could be read.
    pub transactions: u64,
    /// Whether it is a snapshot; else it is a segment of the journal.
    pub is_snapshot: bool,
}

/// A bad end of the journal: what a write that was not finished left, as far as one can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The name of the file.
    pub file: String,
    /// Where it is cut.
    pub offset: u64,
    /// How many bytes are behind that.
    pub bytes: u64,
    /// Whether the write cannot have come to its end, so that nobody was told that it had
    /// succeeded. Otherwise it may have been whole and damaged later.
    pub is_unfinished: bool,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            bytes,
            is_unfinished,
        } = self;
        write!(
            f,
            "the last {bytes} bytes of {file} (from byte {offset} on) "
        )?;
        f.write_str(if *is_unfinished {
            "are a write that was not finished; nobody was told that it had succeeded"
        } else {
            "are a write whose checksum does not fit: the machine stopped before all of it was on \
             the disk, or it was damaged later; somebody may have been told that it had succeeded"
        })
    }
}

/// The segment that the journal goes on in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Its length without a torn end.
    pub(super) length: u64,
}

/// Reads all that `listing` found in `directory`.
pub(super) fn read(
    directory: &Path,
    listing: &Listing,
    on_damage: OnDamage,
) -> Result<Reading, StateError> {
    let newest = listing.snapshots.keys().next_back().copied();
    let reading = read_from(directory, listing, on_damage, newest)?;
    let newest = newest.map(|newest| (newest, Role::Snapshot.file_name(newest)));
    let is_bad = |name: &String| reading.damages.iter().any(|damage| damage.file == *name);
    let Some((newest, name)) = newest.filter(|(_, name)| is_bad(name)) else {
        return Ok(reading);
    };
    let Some(earlier) = earlier_base(listing, newest) else {
        return Ok(reading);
    };
    // What the damaged snapshot replaced was not removed, so it is not needed.
    let damages = reading.damages.into_iter();
    let damages = damages
        .filter(|damage| damage.file == name)
        .collect::<Vec<_>>();
    let mut reading = read_from(directory, listing, on_damage, earlier)?;
    reading.damages.splice(0..0, damages);
    Ok(reading)
}

/// Reads a snapshot and the segments from it on, or all segments.
fn read_from(
    directory: &Path,
    listing: &Listing,
    on_damage: OnDamage,
    snapshot: Option<u64>,
) -> Result<Reading, StateError> {
    let mut reading = Reading::new(directory, on_damage);
    reading.check_format(listing)?;
    if let Some(number) = snapshot {
        let path = &listing.snapshots[&number];
        FileReader::new(&mut reading, path, Role::Snapshot, number)?.read()?;
    }
    reading.read_journal(listing, snapshot.unwrap_or(1))?;
    Ok(reading)
}

/// From where the journal can be replayed without a gap, other than from this snapshot.
fn earlier_base(listing: &Listing, snapshot: u64) -> Option<Option<u64>> {
    let snapshots = listing.snapshots.range(..snapshot).rev();
    let mut bases = snapshots.map(|(&number, _)| Some(number)).chain([None]);
    bases.find(|base| {
        let mut numbers = base.unwrap_or(1)..=snapshot;
        numbers.all(|number| listing.journals.contains_key(&number))
    })
}

impl Reading {
    fn new(directory: &Path, on_damage: OnDamage) -> Self {
        Self {
            saved: SavedState::default(),
            now: Now {
                monotonic: Timestamp(0.0),
                wall: Timestamp(0.0),
            },
            files: Vec::new(),
            damages: Vec::new(),
            mentioned: BTreeSet::new(),
            torn: None,
            last: None,
            on_damage,
            directory: directory.to_owned(),
        }
    }

    pub(super) fn transactions(&self) -> u64 {
        self.files.iter().map(|file| file.transactions).sum()
    }

    fn check_format(&mut self, listing: &Listing) -> Result<(), StateError> {
        if !listing.has_format {
            return Ok(());
        }
        let path = self.directory.join(FORMAT_FILE);
        match files::read_format(&self.directory).tried("read", &path)? {
            Some(FORMAT) => Ok(()),
            Some(found) if found > FORMAT => Err(newer(path, found)),
            _ => self.damage(
                FORMAT_FILE,
                0,
                "does not say which format the directory has",
            ),
        }
    }

    fn read_journal(&mut self, listing: &Listing, first: u64) -> Result<(), StateError> {
        let Some((&last, _)) = listing.journals.last_key_value() else {
            return self.missing(first);
        };
        if last < first {
            return self.missing(first);
        }
        let mut expected = first;
        let mut previous: Option<(u64, u64)> = None;
        for (&number, path) in listing
            .journals
            .range((Bound::Included(first), Bound::Unbounded))
        {
            if number > expected {
                self.missing(expected)?;
            }
            let mut file = FileReader::new(self, path, Role::Journal, number)?;
            file.may_be_torn = number == last;
            let (length, previous_bytes) = file.read()?;
            if let (Some((before, read)), Some(written)) = (previous, previous_bytes)
                && before.saturating_add(1) == number
                && read != written
            {
                let name = Role::Journal.file_name(before);
                let what = format!("the file ends here; {written} bytes were written to it");
                self.damage(&name, read, &what)?;
            }
            previous = Some((number, length));
            expected = number.saturating_add(1);
            self.last = Some(Segment { number, length });
        }
        Ok(())
    }

    fn missing(&mut self, number: u64) -> Result<(), StateError> {
        self.damage(&Role::Journal.file_name(number), 0, "the file is missing")
    }

    pub(super) fn damage(&mut self, file: &str, offset: u64, what: &str) -> Result<(), StateError> {
        let damage = Damage {
            file: file.to_owned(),
            offset,
            what: what.to_owned(),
        };
        if self.on_damage == OnDamage::Stop {
            return Err(StateError::Damaged {
                path: self.directory.clone(),
                damage,
                intact: self.intact(),
            });
        }
        self.damages.push(damage);
        Ok(())
    }

    fn intact(&self) -> String {
        let transactions = self.transactions();
        if transactions == 0 {
            return "nothing".to_owned();
        }
        let tasks = self.saved.task_count();
        let names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        format!(
            "{transactions} transactions with {tasks} tasks, in {}",
            names.join(", ")
        )
    }

    /// Applies the first transaction in `bytes`, which are of the file that was listed last.
    pub(super) fn apply(&mut self, bytes: &mut &[u8]) -> Result<(), BadFrame> {
        let now = frame::decode(bytes, &mut |record| {
            if self.on_damage == OnDamage::GoOn {
                self.mention(&record);
            }
            self.saved.apply(record);
        })?;
        self.now.monotonic = self.now.monotonic.max(now.monotonic);
        self.now.wall = self.now.wall.max(now.wall);
        if let Some(file) = self.files.last_mut() {
            file.transactions += 1;
        }
        Ok(())
    }

    fn mention(&mut self, record: &Record) {
        match record {
            Record::Task(task) => drop(self.mentioned.insert(task.task_id.clone())),
            Record::TaskRemoved(id) => drop(self.mentioned.remove(id)),
            _ => {}
        }
    }
}

pub(super) fn newer(path: PathBuf, found: u32) -> StateError {
    StateError::Newer {
        path,
        found,
        known: FORMAT,
    }
}

/// Looks at a directory that is to be there already.
pub(super) fn list(directory: &Path) -> Result<Listing, StateError> {
    match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(StateError::NotADirectory(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StateError::Absent(directory.to_owned()));
        }
        Err(error) => return Err(error).tried("look at", directory),
    }
    let listing = Listing::of(directory).tried("list", directory)?;
    match listing.other {
        Some(entry) if !listing.has_state() => Err(StateError::Foreign {
            path: directory.to_owned(),
            entry,
        }),
        _ => Ok(listing),
    }
}
