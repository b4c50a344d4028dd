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
    write_three_files(path, false);
}

fn write_three_files(path: &Path, is_closed: bool) {
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
    if is_closed {
        opened.writer.close().expect("closed");
    }
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

/// One bit of each byte of each file, one at a time. After a stop in good order the directory does
/// not open. After another end the same holds but for the last write, which a loss of power leaves
/// so, too: it is cut off and kept, with a word that it may have been acknowledged.
#[test]
fn no_flipped_bit_goes_unnoticed() {
    for is_closed in [true, false] {
        flip_each_byte(is_closed);
    }
}

fn flip_each_byte(is_closed: bool) {
    let home = quick_home();
    let [whole, flipped] = ["whole", "flipped"].map(|name| home.path().join(name));
    write_three_files(&whole, is_closed);
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
        let last_write = if name == "journal-3.log" && !is_closed {
            start_of_last_block(&bytes)
        } else {
            usize::MAX
        };
        copy(&whole, &flipped);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            fs::write(flipped.join(&name), &wrong).expect("written");
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
                    let cut = report.cut.expect("it is cut");
                    assert_eq!(cut.offset as usize, last_write);
                    assert!(!cut.is_unfinished, "{at}: {cut}");
                    assert_eq!(report.tasks.values().sum::<usize>(), 6);
                    let found = StateDir::open(&flipped).expect("it opens").report;
                    let kept_in = found.kept_in.expect("it is kept");
                    assert_eq!(fs::read(kept_in).expect("read"), wrong[last_write..]);
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

/// A mark that stays would make what a later crash leaves look like damage.
#[test]
fn the_mark_of_a_clean_stop_is_the_last_thing_and_goes_at_the_next_start() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, other] = ["state", "other"].map(|name| home.path().join(name));
    write_three_files(&path, true);
    let journal = fs::read(path.join("journal-3.log")).expect("read");
    copy(&path, &other);
    for more in [&b"x"[..], &journal[start_of_last_block(&journal)..]] {
        fs::write(other.join("journal-3.log"), [&journal, more].concat()).expect("written");
        assert!(open_error(&other).contains("journal-3.log at byte "));
    }
    let mut opened = StateDir::open(&path).expect("it opens");
    assert_eq!(opened.report.cut, None);
    opened.writer.write(&task_frame(7)).expect("written");
    let error = |opened: &mut state::Opened| opened.writer.write(&task_frame(8)).is_err();
    opened.writer.close().expect("closed");
    assert!(error(&mut opened), "nothing is written after the mark");
    drop(opened);
    assert_eq!(task_ids(&path), first_ids(8));
    let mut opened = StateDir::open(&path).expect("it opens");
    opened.writer.write(&task_frame(8)).expect("written");
    drop(opened);
    let torn = fs::read(path.join("journal-3.log")).expect("read");
    fs::write(path.join("journal-3.log"), &torn[..torn.len() - 1]).expect("written");
    let report = StateDir::open(&path).expect("it opens").report;
    assert!(report.cut.expect("it is cut").is_unfinished);
    assert_eq!(task_ids(&path), first_ids(8));
}

/// Writes that fail at the same place again and again do not fill the disk; what may have been
/// acknowledged is never written over.
#[test]
fn what_was_cut_off_stays() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    drop(opened);
    let journal = path.join("journal-1.log");
    let whole = fs::read(&journal).expect("read");
    let start = start_of_last_block(&whole);
    let mut kept = Vec::new();
    for (bytes, is_unfinished) in [(3, false), (4, false), (2, true), (1, true)] {
        let mut bad = whole.clone();
        bad[start + 30] ^= bytes;
        if is_unfinished {
            bad = whole[..whole.len() - usize::from(bytes)].to_vec();
        }
        fs::write(&journal, &bad).expect("written");
        let report = StateDir::open(&path).expect("it opens").report;
        let cut = report.cut.expect("it is cut");
        assert_eq!(cut.is_unfinished, is_unfinished, "{cut}");
        kept.push((report.kept_in.expect("it is kept"), bad[start..].to_vec()));
    }
    let name = |number: &str| path.join(format!("damaged/journal-1.log.from-{start}{number}"));
    assert_eq!(kept[0].0, name(""));
    assert_eq!(kept[1].0, name(".2"));
    for (path, bytes) in &kept[..2] {
        assert_eq!(&fs::read(path).expect("read"), bytes);
    }
    assert_eq!(kept[2].0, name(".unfinished"));
    assert_eq!(kept[3].0, name(".unfinished"));
    assert_eq!(fs::read(&kept[3].0).expect("read"), kept[3].1);
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
         finished; nobody was told that it had succeeded; the next start cuts it off, and keeps it \
         in damaged/\n\
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
