//! The state as JSON lines: the first says what it is, each of the others is one record.

use std::{
    io::{BufRead, Write},
    path::Path,
};

use condotta_scheduler::{Now, Record, SavedState, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    error::StateError,
    files::{self, FORMAT, Header, Role},
    frame,
    lock::Lock,
    read::{self, OnDamage},
    record_json::{RecordOwned, RecordRef},
    snapshot::SnapshotWriter,
    value_json::number,
};

/// How many records of an import stand in one transaction.
const RECORDS_AT_ONCE: usize = 1000;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    condotta: Export,
    format: u32,
    /// The latest time on the scheduler's monotonic clock, and on the wall.
    #[serde(with = "number")]
    at: f64,
    #[serde(with = "number")]
    wall: f64,
}

#[derive(Serialize, Deserialize)]
enum Export {
    #[serde(rename = "export")]
    Export,
}

/// Writes the state in a directory that no scheduler uses. Nothing in the directory changes.
///
/// # Errors
///
/// When the directory cannot be read, or `out` cannot be written.
pub fn export(path: &Path, out: &mut dyn Write) -> Result<(), StateError> {
    let listing = read::list(path)?;
    let _lock = Lock::share(path)?;
    if !listing.has_state() {
        return Err(StateError::Absent(path.to_owned()));
    }
    let reading = read::read(path, &read::list(path)?, OnDamage::Stop)?;
    write_export(reading.now, reading.saved.records(), out)
}

/// Writes records as an export: what [`read_export`] and [`import`] read.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_export(
    now: Now,
    records: impl IntoIterator<Item = Record>,
    out: &mut dyn Write,
) -> Result<(), StateError> {
    let head = Head {
        condotta: Export::Export,
        format: FORMAT,
        at: now.monotonic.0,
        wall: now.wall.0,
    };
    write_line(out, &head)?;
    for record in records {
        write_line(out, &RecordRef(&record))?;
    }
    out.flush().map_err(StateError::Export)
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> Result<(), StateError> {
    let mut line = serde_json::to_vec(value).expect("records are plain text");
    line.push(b'\n');
    out.write_all(&line).map_err(StateError::Export)
}

/// Makes a state directory from what [`export`] wrote; how many tasks it has. The whole input is
/// read before anything is made.
///
/// # Errors
///
/// When the directory holds anything, or a line of the input is wrong.
pub fn import(path: &Path, input: &mut dyn BufRead) -> Result<usize, StateError> {
    let (now, saved) = read_export(input)?;
    import_records(path, now, saved.records())?;
    Ok(saved.task_count())
}

/// Reads what [`export`] or [`write_export`] wrote, and the time at which it was so.
///
/// # Errors
///
/// When a line of the input is wrong.
pub fn read_export(input: &mut dyn BufRead) -> Result<(Now, SavedState), StateError> {
    let mut saved = SavedState::default();
    let mut now = None;
    for (index, line) in input.lines().enumerate() {
        let bad = |reason: String| StateError::BadImport {
            line: index + 1,
            reason,
        };
        let line = line.map_err(|error| bad(error.to_string()))?;
        if now.is_none() {
            now = Some(read_head(&line).map_err(bad)?);
        } else if !line.trim().is_empty() {
            let record = serde_json::from_str::<RecordOwned>(&line);
            saved.apply(record.map_err(|error| bad(error.to_string()))?.0);
        }
    }
    let now = now.ok_or_else(|| StateError::BadImport {
        line: 1,
        reason: "there is no line".to_owned(),
    })?;
    Ok((now, saved))
}

fn read_head(line: &str) -> Result<Now, String> {
    let head: Head = serde_json::from_str(line)
        .map_err(|error| format!("this does not start as an export of condotta does: {error}"))?;
    if head.format > FORMAT {
        return Err(format!(
            "it was written by a newer condotta (format {}; this one knows up to {FORMAT})",
            head.format
        ));
    }
    Ok(Now {
        monotonic: Timestamp(head.at),
        wall: Timestamp(head.wall),
    })
}

/// Makes a state directory with these records.
///
/// # Errors
///
/// When the directory holds anything, or the system refuses.
pub fn import_records(
    path: &Path,
    now: Now,
    records: impl IntoIterator<Item = Record>,
) -> Result<(), StateError> {
    files::make_directory(path)?;
    if read::list(path)?.has_state() {
        return Err(StateError::NotEmpty(path.to_owned()));
    }
    let lock = Lock::take(path)?;
    if read::list(path)?.has_state() {
        return Err(StateError::NotEmpty(path.to_owned()));
    }
    write_state(path, 2, lock, now, records)
}

/// Writes a state as a snapshot of this number, which is greater than one.
///
/// Its journal comes first: alone, after a crash, it counts as damage and not as an empty state.
pub(super) fn write_state(
    path: &Path,
    number: u64,
    lock: Lock,
    now: Now,
    records: impl IntoIterator<Item = Record>,
) -> Result<(), StateError> {
    let header = Header::new(Role::Journal, number, None).block();
    files::put(&path.join(Role::Journal.file_name(number)), &header)?;
    let mut snapshot = SnapshotWriter::start(path, number, lock.into())?;
    let mut frames = Vec::new();
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let some: Vec<Record> = records.by_ref().take(RECORDS_AT_ONCE).collect();
        frames.clear();
        frame::encode(now, &some, &mut frames);
        snapshot.write(&frames)?;
    }
    files::write_format(path)?;
    snapshot.finish()
}
