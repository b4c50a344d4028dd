//! What was acknowledged is there after every end, and workers find their tasks again.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::processes::{Kind, Place, Rpc, Server};

/// Announces a task.
fn announce(rpc: &Rpc, task_id: &str, deps: &Value) {
    let task = json!({
        "worker": "w", "task_id": task_id, "family": "Family", "module": "module",
        "params": {"day": "1"}, "deps": deps, "priority": 3, "resources": {"gpu": 1},
    });
    rpc.call("add_task", &task);
}

fn report(rpc: &Rpc, task_id: &str, status: &str) {
    let task = json!({"worker": "w", "task_id": task_id, "status": status, "expl": "\"why\""});
    rpc.call("add_task", &task);
}

/// All that a user sees of the state, without the times of contacts.
fn seen(rpc: &Rpc) -> Value {
    json!([
        rpc.call("graph", &json!({})),
        rpc.call("is_paused", &json!({})),
        rpc.call("resource_list", &json!({})),
        rpc.call("worker_list", &json!({}))[0]["name"],
    ])
}

/// Some of everything.
fn fill(rpc: &Rpc) {
    announce(rpc, "A", &json!([]));
    announce(rpc, "B", &json!(["A", "C"]));
    announce(rpc, "D", &json!([]));
    let work = rpc.call("get_work", &json!({"worker": "w", "host": "h"}));
    let task_id = work["task_id"].as_str().unwrap();
    report(rpc, task_id, "DONE");
    report(rpc, "D", "FAILED");
    rpc.call("update_resource", &json!({"resource": "gpu", "amount": 5}));
    rpc.call("pause", &json!({}));
}

#[test]
fn a_stop_and_a_start_keep_everything() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    fill(&server.rpc);
    let before = seen(&server.rpc);
    let ended = server.restart(&place, Kind::Ours, Signal::SIGTERM);
    ended.with_code(0);
    assert_eq!(seen(&server.rpc), before);
    server.says(": 4 tasks, from");
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    fill(&server.rpc);
    let before = seen(&server.rpc);
    server.restart(&place, Kind::Ours, Signal::SIGKILL);
    assert_eq!(seen(&server.rpc), before);
}

/// On luigid, 20 of 20 are lost.
#[test]
fn twenty_results_survive_a_kill_right_after_each() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    for number in 0..20 {
        let task_id = format!("T_{number}");
        announce(&server.rpc, &task_id, &json!([]));
        report(&server.rpc, &task_id, "DONE");
        server.restart(&place, Kind::Ours, Signal::SIGKILL);
        let tasks = server.rpc.call("task_list", &json!({}));
        let tasks = tasks.as_object().unwrap();
        assert_eq!(tasks.len(), number + 1);
        assert!(
            tasks.values().all(|task| task["status"] == "DONE"),
            "{tasks:?}"
        );
    }
}

/// Reports come over many connections while the server is killed.
#[test]
fn a_kill_amid_reports_loses_none_that_was_acknowledged() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    let url = format!("http://127.0.0.1:{}", server.port);
    let reporters: Vec<_> = (0..4)
        .map(|reporter| {
            let rpc = Rpc::new(&url);
            std::thread::spawn(move || {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    let task_id = format!("T_{reporter}_{number}");
                    let data = json!({"worker": "w", "task_id": task_id, "status": "DONE"});
                    match rpc.post("add_task", &data.to_string()) {
                        Ok(answer) if answer.status == 200 => acknowledged.push(task_id),
                        _ => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    crate::processes::wait_until("some reports have come", || {
        let tasks = server.rpc.call("task_list", &json!({}));
        tasks.as_object().unwrap().len() > 100
    });
    server.kill();
    let acknowledged: Vec<String> = reporters
        .into_iter()
        .flat_map(|reporter| reporter.join().unwrap())
        .collect();
    server.restart(&place, Kind::Ours, Signal::SIGKILL);
    let tasks = server.rpc.call("task_list", &json!({}));
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|task_id| tasks[task_id]["status"] != "DONE")
        .collect();
    assert!(acknowledged.len() > 100);
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_worker_goes_on_after_a_kill_without_announcing_anything_again() {
    let place = Place::new();
    let mut server = Server::start(&place, Kind::Ours);
    announce(&server.rpc, "A", &json!([]));
    announce(&server.rpc, "B", &json!(["A"]));
    let ask = json!({"worker": "w", "host": "h", "current_tasks": []});
    assert_eq!(server.rpc.call("get_work", &ask)["task_id"], "A");
    server.restart(&place, Kind::Ours, Signal::SIGKILL);
    report(&server.rpc, "A", "DONE");
    let work = server.rpc.call("get_work", &ask);
    assert_eq!(work["task_id"], "B");
    assert_eq!(work["task_params"], json!({"day": "1"}));
}
