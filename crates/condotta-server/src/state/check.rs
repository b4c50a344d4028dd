//! Looks a state directory over without changing it, and repairs one that is damaged.
//!
//! A repair never deletes what was damaged: all files of before are kept under `damaged/`. What
//! could be read of them becomes a snapshot, with a new journal after it.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use condotta_scheduler::{Record, Status};

use super::{
    error::{Damage, StateError, Tried as _},
    export,
    files::{self, DAMAGED, Listing},
    lock::Lock,
    read::{self, Cut, OnDamage, Reading, StateFile},
};

/// What a state directory holds, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// The files in the order in which they were read, with their sizes and transactions.
    pub files: Vec<StateFile>,
    /// How many tasks there are of each status.
    pub tasks: BTreeMap<Status, usize>,
    /// Tasks of which a part is missing, which only damage explains. They are lost.
    pub lost_tasks: Vec<String>,
    /// What a start would cut off the end of the journal, and keep; that stops no start.
    pub cut: Option<Cut>,
    /// What is not as it was written. A directory without damage opens.
    pub damages: Vec<Damage>,
}

impl CheckReport {
    fn of(reading: &Reading) -> Self {
        let mut tasks = BTreeMap::new();
        let mut lost = reading.mentioned.clone();
        for record in reading.saved.records() {
            if let Record::Task(task) = record {
                let status = task.state.map_or(Status::Unknown, |state| state.status);
                *tasks.entry(status).or_default() += 1;
                lost.remove(&task.task_id);
            }
        }
        Self {
            files: reading.files.clone(),
            tasks,
            lost_tasks: lost.into_iter().collect(),
            cut: reading.torn.clone(),
            damages: reading.damages.clone(),
        }
    }

    /// Whether a scheduler starts with this directory.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            let StateFile {
                name,
                bytes,
                transactions,
                ..
            } = file;
            writeln!(f, "{name}: {bytes} bytes, {transactions} transactions")?;
        }
        let total: usize = self.tasks.values().sum();
        write!(f, "{total} tasks")?;
        for (index, (status, count)) in self.tasks.iter().enumerate() {
            let before = if index == 0 { ": " } else { ", " };
            write!(f, "{before}{count} {}", status.name())?;
        }
        writeln!(f)?;
        for id in &self.lost_tasks {
            writeln!(f, "lost, since only a part of it can be read: task {id}")?;
        }
        if let Some(cut) = &self.cut {
            writeln!(
                f,
                "{cut}; the next start cuts it off, and keeps it in {DAMAGED}/"
            )?;
        }
        for damage in &self.damages {
            writeln!(f, "damaged: {damage}")?;
        }
        f.write_str(if self.is_sound() {
            "no damage"
        } else {
            "the directory is damaged"
        })
    }
}

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// What was found. Its damages are what was lost.
    pub found: CheckReport,
    /// Where the files of before are kept; `None` when there was nothing to repair.
    pub kept_in: Option<PathBuf>,
}

impl fmt::Display for RepairReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(kept_in) = &self.kept_in else {
            return write!(f, "{}: nothing was changed", self.found);
        };
        writeln!(f, "{}", self.found)?;
        writeln!(
            f,
            "What stood at the damaged places is lost, except for the transactions counted above. \
             A task whose last changes are lost is as it was before them."
        )?;
        write!(
            f,
            "repaired; the files of before are in {}",
            kept_in.display()
        )
    }
}

/// Looks a directory over that no scheduler uses. Nothing in it changes.
///
/// # Errors
///
/// When there is no state, a scheduler uses it, a later version wrote it, or the system refuses.
pub fn check(path: &Path) -> Result<CheckReport, StateError> {
    read::list(path)?;
    let _lock = Lock::share(path)?;
    let listing = read::list(path)?;
    look(path, &listing).map(|reading| CheckReport::of(&reading))
}

fn look(path: &Path, listing: &Listing) -> Result<Reading, StateError> {
    if !listing.has_state() {
        return Err(StateError::Absent(path.to_owned()));
    }
    read::read(path, listing, OnDamage::GoOn)
}

/// Makes a damaged directory one that opens: with all that can be read, and the files of before
/// set aside. A sound directory stays as it is.
///
/// # Errors
///
/// As [`check`]; the directory then is as it was, but for copies under `damaged/`.
pub fn repair(path: &Path) -> Result<RepairReport, StateError> {
    read::list(path)?;
    let lock = Lock::take(path)?;
    let listing = read::list(path)?;
    let reading = look(path, &listing)?;
    let found = CheckReport::of(&reading);
    if found.is_sound() {
        return Ok(RepairReport {
            found,
            kept_in: None,
        });
    }
    let kept_in = set_aside(path, &listing)?;
    let journals = listing.journals.keys();
    let last = journals.chain(listing.snapshots.keys()).max().copied();
    let number = last.unwrap_or(1).saturating_add(1);
    let records = reading.saved.records();
    export::write_state(path, number, lock, reading.now, records)?;
    Ok(RepairReport {
        found,
        kept_in: Some(kept_in),
    })
}

/// Gives the files a second place before their first one goes.
fn set_aside(path: &Path, listing: &Listing) -> Result<PathBuf, StateError> {
    let all = path.join(DAMAGED);
    files::make_directory(&all)?;
    let mut number = 1;
    while all.join(number.to_string()).exists() {
        number += 1;
    }
    let place = all.join(number.to_string());
    files::make_directory(&place)?;
    for file in listing.snapshots.values().chain(listing.journals.values()) {
        let second = place.join(file.file_name().expect("it was listed by name"));
        // Where the file system has no links, a copy does as well.
        if fs::hard_link(file, &second).is_err() {
            fs::copy(file, &second).tried("copy a file to", &second)?;
        }
    }
    files::sync_directory(&place)?;
    Ok(place)
}
