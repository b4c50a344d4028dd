//! Workers that send their requests with `requests`, as they do where they find the package that
//! lets them reach Unix sockets.

use libtest_mimic::Trial;
use nix::sys::signal::Signal;

use crate::{
    processes::{Kind, unix_sockets},
    stage::{Stage, Worker},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_worker_over_a_unix_socket", unix_socket),
        trial("a_worker_with_lasting_connections", lasting_connections),
    ]
}

fn worker(stage: &Stage, words: &str) -> Worker {
    let folder = unix_sockets().expect("tests that need it look for it before");
    stage.worker_with("worker", words, &[folder])
}

fn unix_socket() {
    let stage = Stage::with_arguments(&["--unix-socket", "socket"]);
    let path = stage.place.path("socket");
    let path = path.to_str().unwrap().replace('/', "%2F");
    let words = format!("plain Root --scheduler-url http+unix://{path}/");
    let ended = worker(&stage, &words).end().with_code(0);
    ended.says("4 ran successfully");
    assert_eq!(stage.count("DONE"), 4);
}

/// Its connection ends with the server, and it goes on over another one.
fn lasting_connections() {
    let mut stage = Stage::new(Kind::Ours, "");
    let worker = worker(&stage, "waiting Root");
    stage.wait_for(1, "RUNNING");
    stage.restart(Signal::SIGKILL);
    stage.place.write("go", "");
    worker.end().with_code(0).says("5 ran successfully");
    assert_eq!(stage.count("DONE"), 5);
}
