//! The machine's clock leaps while the server runs.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    processes::{Place, Rpc, Server, faketime, free_port},
    trial,
};

/// Servers look after a worker for this long, and after a failure for as long again.
const DELAY: Duration = Duration::from_secs(1);
const CONFIG: &str = "[scheduler]\nworker_disconnect_delay = 1\nretry_delay = 1\n";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_leap_forward_loses_no_worker_and_no_run", || {
            nothing_is_lost("+24h", 86_400.0);
        }),
        trial("a_leap_back_loses_no_worker_and_no_run", || {
            nothing_is_lost("-2h", -7200.0);
        }),
        trial(
            "after_a_leap_back_a_dead_worker_is_noticed_in_time",
            a_dead_worker_is_noticed,
        ),
    ]
}

/// A server whose wall clock is that of the machine, and more or less by what `leap` says.
fn server(place: &Place) -> Server {
    place.write("luigi.cfg", CONFIG);
    leap(place, "+0");
    let port = free_port();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command
        .args(["scheduler", "--address", "127.0.0.1", "--state-dir"])
        .args(["state", "--port", &port.to_string()])
        .env("LD_PRELOAD", faketime().expect("it was looked for before"))
        .env("FAKETIME_TIMESTAMP_FILE", place.path("leap"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    Server::of_command(place, &mut command, port)
}

/// The file is never there in part.
fn leap(place: &Place, by: &str) {
    place.write("leap.new", by);
    fs::rename(place.path("leap.new"), place.path("leap")).unwrap();
}

fn announce(rpc: &Rpc, worker: &str, task_id: &str) {
    rpc.call("add_task", &json!({"worker": worker, "task_id": task_id}));
}

fn ask(rpc: &Rpc, worker: &str, current_tasks: &[&str]) -> Value {
    let request = json!({"worker": worker, "current_tasks": current_tasks});
    rpc.call("get_work", &request)["task_id"].take()
}

fn tasks(rpc: &Rpc) -> Value {
    rpc.call("task_list", &json!({}))
}

/// On luigid all workers are dropped by a leap forward, and what runs has failed.
fn nothing_is_lost(by: &str, seconds: f64) {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    for task_id in ["A", "B", "C"] {
        announce(rpc, "x", task_id);
    }
    announce(rpc, "y", "A");
    assert_eq!(ask(rpc, "x", &[]), "A");
    let before = tasks(rpc)["A"]["start_time"].as_f64().unwrap();
    leap(&place, by);
    let leapt = Instant::now();
    // For longer than a worker is waited for and its task held back, x says no more than a ping.
    while leapt.elapsed() < 3 * DELAY {
        rpc.call("prune", &json!({}));
        rpc.call("ping", &json!({"worker": "x"}));
        assert_eq!(ask(rpc, "y", &[]), Value::Null);
        let workers = rpc.call("worker_list", &json!({}));
        assert_eq!(workers.as_array().unwrap().len(), 2, "{workers}");
        let task = tasks(rpc)["A"].take();
        assert_eq!(task["status"], "RUNNING");
        assert_eq!(task["worker_running"], "x");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(ask(rpc, "x", &["A"]), "B", "what is ready is handed out");
    announce(rpc, "x", "New");
    let after = tasks(rpc)["New"]["start_time"].as_f64().unwrap();
    let leapt_by = after - before;
    assert!((leapt_by - seconds).abs() < 600.0, "by {leapt_by} s only");
    let done = json!({"worker": "x", "task_id": "A", "status": "DONE"});
    rpc.call("add_task", &done);
    assert_eq!(tasks(rpc)["A"]["status"], "DONE");
}

/// On luigid it is waited for until the clock has caught up.
fn a_dead_worker_is_noticed() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    announce(rpc, "x", "A");
    announce(rpc, "y", "A");
    assert_eq!(ask(rpc, "x", &[]), "A");
    leap(&place, "-2h");
    let silent = Instant::now();
    while ask(rpc, "y", &[]) != "A" {
        assert!(silent.elapsed() < 10 * DELAY, "the worker is not missed");
        thread::sleep(Duration::from_millis(20));
    }
}
