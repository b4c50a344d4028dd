//! Every kind of record comes back as it was.

use condotta_scheduler::{Now, Record};
use condotta_server::state::{self, StateDir};

use crate::sample::{every_kind, exported, frame, full_state, task, worker};

#[test]
fn every_kind_comes_back() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    assert!(opened.report.is_new);
    for (index, record) in every_kind().into_iter().enumerate() {
        opened
            .writer
            .write(&frame(index as f64, &[record]))
            .expect("written");
    }
    drop(opened);
    let opened = StateDir::open(&path).expect("it opens");
    assert_eq!(opened.monotonic.0, 12.0);
    assert_eq!((opened.report.tasks, opened.report.transactions), (2, 13));
    let records: Vec<Record> = opened.saved.records().collect();
    let has = |record: &Record| records.contains(record);
    assert!(has(&Record::Worker(worker())), "{records:#?}");
    assert!(has(&Record::Paused(true)), "{records:#?}");
    let mut full = task("Report_2");
    full.state = Some(full_state());
    assert!(has(&Record::Task(full)), "{records:#?}");
    let mut unlinked = task("Report_1");
    unlinked.links = Some(condotta_scheduler::TaskLinks::default());
    assert!(has(&Record::Task(unlinked)), "{records:#?}");
}

#[test]
fn an_export_imports_to_the_same_state() {
    let home = tempfile::tempdir().expect("a directory");
    let [one, two] = ["one", "two"].map(|name| home.path().join(name));
    let mut opened = StateDir::open(&one).expect("a new one");
    opened
        .writer
        .write(&frame(77.5, &every_kind()))
        .expect("written");
    drop(opened);
    let text = exported(&one);
    assert!(
        text.starts_with("{\"condotta\":\"export\",\"format\":1,\"at\":77.5,"),
        "{text}"
    );
    let tasks = state::import(&two, &mut text.as_bytes()).expect("imported");
    assert_eq!(tasks, 2);
    assert_eq!(exported(&two), text);
    assert_eq!(StateDir::open(&two).expect("it opens").monotonic.0, 77.5);
}

#[test]
fn an_import_overwrites_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let mut opened = StateDir::open(&path).expect("a new one");
    opened
        .writer
        .write(&frame(1.0, &every_kind()))
        .expect("written");
    drop(opened);
    let text = exported(&path);
    let error = state::import(&path, &mut text.as_bytes()).expect_err("there is a state");
    assert!(
        error.to_string().contains("already holds a state"),
        "{error}"
    );
    assert_eq!(exported(&path), text);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_made() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    for (text, expected) in [
        ("", "line 1 of the import: there is no line"),
        (
            "{\"task_removed\":\"a\"}\n",
            "line 1 of the import: this does not start as an export",
        ),
        (
            "{\"condotta\":\"export\",\"format\":2,\"at\":0,\"wall\":0}\n",
            "line 1 of the import: it was written by a newer condotta (format 2;",
        ),
        (
            "{\"condotta\":\"export\",\"format\":1,\"at\":0,\"wall\":0}\n{\"paused\":3}\n",
            "line 2 of the import: invalid type: integer `3`, expected a boolean",
        ),
    ] {
        let error = state::import(&path, &mut text.as_bytes()).expect_err(text);
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(!path.exists(), "{text}");
    }
}

#[test]
fn what_is_not_known_is_passed_over_and_what_is_absent_is_usual() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("state");
    let text = "{\"condotta\":\"export\",\"format\":1,\"at\":1,\"wall\":2,\"by\":\"later\"}\n\
        {\"task\":{\"id\":\"T_1\",\"colour\":\"red\",\
        \"identity\":{\"age\":1,\"created\":3,\"shape\":[]},\"links\":{\"x\":{}},\
        \"state\":{\"status\":\"DONE\",\"updated\":1,\"updated_monotonic\":1,\"mood\":null}}}\n";
    state::import(&path, &mut text.as_bytes()).expect("imported");
    let expected = "{\"condotta\":\"export\",\"format\":1,\"at\":1.0,\"wall\":2.0}\n\
        {\"task\":{\"id\":\"T_1\",\"identity\":{\"age\":1,\"created\":3.0},\"links\":{},\
        \"state\":{\"status\":\"DONE\",\"updated\":1.0,\"updated_monotonic\":1.0}}}\n";
    assert!(exported(&path).ends_with(expected.split_once('\n').expect("lines").1));
}

#[test]
fn a_transaction_is_readable_text() {
    let mut frames = Vec::new();
    let records = [
        Record::TaskRemoved("T_1".to_owned()),
        Record::WorkerRemoved(3),
    ];
    state::encode(Now::at(1.5), &records, &mut frames);
    let text = br#"{"at":1.5,"wall":1.5,"records":[{"task_removed":"T_1"},{"worker_removed":3}]}"#;
    assert_eq!(frames[8..], text[..]);
}
