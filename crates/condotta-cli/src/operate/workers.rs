//! `condotta workers`: who is there and what they do; and what can be changed of them.

use serde_json::{Value, json};

use super::{
    answer::{Answer, table},
    arguments::{WorkerChange, WorkersArguments},
    connection::{Scheduler, now},
    find,
    harmless::harmless,
    time::relative,
};
use crate::error::Failure;

pub(super) fn run(arguments: &WorkersArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    match &arguments.change {
        None => list(&scheduler),
        Some(WorkerChange::SetProcesses { worker, number }) => {
            let worker = find::worker(&scheduler, worker)?;
            let message = json!({ "worker": worker, "n": number });
            scheduler.call("set_worker_processes", &message)?;
            let text = format!(
                "{} is told to run {number} tasks at a time when it asks next\n",
                harmless(&worker)
            );
            let json = json!({ "worker": worker, "processes": number });
            Ok(Answer { text, json })
        }
        Some(WorkerChange::Disable { worker }) => {
            let worker = find::worker(&scheduler, worker)?;
            scheduler.call("disable_worker", &json!({ "worker": worker }))?;
            let text = format!("{} gets no more work\n", harmless(&worker));
            let json = json!({ "worker": worker, "state": "disabled" });
            Ok(Answer { text, json })
        }
    }
}

fn list(scheduler: &Scheduler) -> Result<Answer, Failure> {
    let workers = scheduler.call("worker_list", &json!({ "include_running": true }))?;
    let workers: Vec<Value> = workers.as_array().cloned().unwrap_or_default();
    let json = json!({ "workers": workers.iter().map(known).collect::<Vec<_>>() });
    if workers.is_empty() {
        let text = "no workers\n".to_owned();
        return Ok(Answer { text, json });
    }
    let now = now();
    let rows: Vec<Vec<String>> = workers.iter().map(|worker| row(worker, now)).collect();
    let headers = [
        "WORKER", "STATE", "RUNS", "OF", "PENDING", "ALONE", "STARTED", "HEARD OF", "HOST",
    ];
    let text = table(&headers, &rows);
    Ok(Answer { text, json })
}

/// The keys that programs can rely on.
fn known(worker: &Value) -> Value {
    let running = worker["running"].as_object().into_iter().flatten();
    let running: Vec<&String> = running.map(|(id, _)| id).collect();
    json!({
        "worker": worker["name"],
        "state": worker["state"],
        "processes": processes(worker),
        "running": running,
        "num_pending": worker["num_pending"],
        "num_uniques": worker["num_uniques"],
        "started": worker["started"],
        "last_active": worker["last_active"],
        "host": worker["host"],
        "username": worker["username"],
        "pid": worker["pid"],
        "first_task": worker["first_task_display_name"],
        "unread_messages": worker["num_unread_rpc_messages"],
    })
}

/// As many as it said.
fn processes(worker: &Value) -> i64 {
    worker["workers"].as_i64().unwrap_or(1)
}

fn row(worker: &Value, now: f64) -> Vec<String> {
    let number = |name: &str| worker[name].as_i64().unwrap_or_default().to_string();
    let when = |name: &str| worker[name].as_f64().map(|at| relative(at, now));
    let text = |name: &str| worker[name].as_str().unwrap_or_default().to_owned();
    vec![
        text("name"),
        text("state"),
        number("num_running"),
        processes(worker).to_string(),
        number("num_pending"),
        number("num_uniques"),
        when("started").unwrap_or_default(),
        when("last_active").unwrap_or_default(),
        text("host"),
    ]
}
