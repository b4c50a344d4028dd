//! A disk that is full, and has a little room again.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use condotta_protocol::{LogFrame, LogSource};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    processes::{Place, Rpc, Server, free_port, wait_until},
    trial,
};

/// The disk's size, in MB.
const SIZE: &str = "4";
/// What is kept free for later: less than the state takes, more than some requests need.
const RESERVE: usize = 768 << 10;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_disk_with_less_room_than_the_state_takes_is_enough_to_go_on",
            goes_on,
        ),
        trial(
            "what_runs_print_leaves_the_journal_its_room",
            logs_stop_first,
        ),
    ]
}

/// Whether a file system may be mounted in a namespace of one's own.
pub(crate) fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A server whose state is on a disk of its own, mounted at `disk` for nobody else.
fn server(place: &Place) -> Server {
    fs::create_dir(place.path("disk")).unwrap();
    let port = free_port();
    let mut command = place.command("unshare");
    let script = format!(
        "mount -t tmpfs -o size={SIZE}m none \"$0\" && exec \"$@\" --state-dir \"$0/state\""
    );
    command
        .args(["-rm", "sh", "-c", &script])
        .arg(place.path("disk"))
        .arg(env!("CARGO_BIN_EXE_condotta"))
        .args(["scheduler", "--address", "127.0.0.1", "--port"])
        .arg(port.to_string());
    Server::of_command(place, &mut command, port)
}

/// A place on the disk, as the server sees it.
fn on_disk(place: &Place, server: &Server, name: &str) -> PathBuf {
    let disk = place.path("disk");
    let seen = disk.strip_prefix("/").unwrap();
    PathBuf::from(format!("/proc/{}/root", server.id()))
        .join(seen)
        .join(name)
}

/// Whether the server has stored a task of about a kilobyte.
fn add(rpc: &Rpc, number: usize) -> bool {
    let task = json!({
        "worker": "w", "task_id": format!("T{number}"), "status": "DONE", "family": "Family",
        "params": {"text": "x".repeat(1000)},
    });
    let answer = rpc.post("add_task", &task.to_string()).unwrap();
    assert!([200, 503].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

fn goes_on() {
    let place = Place::new();
    let server = server(&place);
    let reserve = on_disk(&place, &server, "reserve");
    fs::write(&reserve, vec![b'-'; RESERVE]).unwrap();
    let mut stored: usize = 0;
    // A state that takes more than what will be free.
    while stored < 1500 {
        assert!(add(&server.rpc, stored));
        stored += 1;
    }
    fill(&on_disk(&place, &server, "filler"));
    while add(&server.rpc, stored) {
        stored += 1;
        assert!(stored < 5000, "the disk is not full");
    }
    assert!(!add(&server.rpc, stored), "it is full still");
    let state = on_disk(&place, &server, "state");
    let files = || fs::read_dir(&state).unwrap().count();
    let at_first = files();
    let mut tried = 0;
    wait_until("it was tried some times", || {
        tried += 1;
        assert!(!add(&server.rpc, stored), "there is no room");
        tried > 300
    });
    assert!(files() <= at_first + 1, "{} files", files());

    fs::remove_file(&reserve).unwrap();
    wait_until("the server stores again", || add(&server.rpc, stored));
    for number in stored + 1..stored + 20 {
        assert!(add(&server.rpc, number));
    }
    assert!(files() <= at_first + 2, "{} files", files());
    let query = json!({"limit": false});
    let tasks = server.rpc.call("task_list", &query);
    assert_eq!(tasks.as_object().unwrap().len(), stored + 20);
    server.stop(Signal::SIGTERM).with_code(0);
}

fn logs_stop_first() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    rpc.call("add_task", &json!({"worker": "w", "task_id": "Loud"}));
    rpc.call("get_work", &json!({"worker": "w"}));
    let mut number = 0;
    let mut print = || {
        number += 1;
        let frame = LogFrame {
            number,
            time_millis: 0,
            source: LogSource::Stdout,
            text: vec![b'-'; 64 << 10],
        };
        let mut body = Vec::new();
        frame.write(&mut body);
        let url = format!(
            "http://127.0.0.1:{}/api/v1/attempt-log?task_id=Loud&worker=w",
            server.port
        );
        let request = ureq::post(url).config().http_status_as_error(false).build();
        request.send(&body).unwrap().status().as_u16()
    };
    let mut taken = 0;
    while print() == 200 {
        taken += 1;
        assert!(taken < 100, "more than the disk has");
    }
    assert!(taken > 20, "{taken}");
    assert_eq!(print(), 503);
    server.says("so little room left that it is kept for the journal: make room there");
    for number in 0..100 {
        assert!(add(rpc, number), "the state is stored all the same");
    }
    server.stop(Signal::SIGTERM).with_code(0);
}

/// Writes a file until nothing more fits.
fn fill(path: &PathBuf) {
    let mut file = File::create(path).unwrap();
    let block = vec![b'-'; 4096];
    while file.write_all(&block).is_ok() {}
}
