//! The file with what was done: a line of JSON for each entry, the newest last.
//!
//! When it is full, it takes the place of the one before, and a new one is begun; so what is kept is bounded.
//! Whoever appends has the directory locked: commands do so beside the server.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::Entry;
use crate::state::owned_as;

/// The file with the newest entries.
pub(crate) const NEWER: &str = "audit.jsonl";
/// The file with those before.
pub(crate) const OLDER: &str = "audit-older.jsonl";
/// So many bytes a file has at most.
const FULL: u64 = 16 << 20;
/// No line is longer, in bytes.
const LONGEST_LINE: u64 = 32 << 10;

/// The trail cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the audit trail: cannot {action} {}: {source}", path.display())]
pub struct TrailError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Which entries are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    /// Only those of this name.
    pub(crate) by: Option<String>,
    /// Only those with this operation.
    pub(crate) operation: Option<&'static str>,
    /// Only those on this.
    pub(crate) on: Option<String>,
    /// Only those from then on.
    pub(crate) since: Option<f64>,
    /// Only those before this one.
    pub(crate) before: Option<u64>,
}

impl Search {
    fn fits(&self, entry: &Entry) -> bool {
        self.by.as_ref().is_none_or(|by| *by == entry.by)
            && self.operation.is_none_or(|it| it == entry.operation)
            && self.on.as_ref().is_none_or(|on| is_on(entry, on))
            && self.since.is_none_or(|since| entry.at >= since)
    }
}

/// Whether an entry is about a thing, as far as it names what was done to many at once.
fn is_on(entry: &Entry, on: &str) -> bool {
    let tasks = entry.details.get("tasks").and_then(Value::as_array);
    let mut tasks = tasks.into_iter().flatten();
    entry.on.as_deref() == Some(on) || tasks.any(|task| task == on)
}

/// The trail of a state directory.
#[derive(Clone, Debug)]
pub struct Trail {
    directory: PathBuf,
    full: u64,
}

impl Trail {
    /// Of a directory that is there.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.to_owned(),
            full: FULL,
        }
    }

    /// Writes an entry to the disk, with the next number.
    pub(super) fn append(&self, mut entry: Entry) -> Result<(), TrailError> {
        let locked = File::open(&self.directory).and_then(|directory| {
            directory.lock()?;
            Ok(directory)
        });
        let directory = locked.map_err(|source| failed("lock", &self.directory, source))?;
        let path = self.directory.join(NEWER);
        let mut file = self.open(&path)?;
        let length = file
            .metadata()
            .map_err(|source| failed("look at", &path, source))?
            .len();
        let (last, is_whole) =
            last_of(&mut file, length).map_err(|source| failed("read", &path, source))?;
        let mut last = last;
        if length >= self.full {
            self.begin_anew(&path)?;
            file = self.open(&path)?;
        } else if length == 0 {
            last = self.last_of_older()?;
        }
        entry.id = last + 1;
        // What a crash cut off is no line.
        let mut line = if is_whole || length >= self.full {
            Vec::new()
        } else {
            vec![b'\n']
        };
        serde_json::to_writer(&mut line, &entry).expect("keys are text");
        line.push(b'\n');
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        written.map_err(|source| failed("write", &path, source))?;
        if length == 0 || length >= self.full {
            let synced = directory.sync_all();
            synced.map_err(|source| failed("store", &self.directory, source))?;
        }
        Ok(())
    }

    /// Entries that fit, newest first, up to so many.
    pub(crate) fn read(&self, search: &Search, most: usize) -> Result<Vec<Entry>, TrailError> {
        let mut found = Vec::new();
        let mut before = search.before.unwrap_or(u64::MAX);
        for name in [NEWER, OLDER] {
            let path = self.directory.join(name);
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(failed("read", &path, source)),
            };
            for line in text.rsplit(|&byte| byte == b'\n') {
                let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
                    continue;
                };
                // A file that was replaced meanwhile is come by twice.
                if entry.id >= before {
                    continue;
                }
                before = entry.id;
                if !search.fits(&entry) {
                    continue;
                }
                found.push(entry);
                if found.len() >= most {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// The newer file takes the place of the older one.
    fn begin_anew(&self, path: &Path) -> Result<(), TrailError> {
        let older = self.directory.join(OLDER);
        if older.exists() {
            tracing::info!(
                "the audit trail is full: its older half, {}, is dropped",
                older.display()
            );
        }
        fs::rename(path, &older).map_err(|source| failed("rename", path, source))
    }

    fn last_of_older(&self) -> Result<u64, TrailError> {
        let path = self.directory.join(OLDER);
        let read = File::open(&path).and_then(|mut file| {
            let length = file.metadata()?.len();
            last_of(&mut file, length)
        });
        match read {
            Ok((last, _)) => Ok(last),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(failed("read", &path, source)),
        }
    }

    fn open(&self, path: &Path) -> Result<File, TrailError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(path);
        let owned = file.and_then(|file| owned_as(&self.directory, path, file));
        owned.map_err(|source| failed("open", path, source))
    }
}

/// The number of the last entry, and whether the file ends with a whole line.
fn last_of(file: &mut File, length: u64) -> io::Result<(u64, bool)> {
    let from = length.saturating_sub(2 * LONGEST_LINE);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let is_whole = end.last().is_none_or(|&byte| byte == b'\n');
    let lines = end.rsplit(|&byte| byte == b'\n');
    let mut entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    Ok((entries.next().map_or(0, |entry| entry.id), is_whole))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> TrailError {
    TrailError {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;
    use crate::audit::{Deed, LetInBy, Operation};

    fn entry(by: &str, operation: Operation, on: &str) -> Entry {
        let deed = Deed::new(operation).on(on).with(json!({"limit": 3}));
        Entry::new(by, LetInBy::Token, deed)
    }

    fn names(entries: &[Entry]) -> Vec<&str> {
        let names = entries.iter().filter_map(|entry| entry.on.as_deref());
        names.collect()
    }

    #[test]
    fn the_newest_come_first_and_are_found_by_what_they_say() {
        let home = tempfile::tempdir().unwrap();
        let trail = Trail::of(home.path());
        assert_eq!(trail.read(&Search::default(), 10).unwrap(), []);
        for (by, operation, on) in [
            ("anna", Operation::Forgive, "A"),
            ("bob", Operation::SetLimit, "gpu"),
            ("anna", Operation::SetLimit, "db"),
        ] {
            trail.append(entry(by, operation, on)).unwrap();
        }
        let all = trail.read(&Search::default(), 10).unwrap();
        assert_eq!(names(&all), ["db", "gpu", "A"]);
        assert_eq!(all[0].details["limit"], 3);
        let ids: Vec<u64> = all.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [3, 2, 1]);
        let page = Search {
            before: Some(3),
            ..Search::default()
        };
        assert_eq!(names(&trail.read(&page, 1).unwrap()), ["gpu"]);
        let of_anna = Search {
            by: Some("anna".to_owned()),
            operation: Some("set_limit"),
            ..Search::default()
        };
        assert_eq!(names(&trail.read(&of_anna, 10).unwrap()), ["db"]);
        let mode = fs::metadata(home.path().join(NEWER))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_kept_is_bounded_and_numbers_go_on() {
        let home = tempfile::tempdir().unwrap();
        let full = 10_000;
        let trail = Trail {
            full,
            ..Trail::of(home.path())
        };
        for index in 0..500 {
            let on = format!("task-{index}");
            trail.append(entry("anna", Operation::Done, &on)).unwrap();
        }
        for name in [NEWER, OLDER] {
            let length = fs::metadata(home.path().join(name)).unwrap().len();
            assert!(length < full + LONGEST_LINE, "{length}");
        }
        let kept = trail.read(&Search::default(), 1000).unwrap();
        assert_eq!(kept[0].id, 500);
        assert!(kept.len() > 50 && kept.len() < 500, "{}", kept.len());
        let follow = |pair: &[Entry]| pair[0].id == pair[1].id + 1;
        assert!(kept.windows(2).all(follow));
    }

    #[test]
    fn a_line_that_a_crash_cut_off_spoils_no_other() {
        let home = tempfile::tempdir().unwrap();
        let trail = Trail::of(home.path());
        trail.append(entry("anna", Operation::Done, "A")).unwrap();
        let path = home.path().join(NEWER);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"id\": 2, \"at\": 17").unwrap();
        trail.append(entry("anna", Operation::Done, "B")).unwrap();
        let kept = trail.read(&Search::default(), 10).unwrap();
        assert_eq!(names(&kept), ["B", "A"]);
        assert_eq!(kept[0].id, 2);
    }

    #[test]
    fn commands_and_the_server_write_at_the_same_time() {
        let home = tempfile::tempdir().unwrap();
        let trail = Trail::of(home.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| trail.append(entry("anna", Operation::Done, "A")).unwrap());
            }
        });
        let kept = trail.read(&Search::default(), 100).unwrap();
        let ids: Vec<u64> = kept.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [8, 7, 6, 5, 4, 3, 2, 1]);
    }
}
