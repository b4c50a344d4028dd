//! A program that is told twice to stop, with a task that cannot be stopped: what becomes of it on a
//! scheduler's server.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, RwLock},
    thread,
    time::{Duration, Instant},
};

use condotta_test_servers::wait_until;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    program::{Program, Running},
    server::Server,
};

/// Its time and the scheduler's together, and more: a machine may be busy.
const LEAVES_WITHIN: Duration = Duration::from_secs(20);

/// Starts a task that waits for a text that nobody writes.
fn start_stuck(program: &Program, port: &str) -> Running {
    let made = Command::new("mkfifo").arg(program.path("one.txt")).status();
    assert!(made.expect("mkfifo starts").success());
    program.start(&["Chapter", "--name", "one", "--scheduler-port", port])
}

fn send(program: &Running, signal: Signal) {
    kill(Pid::from_raw(program.id()), signal).expect("it runs");
}

fn stop_twice(program: &Running) {
    send(program, Signal::SIGINT);
    send(program, Signal::SIGTERM);
}

#[test]
fn a_task_that_cannot_be_stopped_is_given_back() {
    let server = Server::start();
    let program = Program::example("make_like");
    let running = start_stuck(&program, &server.port);
    wait_until("the task runs", || server.statuses() == ["RUNNING"]);
    stop_twice(&running);
    let ran = running.end(LEAVES_WITHIN);
    assert!([130, 143].contains(&ran.code), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("leaving without them"),
        "{}",
        ran.stderr
    );
    assert_eq!(server.statuses(), ["PENDING"], "{}", ran.stderr);
    assert_eq!(server.ask("worker_list"), "[]");
    // No failure was counted, so it is handed out at once.
    std::fs::remove_file(program.path("one.txt")).expect("it is there");
    std::fs::write(program.path("one.txt"), "text").expect("there is room");
    let ran = program.run(&["Chapter", "--name", "one", "--scheduler-port", &server.port]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(program.read("one.upper"), "TEXT");
    assert_eq!(server.statuses(), ["DONE"]);
}

#[test]
fn a_third_signal_gives_it_back_without_waiting_for_the_task() {
    let server = Server::start();
    let program = Program::example("make_like");
    let running = start_stuck(&program, &server.port);
    wait_until("the task runs", || server.statuses() == ["RUNNING"]);
    send(&running, Signal::SIGINT);
    running.wait_for("SIGINT: finishing");
    send(&running, Signal::SIGINT);
    running.wait_for("SIGINT again");
    send(&running, Signal::SIGINT);
    let ran = running.end(LEAVES_WITHIN);
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(!ran.stderr.contains("leaving without them"));
    assert_eq!(server.statuses(), ["PENDING"], "{}", ran.stderr);
}

/// Behind a door that is closed while the task runs, as a server that hangs: what is sent is taken,
/// and never answered.
#[test]
fn a_server_that_hangs_does_not_hold_the_program_up() {
    let server = Server::start();
    let door = Door::before(&server.port);
    let program = Program::example("make_like");
    let running = start_stuck(&program, &door.port);
    wait_until("the task runs", || server.statuses() == ["RUNNING"]);
    door.close();
    let begun = Instant::now();
    stop_twice(&running);
    let ran = running.end(LEAVES_WITHIN);
    // Three seconds for the task and two for the scheduler; a request would be waited for ten.
    assert!(begun.elapsed() < Duration::from_secs(10), "{}", ran.stderr);
    assert!([130, 143].contains(&ran.code), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("was not told in time"),
        "{}",
        ran.stderr
    );
    assert_eq!(server.statuses(), ["RUNNING"]);
}

/// Passes on what it is sent, until it is closed.
struct Door {
    port: String,
    open: Arc<RwLock<bool>>,
}

impl Door {
    fn before(port: &str) -> Self {
        let server: u16 = port.parse().expect("it is a number");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let open = Arc::new(RwLock::new(true));
        let is_open = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let is_open = Arc::clone(&is_open);
                let Ok(upstream) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
                    return;
                };
                let pass = [(&client, &upstream), (&upstream, &client)].map(|(from, to)| {
                    let clone = |stream: &TcpStream| {
                        stream.try_clone().expect("there are descriptors left")
                    };
                    (clone(from), clone(to), Arc::clone(&is_open))
                });
                for (mut from, mut to, is_open) in pass {
                    thread::spawn(move || {
                        let mut part = [0; 4096];
                        while let Ok(size @ 1..) = from.read(&mut part) {
                            let open = is_open.read().expect("nobody panics with this lock");
                            if *open && to.write_all(&part[..size]).is_err() {
                                break;
                            }
                        }
                    });
                }
            }
        });
        Self {
            port: port.to_string(),
            open,
        }
    }

    fn close(&self) {
        *self.open.write().expect("nobody panics with this lock") = false;
    }
}
