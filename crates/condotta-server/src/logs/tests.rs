//! Logs from their first piece until they are removed.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use condotta_protocol::{LogFrame, LogSource};
use condotta_scheduler::Timestamp;

use super::{AppendError, Feed, Header, LogStore, LogsConfig, live, sweep::sweep};
use crate::attempt_id::AttemptId;

fn frames(numbers: std::ops::RangeInclusive<u64>) -> Vec<LogFrame> {
    let frame = |number| LogFrame {
        number,
        time_millis: 0,
        source: LogSource::Stdout,
        text: format!("line {number}\n").into_bytes(),
    };
    numbers.map(frame).collect()
}

fn header(attempt: u64) -> Header {
    Header {
        task_id: "task".to_owned(),
        attempt,
        worker: "x".to_owned(),
    }
}

fn id(attempt: u64) -> AttemptId {
    AttemptId::new("task", attempt, Timestamp(1e9 + attempt as f64))
}

fn numbers(store: &LogStore, id: &AttemptId) -> Vec<u64> {
    let stored = store.read(id).unwrap();
    let pieces = stored.map(|stored| stored.pieces).unwrap_or_default();
    pieces.iter().map(|piece| piece.frame.number).collect()
}

#[test]
fn a_log_is_the_same_while_it_is_written_after_a_restart_and_packed() {
    let folder = tempfile::tempdir().unwrap();
    let open = || LogStore::open(folder.path(), LogsConfig::default()).unwrap();
    let store = open();
    assert_eq!(store.append(&id(1), &header(1), frames(1..=3)).unwrap(), 3);
    assert_eq!(store.append(&id(1), &header(1), frames(2..=4)).unwrap(), 4);
    store.append(&id(2), &header(2), frames(1..=1)).unwrap();
    let store = open();
    assert_eq!(store.append(&id(1), &header(1), frames(4..=5)).unwrap(), 5);
    assert_eq!(numbers(&store, &id(1)), [1, 2, 3, 4, 5]);
    store.ended(&id(1));
    sweep(&store, Duration::ZERO).unwrap();
    let late = store.append(&id(1), &header(1), frames(6..=6));
    assert!(matches!(late, Err(AppendError::Closed)), "{late:?}");
    for store in [store, open()] {
        assert_eq!(numbers(&store, &id(1)), [1, 2, 3, 4, 5]);
        assert_eq!(numbers(&store, &id(2)), [1]);
        assert_eq!(store.read(&id(1)).unwrap().unwrap().header, header(1));
        assert_eq!(store.find("task", 1).unwrap(), Some(id(1)));
        assert_eq!(store.find("task", 2).unwrap(), Some(id(2)));
        assert_eq!(store.find("task", 3).unwrap(), None);
        let late = store.append(&id(1), &header(1), frames(6..=6));
        assert!(matches!(late, Err(AppendError::Closed)), "{late:?}");
    }
    assert_eq!(live::list(&folder.path().join("live")).unwrap().len(), 1);
}

#[test]
fn followers_hear_what_is_new_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path(), LogsConfig::default()).unwrap();
    let mut feed = store.follow(&id(1));
    store.append(&id(1), &header(1), frames(1..=2)).unwrap();
    store.append(&id(1), &header(1), frames(1..=2)).unwrap();
    store.ended(&id(1));
    let Ok(Feed::Pieces(pieces)) = feed.try_recv() else {
        panic!("two pieces are new");
    };
    assert_eq!(pieces.len(), 2);
    assert!(matches!(feed.try_recv(), Ok(Feed::Ended)));
}

#[test]
fn the_oldest_logs_go_when_there_are_too_many_bytes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogsConfig {
        total_bytes: 30_000,
        ..LogsConfig::default()
    };
    let store = LogStore::open(folder.path(), config).unwrap();
    let noise = |number| LogFrame {
        number,
        time_millis: 0,
        source: LogSource::Stderr,
        text: (0..8000).map(|_| fastrand::u8(..)).collect(),
    };
    for attempt in 1..=6 {
        store
            .append(&id(attempt), &header(attempt), vec![noise(1)])
            .unwrap();
        store.ended(&id(attempt));
        sweep(&store, Duration::ZERO).unwrap();
    }
    sweep(&store, Duration::ZERO).unwrap();
    assert!(store.total_bytes() <= 30_000, "{}", store.total_bytes());
    assert!(store.read(&id(1)).unwrap().is_none());
    assert!(store.removed_bytes() > 8000, "{}", store.removed_bytes());
    assert_eq!(numbers(&store, &id(6)), [1]);
}

#[test]
fn the_oldest_logs_go_when_the_disk_has_no_room_for_newer_ones() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path(), LogsConfig::default()).unwrap();
    for attempt in 1..=3 {
        let header = header(attempt);
        store.append(&id(attempt), &header, frames(1..=1)).unwrap();
        store.ended(&id(attempt));
        sweep(&store, Duration::ZERO).unwrap();
    }
    assert_eq!(store.removed_bytes(), 0);
    assert!(store.room.claim(u64::MAX / 4).is_none());
    sweep(&store, Duration::ZERO).unwrap();
    assert!(store.removed_bytes() > 0);
    assert_eq!(numbers(&store, &id(1)), [0; 0]);
    // Nothing more was refused since.
    store.append(&id(4), &header(4), frames(1..=1)).unwrap();
    store.ended(&id(4));
    sweep(&store, Duration::ZERO).unwrap();
    sweep(&store, Duration::ZERO).unwrap();
    assert_eq!(numbers(&store, &id(4)), [1]);
}

#[test]
fn what_an_earlier_run_left_half_packed_is_removed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let half = folder.path().join("packs").join("0_1_a_b.pack.tmp");
    fs::create_dir(half.parent().unwrap()).unwrap();
    fs::write(&half, "half").unwrap();
    LogStore::open(folder.path(), LogsConfig::default()).unwrap();
    assert!(!half.exists());
}

#[test]
fn nothing_is_taken_when_what_runs_prints_more_than_there_is_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogsConfig {
        total_bytes: 1000,
        ..LogsConfig::default()
    };
    let store = LogStore::open(folder.path(), config).unwrap();
    store.append(&id(1), &header(1), frames(1..=200)).unwrap();
    sweep(&store, Duration::ZERO).unwrap();
    let more = store.append(&id(1), &header(1), frames(201..=201));
    assert!(matches!(more, Err(AppendError::Full)), "{more:?}");
    assert_eq!(store.refused(), 1);
}

#[test]
fn a_disk_that_takes_nothing_is_counted_and_room_is_made_on_it_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogsConfig {
        total_bytes: 2000,
        ..LogsConfig::default()
    };
    let store = LogStore::open(folder.path(), config).unwrap();
    let live = folder.path().join("live");
    fs::write(&live, "in the way").unwrap();
    let refused = store.append(&id(1), &header(1), frames(1..=1));
    assert!(matches!(refused, Err(AppendError::Disk(_))), "{refused:?}");
    assert_eq!(store.refused(), 1);
    fs::remove_file(live).unwrap();
    store.append(&id(1), &header(1), frames(1..=1)).unwrap();
    store.ended(&id(1));
    sweep(&store, Duration::ZERO).unwrap();
    store.append(&id(2), &header(2), frames(1..=100)).unwrap();
    store.ended(&id(2));
    let in_the_way = folder.path().join("packs").join("next.tmp");
    fs::create_dir(&in_the_way).unwrap();
    sweep(&store, Duration::ZERO).unwrap_err();
    assert_eq!(numbers(&store, &id(1)), [0; 0], "the oldest went");
    assert_eq!(numbers(&store, &id(2)).len(), 100);
    fs::remove_dir(in_the_way).unwrap();
    sweep(&store, Duration::ZERO).unwrap();
    assert_eq!(numbers(&store, &id(2)).len(), 100);
    assert_eq!(live::list(&folder.path().join("live")).unwrap().len(), 0);
}

/// All that is below a folder, with the modes.
fn modes(folder: &Path) -> Vec<(bool, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        found.push((path.is_dir(), mode));
        if path.is_dir() {
            found.extend(modes(&path));
        }
    }
    found
}

#[test]
fn only_the_owner_reads_what_was_printed_also_in_a_state_directory_that_others_may_list() {
    let state = tempfile::tempdir().unwrap();
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = state.path().join("logs");
    let config = LogsConfig {
        attempt_bytes: 4096,
        ..LogsConfig::default()
    };
    let store = LogStore::open(&folder, config.clone()).unwrap();
    for portion in 0..40 {
        let numbers = portion * 10 + 1..=portion * 10 + 10;
        store.append(&id(1), &header(1), frames(numbers)).unwrap();
    }
    let mut found = modes(state.path());
    store.append(&id(2), &header(2), frames(1..=1)).unwrap();
    store.ended(&id(2));
    sweep(&store, Duration::ZERO).unwrap();
    found.extend(modes(state.path()));
    let folders = found.iter().filter(|(is_folder, _)| *is_folder);
    // Among them the ends of a long log, and the packs.
    assert!(folders.count() > 5, "{found:?}");
    for (is_folder, mode) in &found {
        let expected = if *is_folder { 0o700 } else { 0o600 };
        assert_eq!(*mode, expected, "{found:?}");
    }
    // One that an earlier start left open is closed.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    LogStore::open(&folder, config).unwrap();
    assert_eq!(modes(state.path())[0], (true, 0o700));
}
