//! Thousands of clients, silent, slow or too many: workers are served all the same.

use std::{
    thread,
    time::{Duration, Instant},
};

use condotta_test_servers::life;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    processes::{Kind, Place, Server, free_port, wait_until},
    wire::Wire,
};

/// The head of a request has to arrive within ten seconds, and may be noticed a little later.
const LONGEST_HEAD: Duration = Duration::from_secs(20);

const PING: &str = r#"{"worker": "w"}"#;

/// Lets this process open so many files, or as many as it may. How many that are.
fn open_files(wanted: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard).unwrap();
    }
    wanted.min(soft.max(hard))
}

#[track_caller]
fn ping(wire: &mut Wire) -> Duration {
    let began = Instant::now();
    let answer = wire.call("ping", PING).expect("an answer");
    assert_eq!(answer.status, 200);
    began.elapsed()
}

/// As those of workers that run long tasks, or of open pages.
#[test]
fn two_thousand_idle_connections_cost_little_and_stay() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let count = open_files(4000).saturating_sub(1000).min(2000);
    let before = life::memory_now(server.id());
    let mut idle: Vec<Wire> = (0..count)
        .map(|_| {
            let mut wire = Wire::new(&server);
            ping(&mut wire);
            wire
        })
        .collect();
    assert!(idle.len() >= 100, "this machine allows few files");
    let mut took: Vec<Duration> = (0..100).map(|_| ping(&mut idle[0])).collect();
    took.sort();
    assert!(took[50] < Duration::from_millis(100), "{:?}", took[50]);
    let each = (life::memory_now(server.id()).saturating_sub(before)) / count;
    assert!(each < 64 << 10, "{each} bytes for a connection");
    assert!(!idle.iter_mut().any(Wire::is_closed));
    for wire in &mut idle {
        ping(wire);
    }
}

/// Heads that come a line at a time. Luigid keeps them all for ever.
#[test]
fn slow_heads_are_cut_off_while_others_are_served() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let count = open_files(4000).saturating_sub(1000).min(500);
    let mut worker = Wire::new(&server);
    ping(&mut worker);
    let mut slow: Vec<Wire> = (0..count).map(|_| Wire::new(&server)).collect();
    let began = Instant::now();
    for wire in &mut slow {
        wire.send(b"POST /api/ping HTTP/1.1\r\nHost: localhost\r\n")
            .unwrap();
    }
    let mut slowest = Duration::ZERO;
    while !slow.is_empty() {
        assert!(began.elapsed() < LONGEST_HEAD, "{} are there", slow.len());
        slowest = slowest.max(ping(&mut worker));
        slow.retain_mut(|wire| !wire.is_closed() && wire.send(b"X-Slow: y\r\n").is_ok());
        thread::sleep(Duration::from_millis(200));
    }
    assert!(
        began.elapsed() > Duration::from_secs(5),
        "nobody is cut off early"
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?} for a ping");
    ping(&mut Wire::new(&server));
}

/// On luigid no request is answered any more, the processor is busy with nothing, and the log grows by
/// 480 MB in twenty seconds.
#[test]
fn more_connections_than_files_leave_workers_served_and_the_log_short() {
    let place = Place::new();
    let port = free_port();
    let mut command = place.command("bash");
    command
        .args(["-c", "ulimit -n 256; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_condotta"))
        .args([
            "scheduler",
            "--address",
            "127.0.0.1",
            "--state-dir",
            "state",
        ])
        .args(["--port", &port.to_string()]);
    let server = Server::of_command(&place, &mut command, port);
    open_files(2000);
    let mut worker = Wire::new(&server);
    ping(&mut worker);
    let crowd: Vec<Wire> = (0..400).map(|_| Wire::new(&server)).collect();
    let before = life::processor_time(server.id());
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        let took = ping(&mut worker);
        assert!(took < Duration::from_secs(1), "{took:?} for a ping");
        thread::sleep(Duration::from_millis(50));
    }
    let used = life::processor_time(server.id()) - before;
    assert!(used < began.elapsed() / 3, "it used {used:?}");
    // Who comes now waits behind the crowd until that is cut off.
    ping(&mut Wire::new(&server));
    assert!(began.elapsed() < 2 * LONGEST_HEAD, "{:?}", began.elapsed());
    let log = server.stderr();
    assert!(log.contains("connections at once instead of"), "{log}");
    assert!(log.len() < 10_000, "{} bytes of log", log.len());
    drop(crowd);
    wait_until("new clients are served at once", || {
        ping(&mut Wire::new(&server)) < Duration::from_secs(1)
    });
}
