//! What happens to the stored state, happens in the open: nothing acknowledged is lost in silence.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::processes::{Ended, Kind, Place, Rpc, Server, free_port, wait_until};

/// Adds a task that is done; whether the server has acknowledged it.
fn add(rpc: &Rpc, task_id: &str) -> bool {
    let task = json!({
        "worker": "w", "task_id": task_id, "status": "DONE", "family": "Family",
        "params": {"text": "x".repeat(1000)},
    });
    let answer = rpc.post("add_task", &task.to_string()).unwrap();
    assert!([200, 503].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

fn tasks(rpc: &Rpc) -> serde_json::Map<String, Value> {
    let tasks = rpc.call("task_list", &json!({}));
    tasks.as_object().unwrap().clone()
}

/// A directory `state` with `count` tasks, of a server that was killed.
fn filled(place: &Place, count: usize) {
    let server = Server::start(place, Kind::Ours);
    for number in 0..count {
        assert!(add(&server.rpc, &format!("T{number:02}")));
    }
    server.stop(Signal::SIGKILL);
}

/// The state's file whose name begins so.
fn file(place: &Place, start: &str) -> PathBuf {
    let files = fs::read_dir(place.path("state")).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(start)
    };
    paths.find(is_meant).unwrap()
}

/// A server that should not start.
fn refused(place: &Place, state_dir: &str) -> Ended {
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--port", "0", "--state-dir", state_dir]);
    place.start("refused", &mut command).end()
}

/// A write that was cut short is one that nobody was told of: the server goes on, and says so. Luigid
/// begins with nothing, and says nothing.
#[test]
fn a_cut_journal_keeps_what_came_before_and_that_is_said() {
    let place = Place::new();
    filled(&place, 10);
    let journal = file(&place, "journal");
    let whole = fs::read(&journal).unwrap();
    for part in 1..=10 {
        let length = whole.len() * part / 10 - 1;
        let state_dir = format!("cut-{part}");
        fs::create_dir(place.path(&state_dir)).unwrap();
        for file in fs::read_dir(place.path("state")).unwrap() {
            let path = file.unwrap().path();
            let copy = place.path(&state_dir).join(path.file_name().unwrap());
            fs::copy(path, copy).unwrap();
        }
        let copy = place.path(&state_dir).join(journal.file_name().unwrap());
        fs::write(copy, &whole[..length]).unwrap();

        let server = start_in(&place, &state_dir);
        let found = tasks(&server.rpc);
        let said = server.says("cut off");
        let expected = (0..found.len()).map(|number| format!("T{number:02}"));
        assert!(
            found.keys().eq(expected.collect::<Vec<_>>().iter()),
            "{found:?}"
        );
        assert!((part - 1..=part).contains(&found.len()), "{length}: {said}");
    }
}

/// A bit that flipped was told to somebody as done: nobody but the operator may decide to go on.
#[test]
fn a_flipped_bit_stops_the_start_and_the_repair_is_named() {
    let place = Place::new();
    filled(&place, 10);
    let journal = file(&place, "journal");
    let length = fs::metadata(&journal).unwrap().len();
    for part in 1..=9 {
        let place_of_bit = length * part / 10;
        flip(&journal, place_of_bit);
        let ended = refused(&place, "state").with_code(3);
        ended
            .says("damaged")
            .says("condotta state check state --repair");
        flip(&journal, place_of_bit);
    }
    let server = Server::start(&place, Kind::Ours);
    assert_eq!(tasks(&server.rpc).len(), 10, "the refusals changed nothing");
}

fn flip(path: &PathBuf, at: u64) {
    let mut file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    byte[0] ^= 1;
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&byte).unwrap();
}

/// A limit on the size of files stands for a full disk. Luigid destroys the old state then, and ends
/// with code 0.
#[test]
fn a_full_disk_is_said_to_everybody_and_the_server_goes_on_when_there_is_room() {
    let place = Place::new();
    let port = free_port();
    let server = limited(&place, port);
    let mut acknowledged = Vec::new();
    let mut refusals = 0;
    for number in 0..200 {
        let task_id = format!("T{number}");
        if add(&server.rpc, &task_id) {
            acknowledged.push(task_id);
        } else {
            refusals += 1;
        }
        if refusals == 3 {
            break;
        }
    }
    assert!(refusals == 3 && acknowledged.len() > 3, "{acknowledged:?}");
    let answer = server
        .rpc
        .post("add_task", r#"{"worker": "w", "task_id": "late"}"#);
    let answer = answer.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("cannot be stored"), "{answer:?}");
    // Not as of a server that starts, which workers ask again at once.
    assert!(answer.body.contains("\"not_stored\""), "{answer:?}");
    let said = server.says("cannot write");
    assert!(said.contains("ERROR"), "{said}");

    let room = Command::new("prlimit")
        .args(["--fsize=unlimited:unlimited", "--pid"])
        .arg(server.id().to_string())
        .status();
    assert!(room.unwrap().success());
    wait_until("the server stores again", || add(&server.rpc, "after"));
    acknowledged.push("after".to_owned());
    let has_all = |rpc: &Rpc| {
        let found = tasks(rpc);
        acknowledged
            .iter()
            .all(|task_id| found.contains_key(task_id))
    };
    assert!(has_all(&server.rpc));
    server.stop(Signal::SIGKILL);
    let server = Server::start(&place, Kind::Ours);
    assert!(has_all(&server.rpc));
}

/// A server that may write files of up to 32 kB; whatever it is told, what it has written is there.
fn limited(place: &Place, port: u16) -> Server {
    let mut command = place.command("bash");
    command
        // A soft limit, which may be raised again.
        .args(["-c", "trap '' XFSZ; ulimit -S -f 32; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_condotta"))
        .args(["scheduler", "--address", "127.0.0.1", "--port"])
        .arg(port.to_string())
        .args(["--state-dir", "state"]);
    Server::of_command(place, &mut command, port)
}

fn start_in(place: &Place, state_dir: &str) -> Server {
    let port = free_port();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--address",
        "127.0.0.1",
        "--state-dir",
        state_dir,
    ]);
    command.args(["--port", &port.to_string()]);
    Server::of_command(place, &mut command, port)
}

/// Luigid writes its state when it stops, over the old one: 8 of 12 kills in that moment lost all.
#[test]
fn a_kill_while_stopping_loses_nothing() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    for round in 0..12_usize {
        assert!(add(&server.rpc, &format!("T{round}")));
        server.send(Signal::SIGTERM);
        thread::sleep(Duration::from_micros(2500) * u32::try_from(round).unwrap());
        server.stop_and_start(&place, Kind::Ours, Signal::SIGKILL, || {});
        assert_eq!(tasks(&server.rpc).len(), round + 1);
    }
}

/// Luigid starts, and says only at its end that it has kept nothing.
#[test]
fn a_directory_that_cannot_be_written_is_refused_at_the_start() {
    let place = Place::new();
    // Even root cannot make these.
    for state_dir in ["luigi.cfg/state", "/proc/condotta-state"] {
        let ended = refused(&place, state_dir).with_code(3);
        ended.says(state_dir);
    }
}
