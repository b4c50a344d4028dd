//! The server in the background.

use std::process::Command;

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, getpgid, getsid},
};
use serde_json::json;

use crate::processes::{Ended, Place, Rpc, free_port, wait_until};

/// A server in the background, which a test that fails does not leave there.
struct Detached(Pid);

impl Detached {
    fn of(place: &Place) -> Self {
        Self(Pid::from_raw(place.read("run/pid").parse().unwrap()))
    }

    fn runs(&self) -> bool {
        // The process is nobody's child here; who adopted it buries it.
        kill(self.0, None) != Err(Errno::ESRCH) && !is_zombie(self.0)
    }
}

fn is_zombie(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status
        .rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

impl Drop for Detached {
    fn drop(&mut self) {
        if self.runs() {
            let _ = kill(self.0, Signal::SIGKILL);
        }
    }
}

fn command(place: &Place, port: u16) -> Command {
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--background", "--pidfile", "run/pid"]);
    command.args(["--logdir", "logs", "--state-dir", "state"]);
    command.args(["--port", &port.to_string()]);
    command
}

fn start(place: &Place, port: u16) -> Ended {
    place.start("parent", &mut command(place, port)).end()
}

#[test]
fn it_returns_when_the_server_listens_and_leaves_it_running() {
    let place = Place::new();
    let port = free_port();
    let ended = start(&place, port).with_code(0);
    let server = Detached::of(&place);
    let rpc = Rpc::new(&format!("http://127.0.0.1:{port}"));
    assert!(rpc.is_ready());
    assert!(
        ended
            .stdout
            .starts_with(&format!("Listening on http://127.0.0.1:{port}")),
        "{ended:?}"
    );
    ended.says("State in state: a new state directory");
    assert_eq!(ended.stderr, "");
    // It has a session of its own, so that it outlives the terminal.
    assert_eq!(getsid(Some(server.0)), Ok(server.0));
    assert_eq!(getpgid(Some(server.0)), Ok(server.0));

    let log = place.read("logs/luigi-server.log");
    assert!(
        log.contains(&format!("luigi.server[{}] INFO: Listening on", server.0)),
        "{log}"
    );
    kill(server.0, Signal::SIGTERM).unwrap();
    wait_until("it has stopped", || !server.runs());
    let log = place.read("logs/luigi-server.log");
    assert!(
        log.contains("SIGTERM: Scheduler instance shutting down"),
        "{log}"
    );
    assert!(!place.path("run/pid").exists());
}

#[test]
fn a_second_one_is_refused_by_the_pid_file() {
    let place = Place::new();
    let port = free_port();
    start(&place, port).with_code(0);
    let server = Detached::of(&place);
    let ended = start(&place, free_port()).with_code(4);
    ended.says(&format!(
        "the scheduler already runs (pid {}, says run/pid)",
        server.0
    ));
    // So is one in the foreground.
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--pidfile",
        "run/pid",
        "--state-dir",
        "other",
        "--port",
        "0",
    ]);
    place.start("foreground", &mut command).end().with_code(4);
    assert!(server.runs());
}

#[test]
fn a_server_that_cannot_start_tells_who_waits() {
    let place = Place::new();
    let port = free_port();
    start(&place, port).with_code(0);
    let _server = Detached::of(&place);
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--background",
        "--logdir",
        "logs2",
        "--state-dir",
        "state",
    ]);
    command.args(["--port", &free_port().to_string()]);
    let ended = place.start("second", &mut command).end().with_code(4);
    ended.says("condotta: another scheduler");
    let log = place.read("logs2/luigi-server.log");
    assert!(log.contains("ERROR: another scheduler"), "{log}");

    place.write("luigi.cfg", "[scheduler]\nretry_delay = soon\n");
    let ended = place.start("third", &mut command).end().with_code(1);
    ended.says("[scheduler] retry_delay is \"soon\"");
}

#[test]
fn an_old_pid_file_is_no_hindrance() {
    let place = Place::new();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    std::fs::create_dir(place.path("run")).unwrap();
    place.write("run/pid", &gone.id().to_string());
    let port = free_port();
    start(&place, port).with_code(0);
    let server = Detached::of(&place);
    assert_ne!(server.0.as_raw().to_string(), gone.id().to_string());
    let rpc = Rpc::new(&format!("http://127.0.0.1:{port}"));
    assert_eq!(rpc.call("is_paused", &json!({})), json!({"paused": false}));
}
