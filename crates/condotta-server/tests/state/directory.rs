//! Directories that cannot be used, and disks that are full: a clear message, and nothing lost.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{self, Command},
};

use condotta_server::state::{self, StateDir, StateError};

use crate::sample::{first_ids, ids, names, task_frame, task_ids};

fn message(path: &Path) -> String {
    StateDir::open(path)
        .expect_err("it cannot be used")
        .to_string()
}

#[test]
fn a_new_directory_is_for_its_owner_only() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("a/b");
    let opened = StateDir::open(&path).expect("a new one");
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("journal-1.log")), 0o600);
    assert_eq!(opened.report.to_string(), "a new state directory");
}

#[test]
fn two_schedulers_do_not_share_a_directory() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    let expected = format!(
        "another scheduler (pid {}) uses {}: stop it, or name another state directory",
        process::id(),
        path.display()
    );
    assert_eq!(message(&path), expected);
    let mut out = Vec::new();
    for error in [
        state::check(&path).expect_err("locked"),
        state::repair(&path).expect_err("locked"),
        state::export(&path, &mut out).expect_err("locked"),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    let snapshot = opened.writer.begin_snapshot().expect("begun");
    drop(opened);
    assert_eq!(
        message(&path),
        expected,
        "a snapshot is still being written"
    );
    drop(snapshot);
    assert_eq!(task_ids(&path), first_ids(1));
}

#[test]
fn a_file_is_no_directory() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state.pickle");
    fs::write(&path, "luigi").expect("written");
    let expected = "is not a directory: name another state directory";
    assert!(message(&path).ends_with(expected));
    assert!(message(&path.join("below")).starts_with("cannot look at "));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let path = Path::new("/proc/condotta-state");
    assert!(message(path).starts_with("cannot create the directory /proc/condotta-state: "));
}

#[test]
fn the_directory_of_something_else_is_left_alone() {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("state.pickle"), "luigi").expect("written");
    let expected = format!(
        "{} holds \"state.pickle\" but no state of a scheduler: name an empty or a new directory",
        home.path().display()
    );
    assert_eq!(message(home.path()), expected);
    assert_eq!(
        state::check(home.path()).expect_err("foreign").to_string(),
        expected
    );
    assert_eq!(names(home.path()), ["state.pickle"]);
}

#[test]
fn nothing_is_made_by_looking() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    for path in [path.as_path(), home.path()] {
        let expected = format!("there is no state in {}", path.display());
        assert_eq!(
            state::check(path).expect_err("absent").to_string(),
            expected
        );
        let mut out = Vec::new();
        assert_eq!(
            state::export(path, &mut out)
                .expect_err("absent")
                .to_string(),
            expected
        );
        assert!(out.is_empty());
    }
    assert!(names(home.path()).is_empty());
}

#[test]
fn a_newer_format_is_left_alone() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    drop(StateDir::open(&path).expect("a new one"));
    fs::write(path.join("format"), "condotta state, format 2\n").expect("written");
    let expected = format!(
        "{} was written by a newer condotta (format 2; this one knows up to 1): use that version",
        path.join("format").display()
    );
    assert_eq!(message(&path), expected);
    assert_eq!(
        state::repair(&path).expect_err("newer").to_string(),
        expected
    );
}

#[test]
fn a_garbled_format_is_damage_that_can_be_repaired() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened.writer.write(&task_frame(0)).expect("written");
    drop(opened);
    fs::write(path.join("format"), "").expect("written");
    assert!(message(&path).contains("format at byte 0: does not say which format"));
    state::repair(&path).expect("repaired");
    assert_eq!(task_ids(&path), first_ids(1));
}

/// A limit on the size of files stands for a full disk: it lets a part of a write through, too.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    if let Some(path) = env::var_os("CONDOTTA_TEST_FULL_DISK") {
        return fill(Path::new(&path));
    }
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let name = "directory::a_full_disk_loses_nothing_that_was_acknowledged";
    let program = env::current_exe().expect("a program");
    let output = Command::new("bash")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(program)
        .arg(name)
        .env("CONDOTTA_TEST_FULL_DISK", &path)
        .output()
        .expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("acknowledged "));
    let count: usize = count.expect("it says so").parse().expect("a number");
    assert!(count > 2, "{count}");
    assert_eq!(task_ids(&path), first_ids(count));
    assert_eq!(
        names(&path),
        ["format", "journal-1.log", "journal-2.log", "lock"]
    );
}

/// Writes until the disk is full, in a process with that limit.
fn fill(path: &Path) {
    let mut opened = StateDir::open(path).expect("a new one");
    let mut count = 0;
    let error = loop {
        match opened.writer.write(&task_frame(count)) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    let text = error.to_string();
    assert!(
        text.starts_with("cannot write ") && text.contains("journal-1.log"),
        "{text}"
    );
    let poisoned = opened
        .writer
        .write(&task_frame(count))
        .expect_err("poisoned");
    assert!(matches!(poisoned, StateError::Poisoned(_)), "{poisoned}");
    let poisoned = opened.writer.begin_snapshot().expect_err("poisoned");
    assert!(matches!(poisoned, StateError::Poisoned(_)), "{poisoned}");
    drop(opened);
    // What is there can be read all the same, and a part of a write is cut off.
    let opened = StateDir::open(path).expect("it opens");
    assert!(opened.report.cut.is_some(), "{}", opened.report);
    assert_eq!(ids(&opened.saved), first_ids(count));
    drop(opened);
    let mut opened = StateDir::open(path).expect("it opens");
    let mut snapshot = opened.writer.begin_snapshot().expect("begun");
    let error = loop {
        if let Err(error) = snapshot.write(&task_frame(0)) {
            break error.to_string();
        }
    };
    assert!(error.contains("snapshot-2.state"), "{error}");
    drop(snapshot);
    opened
        .writer
        .write(&task_frame(count))
        .expect("the new segment has room");
    let count = count + 1;
    println!("acknowledged {count}");
}

#[test]
fn a_scheduler_that_ended_leaves_no_name_behind() {
    let home = tempfile::tempdir().expect("a directory");
    drop(StateDir::open(home.path()).expect("a new one"));
    assert_eq!(fs::read(home.path().join("lock")).expect("read"), b"");
}
