//! Workers that fall silent, vanish and come back, over servers that do the same.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::processes::{Kind, Place, Rpc, Server};

/// Servers look after a worker for this long, and after a failure for as long again.
const DELAY: Duration = Duration::from_secs(1);
const CONFIG: &str = "[scheduler]\nworker_disconnect_delay = 1\nretry_delay = 1\n";

fn server(place: &Place) -> Server {
    place.write("luigi.cfg", CONFIG);
    Server::start(place, Kind::Ours)
}

fn announce(rpc: &Rpc, worker: &str, task_id: &str) {
    let task = json!({"worker": worker, "task_id": task_id, "deps": []});
    rpc.call("add_task", &task);
}

/// What a worker gets that runs nothing.
fn ask(rpc: &Rpc, worker: &str) -> Value {
    let request = json!({"worker": worker, "host": "h", "current_tasks": []});
    rpc.call("get_work", &request)
}

/// Stops the server for longer than it waits for workers.
fn long_outage(server: &mut Server, place: &Place, signal: Signal) {
    server.stop_and_start(place, Kind::Ours, signal, || thread::sleep(2 * DELAY));
}

/// Somebody looks at the tasks before the first worker says anything. On luigid all workers are taken
/// for dead then, and nobody gets these tasks ever again.
#[test]
fn workers_find_their_tasks_after_an_outage_though_somebody_looked_first() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let place = Place::new();
        let mut server = server(&place);
        for number in 0..5 {
            let worker = ["x", "y"][number % 2];
            announce(&server.rpc, worker, &format!("T{number}"));
        }
        long_outage(&mut server, &place, signal);
        for view in ["task_list", "worker_list", "graph", "prune"] {
            server.rpc.call(view, &json!({}));
        }
        for (worker, tasks) in [("x", ["T0", "T2", "T4"].as_slice()), ("y", &["T1", "T3"])] {
            server.rpc.call("ping", &json!({"worker": worker}));
            for (left, task_id) in (1..=tasks.len()).rev().zip(tasks) {
                let work = ask(&server.rpc, worker);
                assert_eq!(work["task_id"], *task_id, "{signal}");
                assert_eq!(work["n_pending_tasks"], left, "{signal}");
                let done = json!({"worker": worker, "task_id": task_id, "status": "DONE"});
                server.rpc.call("add_task", &done);
            }
        }
    }
}

/// Also when they were missed before they came back: the server is up again for longer than it waits.
#[test]
fn workers_that_are_late_after_an_outage_find_their_tasks() {
    let place = Place::new();
    let mut server = server(&place);
    announce(&server.rpc, "x", "A");
    announce(&server.rpc, "x", "B");
    assert_eq!(ask(&server.rpc, "x")["task_id"], "A");
    long_outage(&mut server, &place, Signal::SIGKILL);
    crate::processes::wait_until("the worker is missed", || {
        let workers = server.rpc.call("worker_list", &json!({}));
        workers.as_array().unwrap().is_empty()
    });
    let count = server.rpc.call("count_pending", &json!({"worker": "x"}));
    assert_eq!(count["n_pending_tasks"], 2, "it has reason to stay");
    let done = json!({"worker": "x", "task_id": "A", "status": "DONE"});
    server.rpc.call("add_task", &done);
    assert_eq!(ask(&server.rpc, "x")["task_id"], "B");
}

/// A run goes on over an outage of any length: the worker is not to blame for it.
#[test]
fn a_run_outlives_an_outage() {
    let place = Place::new();
    let mut server = server(&place);
    announce(&server.rpc, "x", "A");
    announce(&server.rpc, "y", "A");
    assert_eq!(ask(&server.rpc, "x")["task_id"], "A");
    long_outage(&mut server, &place, Signal::SIGKILL);
    assert_eq!(ask(&server.rpc, "y")["task_id"], Value::Null);
    server.rpc.call("ping", &json!({"worker": "x"}));
    let done = json!({"worker": "x", "task_id": "A", "status": "DONE"});
    server.rpc.call("add_task", &done);
    let tasks = server.rpc.call("task_list", &json!({}));
    assert_eq!(tasks["A"]["status"], "DONE");
}

/// Nobody looks at any page. Luigid looks once a minute by itself.
#[test]
fn the_task_of_a_silent_worker_goes_to_another_in_time() {
    let place = Place::new();
    let server = server(&place);
    announce(&server.rpc, "x", "A");
    announce(&server.rpc, "y", "A");
    // The server hears of the worker for the last time after this, and before the answer is here.
    let asks = Instant::now();
    assert_eq!(ask(&server.rpc, "x")["task_id"], "A");
    while ask(&server.rpc, "y")["task_id"] != "A" {
        assert!(asks.elapsed() < 10 * DELAY, "too late");
        thread::sleep(Duration::from_millis(20));
    }
    let took = asks.elapsed();
    assert!(took >= 2 * DELAY, "{took:?}: too early");
}

/// A worker with the same id says that it runs nothing: what it ran is its own again at once.
#[test]
fn a_worker_that_starts_anew_gets_its_task_again_at_once() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    announce(&server.rpc, "x", "A");
    assert_eq!(ask(&server.rpc, "x")["task_id"], "A");
    announce(&server.rpc, "x", "A");
    assert_eq!(ask(&server.rpc, "x")["task_id"], "A");
}
