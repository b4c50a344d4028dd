//! What a crash leaves: a journal cut anywhere, a snapshot begun and not finished.

use std::fs;

use condotta_scheduler::Record;
use condotta_server::state::{self, StateDir, StateError};

use crate::sample::{copy, first_ids, frame, ids, names, quick_home, task, task_frame, task_ids};

#[test]
fn a_journal_cut_at_any_byte_keeps_all_that_was_acknowledged_by_then() {
    let home = quick_home();
    let [whole, cut] = ["whole", "cut"].map(|name| home.path().join(name));
    let mut opened = StateDir::open(&whole).expect("a new one");
    let journal = whole.join("journal-1.log");
    let length = || fs::metadata(&journal).expect("it is there").len();
    let header = length();
    // How long the file was when the first so many transactions were acknowledged.
    let mut acknowledged = vec![(header, 0)];
    let mut count = 0;
    let mut group_ends = Vec::new();
    for group in [1, 3, 1, 2] {
        let frames: Vec<u8> = (count..count + group).flat_map(task_frame).collect();
        let mut end = length() + 12;
        for number in count..count + group {
            end += task_frame(number).len() as u64;
            group_ends.push(end);
        }
        opened.writer.write(&frames).expect("written");
        count += group;
        acknowledged.push((length(), count));
    }
    drop(opened);
    for bytes in 0..=length() {
        copy(&whole, &cut);
        let journal = cut.join("journal-1.log");
        let file = fs::OpenOptions::new()
            .write(true)
            .open(&journal)
            .expect("opened");
        file.set_len(bytes).expect("cut");
        if bytes < header {
            // A journal has its header from the start: this is no crash.
            let error = StateDir::open(&cut).expect_err("damaged");
            assert!(
                matches!(error, StateError::Damaged { .. }),
                "{bytes}: {error}"
            );
            continue;
        }
        let (end, count) = acknowledged
            .iter()
            .rfind(|(end, _)| *end <= bytes)
            .expect("one");
        let opened = StateDir::open(&cut).expect("it opens");
        let cut = opened.report.cut.as_ref();
        // At the end of a transaction, the length of the block may be what is wrong.
        let is_said = cut.is_none_or(|cut| cut.is_unfinished || group_ends.contains(&bytes));
        assert!(is_said, "{bytes}: {cut:?}");
        let cut_off = opened.report.cut.as_ref().map(|cut| cut.bytes);
        assert_eq!(cut_off, Some(bytes - end).filter(|&cut| cut > 0), "{bytes}");
        assert_eq!(ids(&opened.saved), first_ids(*count), "{bytes}");
        assert_eq!(
            fs::metadata(&journal).expect("it is there").len(),
            *end,
            "{bytes}"
        );
    }
}

#[test]
fn writing_goes_on_where_an_unfinished_write_was_cut_off() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    opened.writer.write(&task_frame(1)).expect("written");
    drop(opened);
    let journal = path.join("journal-1.log");
    let length = fs::metadata(&journal).expect("it is there").len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&journal)
        .expect("opened");
    file.set_len(length - 1).expect("cut");
    let mut opened = StateDir::open(&path).expect("it opens");
    assert!(
        opened.report.to_string().contains("cut off"),
        "{}",
        opened.report
    );
    let again = frame(9.0, &[Record::Task(task("Task_0001"))]);
    opened.writer.write(&again).expect("written");
    drop(opened);
    assert_eq!(task_ids(&path), first_ids(2));
    assert_eq!(StateDir::open(&path).expect("it opens").report.cut, None);
}

/// A state with a snapshot under way: the steps of it, each as the directory was then.
#[test]
fn a_snapshot_that_is_cut_short_at_any_step_loses_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    let check = |count: usize, files: &[&str]| {
        copy(&path, &then);
        assert_eq!(task_ids(&then), first_ids(count));
        assert_eq!(names(&then), files);
    };
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    opened.writer.write(&task_frame(1)).expect("written");
    let before = opened.writer.bytes_since_snapshot();
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    assert!(opened.writer.bytes_since_snapshot() < before);
    let both = ["format", "journal-1.log", "journal-2.log", "lock"];
    check(2, &both);
    opened.writer.write(&task_frame(2)).expect("written");
    check(3, &both);
    snapshot.write(&task_frame(0)).expect("written");
    check(3, &both);
    opened.writer.write(&task_frame(3)).expect("written");
    snapshot
        .write(&[task_frame(1), task_frame(2)].concat())
        .expect("written");
    check(4, &both);
    snapshot.finish().expect("finished");
    let after = ["format", "journal-2.log", "lock", "snapshot-2.state"];
    check(4, &after);
    opened.writer.write(&task_frame(4)).expect("written");
    check(5, &after);
    drop(opened);
    assert_eq!(task_ids(&path), first_ids(5));
}

#[test]
fn a_crash_between_a_snapshot_and_the_removal_of_what_it_replaces_is_cleaned_up() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    snapshot.write(&task_frame(0)).expect("written");
    copy(&path, &then);
    snapshot.finish().expect("finished");
    fs::copy(path.join("snapshot-2.state"), then.join("snapshot-2.state")).expect("copied");
    assert_eq!(task_ids(&then), first_ids(1));
    assert_eq!(
        names(&then),
        ["format", "journal-2.log", "lock", "snapshot-2.state"]
    );
}

#[test]
fn a_snapshot_that_is_dropped_leaves_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    snapshot.write(&task_frame(0)).expect("written");
    drop(snapshot);
    assert_eq!(
        names(&path),
        ["format", "journal-1.log", "journal-2.log", "lock"]
    );
    opened
        .writer
        .begin_snapshot()
        .expect("begun again")
        .finish()
        .expect("finished");
    // This one says that there is nothing, and so it is: a snapshot is believed.
    drop(opened);
    assert!(task_ids(&path).is_empty());
}

#[test]
fn a_crash_while_a_directory_is_made_leaves_one_that_opens() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    drop(StateDir::open(&path).expect("a new one"));
    for missing in [vec!["format"], vec!["format", "journal-1.log"], vec![]] {
        copy(&path, &then);
        for name in missing {
            fs::remove_file(then.join(name)).expect("removed");
        }
        fs::write(then.join("journal-1.log.tmp"), "half").expect("written");
        assert!(task_ids(&then).is_empty());
        assert_eq!(names(&then), ["format", "journal-1.log", "lock"]);
    }
}

#[test]
fn many_transactions_of_one_write_are_all_or_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    let frames: Vec<u8> = (0..50).flat_map(task_frame).collect();
    opened.writer.write(&frames).expect("written");
    drop(opened);
    // As after a loss of power in which the last page came to the disk and an earlier one did not.
    let journal = path.join("journal-1.log");
    let mut bytes = fs::read(&journal).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 100].fill(0);
    fs::write(&journal, bytes).expect("written");
    let opened = StateDir::open(&path).expect("it opens");
    assert_eq!(opened.saved.task_count(), 0);
    assert!(opened.report.cut.is_some());
}

#[test]
fn a_snapshot_that_cannot_begin_leaves_the_journal_as_it_was() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    for (count, in_the_way) in [(1, "journal-2.log.tmp"), (2, "snapshot-2.state.tmp")] {
        fs::create_dir(path.join(in_the_way)).expect("made");
        let error = opened
            .writer
            .begin_snapshot()
            .expect_err(in_the_way)
            .to_string();
        assert!(
            error.starts_with("cannot create ") && error.contains(in_the_way),
            "{error}"
        );
        opened.writer.write(&task_frame(count)).expect("written");
        fs::remove_dir(path.join(in_the_way)).expect("removed");
    }
    drop(opened);
    assert_eq!(task_ids(&path), first_ids(3));
    assert_eq!(
        names(&path),
        ["format", "journal-1.log", "journal-2.log", "lock"]
    );
}

/// An import makes a journal first and then the snapshot that its tasks are in.
#[test]
fn an_import_that_is_cut_short_is_no_empty_state() {
    let home = tempfile::tempdir().expect("a directory");
    let [path, then] = ["state", "then"].map(|name| home.path().join(name));
    let text = "{\"condotta\":\"export\",\"format\":1,\"at\":1,\"wall\":1}\n{\"paused\":true}\n";
    state::import(&path, &mut text.as_bytes()).expect("imported");
    assert_eq!(
        names(&path),
        ["format", "journal-2.log", "lock", "snapshot-2.state"]
    );
    for missing in [vec!["snapshot-2.state"], vec!["snapshot-2.state", "format"]] {
        copy(&path, &then);
        for name in missing {
            fs::remove_file(then.join(name)).expect("removed");
        }
        let error = StateDir::open(&then).expect_err("damaged");
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
    }
}
