//! What workers say that were taken for dead, or that missed an answer.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::processes::{Kind, Place, Rpc, Server};

/// Workers are given up after a second, and their tasks handed on a second later.
const CONFIG: &str =
    "[scheduler]\nworker_disconnect_delay = 1\nretry_delay = 1\n[resources]\nlicence = 1\n";

/// Much longer than the task of a silent worker takes to go to another one.
const PATIENCE: Duration = Duration::from_secs(30);

fn server(place: &Place) -> Server {
    place.write("luigi.cfg", CONFIG);
    Server::start(place, Kind::Ours)
}

/// Says something of task `A`.
fn say(rpc: &Rpc, worker: &str, what: &Value) {
    let mut task = json!({"worker": worker, "task_id": "A"});
    let more = what.as_object().unwrap().clone();
    task.as_object_mut().unwrap().extend(more);
    rpc.call("add_task", &task);
}

/// What a worker gets that says it runs these tasks; null for a worker that does not say.
fn ask(rpc: &Rpc, worker: &str, current_tasks: &Value) -> Value {
    let request = json!({"worker": worker, "host": "h", "current_tasks": current_tasks});
    rpc.call("get_work", &request)["task_id"].take()
}

/// What belongs to the run of task `A`.
fn run(rpc: &Rpc) -> Value {
    let task = rpc.call("task_list", &json!({}))["A"].take();
    let of_run = ["status", "worker_running", "time_running", "tracking_url"];
    of_run
        .map(|key| (key, task[key].clone()))
        .into_iter()
        .collect()
}

/// `x` got task `A` and fell silent; `y` runs it now.
fn taken_over(rpc: &Rpc) {
    for worker in ["x", "y"] {
        say(rpc, worker, &json!({"deps": []}));
    }
    assert_eq!(ask(rpc, "x", &json!([])), "A");
    let began = Instant::now();
    while ask(rpc, "y", &json!([])) != "A" {
        assert!(began.elapsed() < PATIENCE, "nobody gets the task");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A report of `x` has changed nothing, and what `y` says still counts.
fn runs_at_y(rpc: &Rpc, before: &Value) {
    assert_eq!(&run(rpc), before);
    assert_eq!(before["status"], "RUNNING");
    assert_eq!(before["worker_running"], "y");
    assert_eq!(ask(rpc, "x", &json!([])), Value::Null);
    say(rpc, "y", &json!({"status": "DONE"}));
    assert_eq!(run(rpc)["status"], "DONE");
}

#[test]
fn a_late_done_does_not_end_the_run_of_another() {
    let place = Place::new();
    let server = server(&place);
    taken_over(&server.rpc);
    let before = run(&server.rpc);
    say(&server.rpc, "x", &json!({"status": "DONE"}));
    runs_at_y(&server.rpc, &before);
}

/// On luigid the error and the URL are overwritten, and the new dependencies make the running task
/// pending.
#[test]
fn other_late_reports_change_nothing_of_the_run_of_another() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    taken_over(rpc);
    let url =
        |worker: &str| json!({"status": "RUNNING", "tracking_url": format!("http://{worker}/")});
    say(rpc, "y", &url("y"));
    let before = run(rpc);
    assert_eq!(before["tracking_url"], "http://y/");
    say(rpc, "x", &json!({"status": "FAILED", "expl": "late"}));
    say(rpc, "x", &url("x"));
    say(rpc, "x", &json!({"status": "PENDING", "new_deps": ["B"]}));
    let error = rpc.call("fetch_error", &json!({"task_id": "A"}));
    assert_eq!(error["error"], Value::Null);
    runs_at_y(rpc, &before);
}

#[test]
fn a_late_done_counts_when_nobody_runs_the_task() {
    let place = Place::new();
    let server = server(&place);
    taken_over(&server.rpc);
    say(&server.rpc, "y", &json!({"status": "FAILED", "expl": "no"}));
    say(&server.rpc, "x", &json!({"status": "DONE"}));
    assert_eq!(run(&server.rpc)["status"], "DONE");
}

/// Combined tasks of batches are claimed so.
#[test]
fn the_claim_of_a_task_that_nobody_runs_counts_and_any_other_does_not() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    let claim = json!({"status": "RUNNING"});
    for worker in ["x", "y"] {
        say(rpc, worker, &json!({"deps": []}));
    }
    // One that ran it before is no owner any more.
    assert_eq!(ask(rpc, "x", &json!([])), "A");
    say(rpc, "x", &json!({"status": "FAILED"}));
    say(rpc, "y", &claim);
    assert_eq!(run(rpc)["worker_running"], "y");
    say(rpc, "x", &claim);
    say(rpc, "x", &json!({"status": "DONE"}));
    let claimed = run(rpc);
    assert_eq!(claimed["status"], "RUNNING");
    assert_eq!(claimed["worker_running"], "y");
    say(rpc, "y", &json!({"status": "DONE"}));
    assert_eq!(run(rpc)["status"], "DONE");
}

/// A worker that does not list a task which it was given has not got the answer.
#[test]
fn a_task_whose_answer_was_lost_is_handed_out_again() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    for worker in ["x", "y"] {
        say(rpc, worker, &json!({"deps": []}));
    }
    assert_eq!(ask(rpc, "x", &json!([])), "A");
    assert_eq!(ask(rpc, "x", &Value::Null), Value::Null, "it did not say");
    assert_eq!(ask(rpc, "x", &json!(["A"])), Value::Null, "it has it");
    assert_eq!(ask(rpc, "y", &json!([])), Value::Null, "another has it");
    assert_eq!(ask(rpc, "x", &json!([])), "A", "it was lost");
}

/// On luigid it lets others take more than there is: four tasks run at once.
#[test]
fn a_negative_need_is_refused_and_lets_nobody_take_more() {
    let place = Place::new();
    let server = server(&place);
    let rpc = &server.rpc;
    let need = |task_id: &str, amount: i64| {
        let resources = json!({"licence": amount});
        json!({"worker": "x", "task_id": task_id, "resources": resources})
    };
    let refused = rpc.post("add_task", &need("Minus", -100).to_string());
    let refused = refused.unwrap();
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("licence"), "{refused:?}");
    for task_id in ["B", "C", "D"] {
        rpc.call("add_task", &need(task_id, 1));
    }
    let mut got: Vec<Value> = (0..4).map(|_| ask(rpc, "x", &Value::Null)).collect();
    got.retain(|task_id| !task_id.is_null());
    assert_eq!(got, ["B"]);
    let tasks = rpc.call("task_list", &json!({}));
    assert!(tasks.get("Minus").is_none(), "{tasks}");
}
