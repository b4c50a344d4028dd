//! `condotta state`.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::processes::{Ended, Kind, Place, Server};

fn run(place: &Place, words: &str) -> Ended {
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.arg("state").args(words.split(' '));
    place.start("state-command", &mut command).end()
}

/// A directory `state` with three tasks, of a server that was killed.
fn filled(place: &Place) {
    filled_until(place, Signal::SIGKILL);
}

fn filled_until(place: &Place, end: Signal) {
    let server = Server::start(place, Kind::Ours);
    for task_id in ["A", "B", "C"] {
        let task = json!({"worker": "w", "task_id": task_id, "deps": [], "family": "Family"});
        server.rpc.call("add_task", &task);
    }
    server.stop(end);
}

/// The journal's file.
fn journal(place: &Place) -> std::path::PathBuf {
    let files = fs::read_dir(place.path("state")).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let is_journal = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "log");
    paths.find(is_journal).unwrap()
}

#[test]
fn check_says_what_is_there() {
    let place = Place::new();
    filled(&place);
    let ended = run(&place, "check state").with_code(0);
    ended.says("3 tasks: 3 PENDING").says("no damage");
}

#[test]
fn check_leaves_alone_what_is_in_use_or_not_there() {
    let place = Place::new();
    run(&place, "check nowhere").with_code(3).says("nowhere");
    assert!(!place.path("nowhere").exists());
    let _server = Server::start(&place, Kind::Ours);
    run(&place, "check state")
        .with_code(4)
        .says("another scheduler");
}

#[test]
fn a_damaged_state_stops_the_start_and_can_be_repaired() {
    let place = Place::new();
    filled(&place);
    let path = journal(&place);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();

    run(&place, "check state").with_code(3).says("damaged");
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0", "--state-dir", "state"]);
    let ended = place.start("server", &mut command).end().with_code(3);
    ended.says("condotta state check state --repair");

    run(&place, "check state --repair")
        .with_code(0)
        .says("repaired");
    run(&place, "check state").with_code(0).says("no damage");
    let server = Server::start(&place, Kind::Ours);
    let tasks = server.rpc.call("task_list", &json!({}));
    assert!(!tasks.as_object().unwrap().is_empty());
}

/// The newest write may have been torn by a loss of power, unless the server stopped in good order.
#[test]
fn a_damaged_last_write_is_kept_and_said_and_stops_the_start_after_a_clean_stop() {
    for end in [Signal::SIGKILL, Signal::SIGTERM] {
        let place = Place::new();
        filled_until(&place, end);
        let path = journal(&place);
        let mut bytes = fs::read(&path).unwrap();
        let is_start = |window: &[u8]| window == b"cdtT";
        let last = bytes.windows(4).rposition(is_start).unwrap();
        bytes[last + 50] ^= 1;
        fs::write(&path, &bytes).unwrap();
        if end == Signal::SIGTERM {
            run(&place, "check state").with_code(3).says("damaged");
            continue;
        }
        run(&place, "check state")
            .with_code(0)
            .says("may have been told");
        let server = Server::start(&place, Kind::Ours);
        let said = server.says("cut off");
        let line = said.lines().find(|line| line.contains("cut off")).unwrap();
        assert!(line.contains("WARN"), "{line}");
        let kept = format!("state/damaged/journal-1.log.from-{last}");
        assert!(line.contains(&kept), "{line}");
        assert_eq!(fs::read(place.path(&kept)).unwrap(), bytes[last..]);
    }
}

#[test]
fn an_export_can_be_imported() {
    let place = Place::new();
    filled(&place);
    let exported = run(&place, "export state").with_code(0).stdout;
    place.write("export.jsonl", &exported);
    let ended = run(&place, "import copy export.jsonl").with_code(0);
    ended.says("3 tasks are in copy now");
    let again = run(&place, "export copy").with_code(0).stdout;
    assert_eq!(again, exported);
    // What is there stays there.
    run(&place, "import copy export.jsonl")
        .with_code(3)
        .says("already holds a state");
}

#[test]
fn an_import_that_is_none_makes_nothing() {
    let place = Place::new();
    place.write("bad.jsonl", "{}\n");
    run(&place, "import new bad.jsonl")
        .with_code(1)
        .says("line 1 of the import");
    run(&place, "import new none.jsonl")
        .with_code(1)
        .says("cannot read none.jsonl");
    let url = format!("http://127.0.0.1:{}", crate::processes::free_port());
    run(&place, &format!("import new --from-luigid {url}"))
        .with_code(1)
        .says(&url);
    assert!(!place.path("new").exists());
}
