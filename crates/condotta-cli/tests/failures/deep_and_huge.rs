//! Bodies, numbers and graphs beyond all measure: refused or handled, and nobody waits for them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use condotta_test_servers::life;
use serde_json::{Value, json};

use crate::{
    processes::{Kind, Place, Rpc, Server},
    wire::Wire,
};

/// On luigid every other request waits for seconds, and the memory is not given back.
#[test]
fn huge_bodies_are_refused_at_once_and_nobody_waits_for_them() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let is_over = AtomicBool::new(false);
    let before = life::most_memory(server.id());
    thread::scope(|scope| {
        let pings = scope.spawn(|| latencies(&server, &is_over));
        for megabytes in [50, 100, 110, 50, 100, 110] {
            let length = megabytes << 20;
            let mut wire = Wire::new(&server);
            let head = format!(
                "POST /api/add_task HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n\r\ndata="
            );
            let began = Instant::now();
            wire.send(head.as_bytes()).unwrap();
            let answer = wire.answer().unwrap();
            assert_eq!(answer.status, 413, "{answer:?}");
            let took = began.elapsed();
            assert!(took < Duration::from_secs(1), "{took:?} for {megabytes} MB");
            // A client that does not listen sends on.
            let part = vec![b'x'; 1 << 20];
            (0..megabytes).all(|_| wire.send(&part).is_ok());
        }
        is_over.store(true, Ordering::Relaxed);
        let mut pings = pings.join().unwrap();
        assert!(pings.len() >= 100, "{} pings", pings.len());
        pings.sort();
        let p99 = pings[pings.len() * 99 / 100];
        assert!(p99 < Duration::from_secs(1), "{p99:?}");
    });
    let grown = life::most_memory(server.id()) - before;
    assert!(grown < 32 << 20, "it took {grown} bytes more");
}

/// How long pings take until it is over, a hundred at least.
fn latencies(server: &Server, is_over: &AtomicBool) -> Vec<Duration> {
    let mut wire = Wire::new(server);
    let mut took = Vec::new();
    while took.len() < 100 || !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let answer = wire.call("ping", r#"{"worker": "w"}"#).unwrap();
        assert_eq!(answer.status, 200);
        took.push(began.elapsed());
    }
    took
}

#[test]
fn endless_numbers_are_refused_or_bounded() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let digits = "9".repeat(10_000);
    let ask = |method: &str, data: String| server.rpc.post(method, &data).unwrap();
    let with = |name: &str| format!(r#"{{"worker": "w", "task_id": "A", "{name}": {digits}}}"#);
    for (method, data) in [
        ("add_task", with("worker")),
        ("add_task", with("attempt")),
        (
            "add_task",
            format!(r#"{{"worker": "w", "task_id": "A", "resources": {{"r": {digits}}}}}"#),
        ),
        (
            "update_resource",
            format!(r#"{{"resource": "r", "amount": {digits}}}"#),
        ),
        (
            "set_worker_processes",
            format!(r#"{{"worker": "w", "n": {digits}}}"#),
        ),
    ] {
        let answer = ask(method, data);
        let is_no = answer.status == 400 || answer.body.contains("false");
        assert!(is_no, "{method}: {answer:?}");
    }
    assert_eq!(server.rpc.call("task_list", &json!({})), json!({}));
    // Python takes 1e10000 as a priority; what is shown has to be JSON.
    let task = r#"{"worker": "w", "task_id": "A", "priority": 1e10000}"#;
    assert_eq!(ask("add_task", task.to_owned()).status, 200);
    let tasks = server.rpc.call("task_list", &json!({}));
    assert!(tasks["A"]["priority"].is_number(), "{tasks}");
}

/// Adds tasks that need each other in a row: the first needs the second, and so on.
fn add_row(rpc: &Rpc, prefix: &str, length: usize, last_needs: &Value) {
    let tasks: Vec<Value> = (0..length)
        .map(|number| {
            let next = json!([format!("{prefix}{}", number + 1)]);
            let deps = if number + 1 == length {
                last_needs
            } else {
                &next
            };
            json!({"task_id": format!("{prefix}{number}"), "deps": deps, "family": "F"})
        })
        .collect();
    for tasks in tasks.chunks(1000) {
        let reply = rpc.call("add_tasks", &json!({"worker": "w", "tasks": tasks}));
        assert_eq!(reply["refused"], json!([]));
    }
}

/// Raises a task's priority.
fn raise(rpc: &Rpc, task_id: &str, dep: &str) {
    let task = json!({"worker": "w", "task_id": task_id, "deps": [dep], "priority": 50});
    rpc.call("add_task", &task);
}

/// On luigid neither can be scheduled: Python's stack ends at about a thousand.
#[test]
fn a_deep_chain_and_a_ring_with_priority_are_scheduled() {
    let place = Place::new();
    let server = Server::start(&place, Kind::Ours);
    let rpc = &server.rpc;
    add_row(rpc, "Ring", 1000, &json!(["Ring0"]));
    raise(rpc, "Ring0", "Ring1");
    add_row(rpc, "Other", 1, &json!([]));
    add_row(rpc, "Chain", 3000, &json!([]));
    raise(rpc, "Chain0", "Chain1");
    let work = rpc.call("get_work", &json!({"worker": "w", "current_tasks": []}));
    assert_eq!(work["task_id"], "Chain2999");
    let graph = rpc.call("dep_graph", &json!({"task_id": "Chain0"}));
    assert_eq!(graph.as_object().unwrap().len(), 3000);
    assert_eq!(graph["Chain2999"]["priority"], 50);
    let ring = rpc.call("inverse_dep_graph", &json!({"task_id": "Ring7"}));
    assert_eq!(ring.as_object().unwrap().len(), 1000);
    for number in (2900..3000).rev() {
        let task_id = format!("Chain{number}");
        let done = json!({"worker": "w", "task_id": task_id, "status": "DONE"});
        rpc.call("add_task", &done);
        let work = rpc.call("get_work", &json!({"worker": "w", "current_tasks": []}));
        assert_eq!(work["task_id"], format!("Chain{}", number - 1));
    }
    let waiting = rpc.call(
        "task_list",
        &json!({"status": "PENDING", "upstream_status": ""}),
    );
    assert!(waiting.as_object().unwrap().len() > 2900);
}
