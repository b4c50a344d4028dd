//! Files that are not as they were written: no start, a clear message, and a repair that keeps
//! what can be read.

use std::{fs, path::Path};

use condotta_scheduler::{Record, TaskState};
use condotta_server::state::{self, StateDir, StateError};

use crate::sample::{
    bare, copy, every_kind, exported, files, first_ids, frame, names, quick_home, small_task,
    task_frame, task_ids,
};

/// A directory with a snapshot and two segments: tasks 0 to 2 are in the snapshot, 3 and 4 in the
/// first segment, 5 and 6 in the second.
fn three_files(path: &Path) {
    let mut opened = StateDir::open(path).expect("a new one");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    snapshot.write(&task_frame(0)).expect("written");
    snapshot
        .write(&[task_frame(1), task_frame(2)].concat())
        .expect("written");
    snapshot.finish().expect("finished");
    opened.writer.write(&task_frame(3)).expect("written");
    opened.writer.write(&task_frame(4)).expect("written");
    drop(opened.writer.begin_snapshot().expect("begun"));
    opened.writer.write(&task_frame(5)).expect("written");
    opened.writer.write(&task_frame(6)).expect("written");
    drop(opened);
    let expected = [
        "format",
        "journal-2.log",
        "journal-3.log",
        "lock",
        "snapshot-2.state",
    ];
    assert_eq!(names(path), expected);
}

fn open_error(path: &Path) -> String {
    let before = contents(path);
    let error = StateDir::open(path).expect_err("damaged");
    assert!(matches!(error, StateError::Damaged { .. }), "{error}");
    assert_eq!(contents(path), before, "nothing was changed");
    error.to_string()
}

fn contents(path: &Path) -> Vec<(String, Vec<u8>)> {
    let named = names(path).into_iter().filter(|name| name != "lock");
    named
        .map(|name| (name.clone(), fs::read(path.join(name)).expect("read")))
        .collect()
}

/// Each bit of each file once, one at a time: the directory does not open, or it opens to what was
/// written, or (at the very end of the journal) to all but the last write.
#[test]
fn no_flipped_bit_goes_unnoticed() {
    let home = quick_home();
    let [whole, flipped] = ["whole", "flipped"].map(|name| home.path().join(name));
    three_files(&whole);
    let mut refused = 0;
    for file in files(&whole) {
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name == "lock" {
            continue;
        }
        let bytes = fs::read(&file).expect("read");
        let last_write = if name == "journal-3.log" {
            start_of_last_block(&bytes)
        } else {
            usize::MAX
        };
        copy(&whole, &flipped);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            fs::write(flipped.join(&name), wrong).expect("written");
            let report = state::check(&flipped);
            match report {
                Err(error) => {
                    assert!(
                        matches!(error, StateError::Newer { .. }),
                        "{name} {at}: {error}"
                    );
                    refused += 1;
                }
                Ok(report) if report.is_sound() => {
                    assert!(at >= last_write, "{name} {at}: {report}");
                    assert_eq!(report.cut.expect("it is cut").offset as usize, last_write);
                    assert_eq!(report.tasks.values().sum::<usize>(), 6);
                }
                Ok(report) => assert_eq!(report.damages[0].file, name, "{at}: {report}"),
            }
        }
    }
    // Of the version in the file that says nothing else.
    assert!(refused <= 4, "{refused}");
}

fn start_of_last_block(bytes: &[u8]) -> usize {
    bytes
        .windows(4)
        .rposition(|window| window == b"cdtT")
        .expect("a block")
}

#[test]
fn a_damaged_middle_stops_the_start_and_the_repair_keeps_the_rest() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state of it's");
    three_files(&path);
    let journal = path.join("journal-2.log");
    let mut bytes = fs::read(&journal).expect("read");
    let middle = bytes
        .windows(4)
        .position(|window| window == b"cdtT")
        .expect("a block");
    bytes[middle + 40] ^= 1;
    fs::write(&journal, &bytes).expect("written");
    let error = open_error(&path);
    let expected = format!(
        "the state in {} is damaged: journal-2.log at byte {middle}: the checksum of a block does \
         not fit; intact before it: 3 transactions with 3 tasks, in snapshot-2.state, \
         journal-2.log. Nothing was changed. To set aside what is damaged and keep all that can be \
         read, run: condotta state check '{}/state of it'\\''s' --repair",
        path.display(),
        home.path().display(),
    );
    assert_eq!(error, expected);
    let report = state::repair(&path).expect("repaired");
    assert_eq!(report.found.damages.len(), 1, "{report}");
    let kept_in = report.kept_in.expect("something was repaired");
    assert_eq!(kept_in, path.join("damaged/1"));
    assert_eq!(
        fs::read(kept_in.join("journal-2.log")).expect("kept"),
        bytes
    );
    assert_eq!(
        names(&kept_in),
        ["journal-2.log", "journal-3.log", "snapshot-2.state"]
    );
    assert_eq!(
        names(&path),
        ["format", "journal-4.log", "lock", "snapshot-4.state"]
    );
    let mut ids = first_ids(7);
    ids.remove(3);
    assert_eq!(task_ids(&path), ids);
    assert_eq!(state::repair(&path).expect("nothing to do").kept_in, None);
}

#[test]
fn a_repair_takes_whole_transactions_out_of_a_damaged_write() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened
        .writer
        .write(&(0..5).flat_map(task_frame).collect::<Vec<u8>>())
        .expect("written");
    opened.writer.write(&task_frame(5)).expect("written");
    drop(opened);
    let journal = path.join("journal-1.log");
    let mut bytes = fs::read(&journal).expect("read");
    let third = bytes
        .windows(9)
        .position(|window| window == b"Task_0002")
        .expect("a task");
    bytes[third] = b't';
    fs::write(&journal, bytes).expect("written");
    open_error(&path);
    state::repair(&path).expect("repaired");
    let mut ids = first_ids(6);
    ids.remove(2);
    assert_eq!(task_ids(&path), ids);
}

#[test]
fn a_missing_file_is_damage() {
    let home = tempfile::tempdir().expect("a directory");
    let [whole, less] = ["whole", "less"].map(|name| home.path().join(name));
    three_files(&whole);
    for (missing, expected, kept) in [
        (
            "snapshot-2.state",
            "journal-1.log at byte 0: the file is missing; intact before it: nothing",
            4,
        ),
        (
            "journal-2.log",
            "journal-2.log at byte 0: the file is missing; intact before it: 3 trans",
            5,
        ),
    ] {
        copy(&whole, &less);
        fs::remove_file(less.join(missing)).expect("removed");
        let error = open_error(&less);
        assert!(error.contains(expected), "{error}");
        let found = state::repair(&less).expect("repaired").found;
        assert_eq!(found.damages.len(), 1, "{found}");
        assert_eq!(task_ids(&less).len(), kept);
    }
    copy(&whole, &less);
    for name in ["snapshot-2.state", "journal-2.log", "journal-3.log"] {
        fs::remove_file(less.join(name)).expect("removed");
    }
    assert!(open_error(&less).contains("journal-1.log at byte 0: the file is missing"));
    state::repair(&less).expect("repaired");
    assert!(task_ids(&less).is_empty());
}

#[test]
fn a_file_that_lost_its_end_is_damage_unless_it_is_the_last() {
    let home = quick_home();
    let [whole, less] = ["whole", "less"].map(|name| home.path().join(name));
    three_files(&whole);
    for name in ["journal-2.log", "snapshot-2.state"] {
        let length = fs::metadata(whole.join(name)).expect("it is there").len();
        for bytes in 0..length {
            copy(&whole, &less);
            let file = fs::OpenOptions::new()
                .write(true)
                .open(less.join(name))
                .expect("opened");
            file.set_len(bytes).expect("cut");
            let report = state::check(&less).expect("checked");
            assert_eq!(report.damages[0].file, name, "{bytes}: {report}");
        }
    }
}

#[test]
fn what_follows_the_end_of_a_file_is_damage() {
    let home = tempfile::tempdir().expect("a directory");
    let [whole, more] = ["whole", "more"].map(|name| home.path().join(name));
    three_files(&whole);
    let block = fs::read(whole.join("journal-3.log")).expect("read");
    let block = &block[start_of_last_block(&block)..];
    for name in ["journal-2.log", "snapshot-2.state"] {
        copy(&whole, &more);
        let mut bytes = fs::read(more.join(name)).expect("read");
        bytes.extend_from_slice(block);
        fs::write(more.join(name), bytes).expect("written");
        assert!(open_error(&more).contains(name));
    }
}

#[test]
fn files_under_each_other_s_names_are_damage() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    three_files(&path);
    fs::rename(path.join("journal-3.log"), path.join("journal-2.log")).expect("renamed");
    let error = open_error(&path);
    assert!(
        error.contains("journal-2.log at byte 0: the file is really journal-3.log"),
        "{error}"
    );
}

#[test]
fn a_task_that_is_known_only_in_part_is_told() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    let mut changed = bare("Task_0000");
    changed.state = Some(TaskState::default());
    for frames in [
        task_frame(0),
        task_frame(1),
        frame(2.0, &[Record::Task(changed)]),
    ] {
        opened.writer.write(&frames).expect("written");
    }
    drop(opened);
    let journal = path.join("journal-1.log");
    let mut bytes = fs::read(&journal).expect("read");
    let first = bytes
        .windows(9)
        .position(|window| window == b"Task_0000")
        .expect("a task");
    bytes[first] = b't';
    fs::write(&journal, bytes).expect("written");
    let report = state::repair(&path).expect("repaired");
    assert_eq!(report.found.lost_tasks, ["Task_0000"]);
    let text = report.to_string();
    assert!(
        text.contains("lost, since only a part of it can be read: task Task_0000"),
        "{text}"
    );
    assert_eq!(task_ids(&path), ["Task_0001"]);
}

#[test]
fn a_check_tells_what_there_is() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened
        .writer
        .write(&frame(1.0, &every_kind()))
        .expect("written");
    opened
        .writer
        .write(&frame(1.0, &[Record::Task(small_task("Small"))]))
        .expect("written");
    drop(opened);
    let journal = path.join("journal-1.log");
    let bytes = fs::read(&journal).expect("read");
    fs::write(&journal, &bytes[..bytes.len() - 3]).expect("written");
    let before = exported(&path);
    let report = state::check(&path).expect("checked");
    let end = start_of_last_block(&bytes);
    let (length, rest) = (bytes.len() - 3, bytes.len() - 3 - end);
    let expected = format!(
        "journal-1.log: {length} bytes, 1 transactions\n\
         2 tasks: 1 PENDING, 1 DISABLED\n\
         the last {rest} bytes of journal-1.log (from byte {end} on) are a write that was not \
         finished; nobody was told that it had succeeded; the next start cuts it off\n\
         no damage"
    );
    assert_eq!(report.to_string(), expected);
    assert_eq!(exported(&path), before, "a check changes nothing");
}

/// A repair makes copies, then a new journal, then the snapshot.
#[test]
fn a_repair_that_is_cut_short_can_be_done_again() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    three_files(&path);
    let journal = path.join("journal-2.log");
    let mut bytes = fs::read(&journal).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, bytes).expect("written");
    copy(&path, &then);
    state::repair(&path).expect("repaired");
    let ids = task_ids(&path);
    assert_eq!(ids.len(), 6);
    for done in [vec![], vec!["journal-4.log"]] {
        for name in done {
            fs::copy(path.join(name), then.join(name)).expect("copied");
        }
        fs::write(then.join("snapshot-4.state.tmp"), "half").expect("written");
        open_error(&then);
    }
    fs::create_dir_all(then.join("damaged/1")).expect("made");
    let kept_in = state::repair(&then).expect("repaired again").kept_in;
    assert_eq!(kept_in, Some(then.join("damaged/2")));
    assert_eq!(task_ids(&then), ids);
}

/// After a crash between a snapshot and the removal of what it replaces, both are there.
#[test]
fn a_damaged_snapshot_is_not_needed_while_what_it_replaces_is_there() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    snapshot.write(&task_frame(0)).expect("written");
    opened.writer.write(&task_frame(1)).expect("written");
    copy(&path, &then);
    snapshot.finish().expect("finished");
    let mut bytes = fs::read(path.join("snapshot-2.state")).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(then.join("snapshot-2.state"), bytes).expect("written");
    assert!(open_error(&then).contains("snapshot-2.state at byte "));
    let found = state::repair(&then).expect("repaired").found;
    let files: Vec<&str> = found.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(files, ["journal-1.log", "journal-2.log"]);
    let is_snapshot = |name: &str| name == "snapshot-2.state";
    assert!(
        found.damages.iter().all(|damage| is_snapshot(&damage.file)),
        "{found}"
    );
    assert!(!found.is_sound());
    assert_eq!(task_ids(&then), first_ids(2));
}
