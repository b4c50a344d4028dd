//! Reads a state directory: the newest snapshot, then the journal's segments in order.
//!
//! Only the last segment may end within a block: a write that was cut short, which nobody was told
//! had succeeded. Everything else that is not as it was written is damage. To start, the first
//! damage ends the reading; to check and to repair, reading goes on behind it.

use std::{
    collections::BTreeSet,
    fmt, io,
    ops::Bound,
    path::{Path, PathBuf},
};

use condotta_scheduler::{Now, Record, SavedState, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    block::{self, Blocks, Kind, Next},
    error::{Damage, StateError, Tried as _},
    files::{self, FORMAT, FORMAT_FILE, Header, Listing, Role},
    frame,
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

/// What a write that was not finished left at the end of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The name of the file.
    pub file: String,
    /// Where it is cut.
    pub offset: u64,
    /// How many bytes are behind that.
    pub bytes: u64,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            bytes,
        } = self;
        write!(
            f,
            "the last {bytes} bytes of {file} (from byte {offset} on) are a write that was not \
             finished; nobody was told that it had succeeded"
        )
    }
}

/// The segment that the journal goes on in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Its length without a torn end.
    pub(super) length: u64,
}

/// The content of a snapshot's last block.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SnapshotEnd {
    /// How many blocks stand between the first and the last.
    pub(super) blocks: u64,
}

/// Reads all that `listing` found in `directory`.
pub(super) fn read(
    directory: &Path,
    listing: &Listing,
    on_damage: OnDamage,
) -> Result<Reading, StateError> {
    let mut reading = Reading::new(directory, on_damage);
    reading.check_format(listing)?;
    let first = reading.read_snapshot(listing)?;
    reading.read_journal(listing, first)?;
    Ok(reading)
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

    /// Reads the newest snapshot; the number of the first segment after it.
    fn read_snapshot(&mut self, listing: &Listing) -> Result<u64, StateError> {
        let Some((&number, path)) = listing.snapshots.last_key_value() else {
            return Ok(1);
        };
        let mut file = StateFileer::new(self, path, Role::Snapshot, number, false)?;
        file.read()?;
        if self.damages.is_empty() {
            return Ok(number);
        }
        // What the damaged one stands for may still be there.
        for (&number, path) in listing.snapshots.range(..number) {
            StateFileer::new(self, path, Role::Snapshot, number, false)?.read()?;
        }
        Ok(number)
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
            let mut file = StateFileer::new(self, path, Role::Journal, number, number == last)?;
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

    fn damage(&mut self, file: &str, offset: u64, what: &str) -> Result<(), StateError> {
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

    fn apply(&mut self, transaction: frame::Transaction) {
        self.now.monotonic = self.now.monotonic.max(transaction.at.monotonic);
        self.now.wall = self.now.wall.max(transaction.at.wall);
        for record in transaction.records {
            if self.on_damage == OnDamage::GoOn {
                self.mention(&record);
            }
            self.saved.apply(record);
        }
        if let Some(file) = self.files.last_mut() {
            file.transactions += 1;
        }
    }
}

impl Reading {
    fn mention(&mut self, record: &Record) {
        match record {
            Record::Task(task) => drop(self.mentioned.insert(task.task_id.clone())),
            Record::TaskRemoved(id) => drop(self.mentioned.remove(id)),
            _ => {}
        }
    }
}

fn newer(path: PathBuf, found: u32) -> StateError {
    StateError::Newer {
        path,
        found,
        known: FORMAT,
    }
}

/// Reads one file.
struct StateFileer<'a> {
    reading: &'a mut Reading,
    path: &'a Path,
    role: Role,
    number: u64,
    /// Whether its end may be an unfinished write.
    may_be_torn: bool,
    name: String,
    blocks: Blocks,
    header: Option<Header>,
    /// Blocks of transactions so far.
    count: u64,
    has_ended: bool,
}

impl<'a> StateFileer<'a> {
    fn new(
        reading: &'a mut Reading,
        path: &'a Path,
        role: Role,
        number: u64,
        may_be_torn: bool,
    ) -> Result<Self, StateError> {
        let blocks = Blocks::open(path).tried("read", path)?;
        let name = role.file_name(number);
        reading.files.push(StateFile {
            name: name.clone(),
            bytes: blocks.length(),
            transactions: 0,
            is_snapshot: role == Role::Snapshot,
        });
        Ok(Self {
            reading,
            path,
            role,
            number,
            may_be_torn,
            name,
            blocks,
            header: None,
            count: 0,
            has_ended: false,
        })
    }

    /// Reads the whole file. Its length without a torn end, and what its header says of the file
    /// before.
    fn read(&mut self) -> Result<(u64, Option<u64>), StateError> {
        while self.step()? {}
        let length = match &self.reading.torn {
            Some(torn) if torn.file == self.name => torn.offset,
            _ => self.blocks.length(),
        };
        if self.header.is_none() && self.reading.damages.is_empty() {
            self.damage(0, "the file is empty")?;
        }
        if self.role == Role::Snapshot && !self.has_ended {
            self.damage(length, "the snapshot has no end")?;
        }
        let previous_bytes = self
            .header
            .as_ref()
            .and_then(|header| header.previous_bytes);
        Ok((length, previous_bytes))
    }

    /// Reads one block; whether there may be more.
    fn step(&mut self) -> Result<bool, StateError> {
        let (kind, at, content) = match self.blocks.next().tried("read", self.path)? {
            Next::End => return Ok(false),
            Next::Bad { at, why } => return self.pass_over(at, &why.to_string()),
            Next::Block {
                kind,
                content_at,
                content,
            } => (kind, content_at, content),
        };
        match kind {
            Kind::Header if self.header.is_none() && self.count == 0 => {
                self.read_header(&content)?
            }
            Kind::Transactions if !self.has_ended => {
                self.count += 1;
                self.read_transactions(at, &content)?;
            }
            Kind::End if self.role == Role::Snapshot && !self.has_ended => {
                self.read_end(at, &content)?;
            }
            _ => self.damage(at, "a block that does not belong here")?,
        }
        self.blocks.reuse(content);
        Ok(true)
    }

    fn read_header(&mut self, content: &[u8]) -> Result<(), StateError> {
        let header: Header = match serde_json::from_slice(content) {
            Ok(header) => header,
            Err(error) => return self.damage(0, &format!("its header is not understood: {error}")),
        };
        if header.format > FORMAT {
            return Err(newer(self.path.to_owned(), header.format));
        }
        if header.condotta != self.role || header.number != self.number {
            let really = header.condotta.file_name(header.number);
            self.damage(0, &format!("the file is really {really}"))?;
        }
        self.header = Some(header);
        Ok(())
    }

    fn read_end(&mut self, at: u64, content: &[u8]) -> Result<(), StateError> {
        self.has_ended = true;
        match serde_json::from_slice::<SnapshotEnd>(content) {
            Ok(end) if end.blocks == self.count => Ok(()),
            Ok(end) => {
                let what = format!("{} blocks of {} are here", self.count, end.blocks);
                self.damage(at, &what)
            }
            Err(error) => self.damage(at, &format!("its end is not understood: {error}")),
        }
    }

    fn read_transactions(&mut self, at: u64, content: &[u8]) -> Result<(), StateError> {
        if self.header.is_none() {
            self.damage(0, "the file has no header")?;
        }
        let mut rest = content;
        while !rest.is_empty() {
            let offset = at + (content.len() - rest.len()) as u64;
            match frame::decode(&mut rest) {
                Ok(transaction) => self.reading.apply(transaction),
                Err(why) => {
                    self.damage(offset, &why.to_string())?;
                    if !matches!(why, frame::BadFrame::Text(_)) {
                        self.salvage(rest);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Deals with what is no block: an unfinished write, or damage, which reading goes on behind.
    fn pass_over(&mut self, at: u64, why: &str) -> Result<bool, StateError> {
        let rest = self.blocks.rest(at).tried("read", self.path)?;
        let next = block::find(&rest);
        if next.is_none() && self.may_be_torn && self.header.is_some() {
            self.reading.torn = Some(Cut {
                file: self.name.clone(),
                offset: at,
                bytes: rest.len() as u64,
            });
            return Ok(false);
        }
        self.damage(at, why)?;
        self.salvage(&rest[..next.unwrap_or(rest.len())]);
        let Some(next) = next else {
            return Ok(false);
        };
        let next = self.blocks.go_to(at + next as u64);
        next.tried("read", self.path)?;
        Ok(true)
    }

    /// Takes the whole transactions out of a damaged stretch.
    fn salvage(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match frame::decode(&mut bytes) {
                Ok(transaction) => self.reading.apply(transaction),
                Err(frame::BadFrame::Text(_)) => {}
                Err(_) => bytes = &bytes[1..],
            }
        }
    }

    fn damage(&mut self, offset: u64, what: &str) -> Result<(), StateError> {
        self.reading.damage(&self.name, offset, what)
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
