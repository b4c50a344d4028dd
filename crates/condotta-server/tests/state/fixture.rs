//! State directories that earlier versions wrote open to what they held.
//!
//! `fixtures/state-v1` is such a directory, and `fixtures/state-v1.jsonl` what it exports. They are
//! never written anew for a format that was released: a later format gets a directory of its own,
//! made by this test with `CONDOTTA_WRITE_FIXTURES=1` in its environment.

use std::{env, fs, path::PathBuf};

use condotta_scheduler::{Record, Status};
use condotta_server::state::{self, StateDir};

use crate::sample::{bare, copy, every_kind, exported, frame, plain_state, task, worker};

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name]
        .iter()
        .collect()
}

#[test]
fn format_1_opens_to_what_was_written() {
    if env::var_os("CONDOTTA_WRITE_FIXTURES").is_some() {
        write();
    }
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    copy(&fixture("state-v1"), &path);
    let expected = fs::read_to_string(fixture("state-v1.jsonl")).expect("read");
    assert_eq!(exported(&path), expected);
    let opened = StateDir::open(&path).expect("it opens");
    let cut = opened.report.cut.expect("its end was cut off");
    assert_eq!((cut.file.as_str(), cut.bytes), ("journal-3.log", 20));
    assert_eq!(opened.monotonic.0, 5.0);
    // And an export of then is an import of now.
    let other = home.path().join("other");
    state::import(&other, &mut expected.as_bytes()).expect("imported");
    assert_eq!(exported(&other), expected);
}

/// Tasks of all statuses in a snapshot and two segments, and the start of an unfinished write.
fn write() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    let tasks = Status::ALL.map(|status| {
        let mut task = task(&format!("Report_{}", status.name()));
        task.state = Some(plain_state(status));
        Record::Task(task)
    });
    snapshot.write(&frame(1.0, &tasks)).expect("written");
    snapshot
        .write(&frame(2.0, &[Record::Worker(worker())]))
        .expect("written");
    snapshot.finish().expect("finished");
    let mut done = bare("Report_PENDING");
    done.state = Some(plain_state(Status::Done));
    let some = [
        Record::Task(done),
        Record::TaskRemoved("Report_UNKNOWN".to_owned()),
    ];
    opened.writer.write(&frame(3.0, &some)).expect("written");
    drop(opened.writer.begin_snapshot().expect("begun"));
    opened
        .writer
        .write(&frame(5.0, &every_kind()))
        .expect("written");
    drop(opened);
    let journal = path.join("journal-3.log");
    let mut bytes = fs::read(&journal).expect("read");
    let start = bytes
        .windows(4)
        .rposition(|window| window == b"cdtT")
        .expect("a block");
    bytes.extend_from_within(start..start + 20);
    fs::write(&journal, bytes).expect("written");
    fs::remove_file(path.join("lock")).expect("removed");
    copy(&path, &fixture("state-v1"));
    fs::write(fixture("state-v1.jsonl"), exported(&path)).expect("written");
}
