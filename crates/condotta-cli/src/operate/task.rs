//! `condotta task`: all that is known of a task.

use serde_json::{Value, json};

use super::{
    answer::{Answer, facts},
    arguments::OneTask,
    connection::{Scheduler, now},
    find,
    harmless::harmless_lines,
    time::moment,
    view::Task,
};
use crate::error::Failure;

pub(super) fn run(arguments: &OneTask) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let task = find::task(&scheduler, &arguments.task)?;
    let error = scheduler.call("fetch_error", &json!({ "task_id": task.id }))?;
    let expl = said(error["error"].as_str());
    let dependencies = dependencies(&scheduler, &task)?;
    let mut json = task.json();
    json.insert("error".to_owned(), expl.clone().into());
    json.insert("workers".to_owned(), task.value["workers"].clone());
    json.insert("module".to_owned(), error["taskModule"].clone());
    json.insert("dependencies".to_owned(), dependencies.clone().into());
    Ok(Answer {
        text: text(&task, &dependencies, &error, expl.as_deref()),
        json: json.into(),
    })
}

/// What its last run said: workers put it into JSON once more.
fn said(expl: Option<&str>) -> Option<String> {
    let expl = expl.filter(|expl| !expl.is_empty())?;
    let inner = serde_json::from_str::<String>(expl);
    Some(inner.unwrap_or_else(|_| expl.to_owned()))
}

/// The ids of its dependencies, each with its status.
fn dependencies(scheduler: &Scheduler, task: &Task) -> Result<Vec<Value>, Failure> {
    let graph = scheduler.call("dep_graph", &json!({ "task_id": task.id }))?;
    let ids = graph[&task.id]["deps"].as_array();
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    let dependency = |id: &str| json!({ "task_id": id, "status": graph[id]["status"] });
    Ok(ids.map(dependency).collect())
}

fn text(task: &Task, dependencies: &[Value], error: &Value, expl: Option<&str>) -> String {
    let now = now();
    let value = &task.value;
    let mut lines = vec![
        ("task", task.name.clone()),
        ("id", task.id.clone()),
        (
            "status",
            format!("{}, since {}", task.status, moment(task.updated, now)),
        ),
    ];
    let mut add = |name: &'static str, text: String| {
        if !text.is_empty() {
            lines.push((name, text));
        }
    };
    let is_running = matches!(task.status.as_str(), "RUNNING" | "BATCH_RUNNING");
    let run = if is_running {
        "running on"
    } else {
        "last run on"
    };
    let since = task.time_running.map(|at| moment(at, now));
    match (&task.worker, since) {
        (Some(worker), Some(since)) => add(run, format!("{worker}, since {since}")),
        (Some(worker), None) => add(run, worker.clone()),
        _ => {}
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    if let Some(percent) = value["progress_percentage"].as_f64() {
        add("progress", format!("{percent} %"));
    }
    add("says", text("status_message"));
    add("tracking", text("tracking_url"));
    add("can run on", task.workers().collect::<Vec<_>>().join(", "));
    add("resources", task.pairs("resources"));
    if task.priority() != 0.0 {
        add("priority", task.priority().to_string());
    }
    add(
        "module",
        error["taskModule"].as_str().unwrap_or_default().to_owned(),
    );
    if let Some(at) = value["start_time"].as_f64() {
        add("announced", moment(at, now));
    }
    add("depends on", counted(dependencies));
    let mut out = facts(&lines);
    if let Some(expl) = expl {
        out += &format!("\n{}\n", harmless_lines(expl));
    }
    out
}

/// As in `3 tasks (2 DONE, 1 PENDING)`.
fn counted(dependencies: &[Value]) -> String {
    if dependencies.is_empty() {
        return String::new();
    }
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for dependency in dependencies {
        let status = dependency["status"].as_str().unwrap_or("UNKNOWN");
        *counts.entry(status).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let tasks = if dependencies.len() == 1 {
        "task"
    } else {
        "tasks"
    };
    format!("{} {tasks} ({})", dependencies.len(), counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_said_is_taken_out_of_its_json() {
        assert_eq!(said(Some("\"a\\nb\"")).as_deref(), Some("a\nb"));
        assert_eq!(said(Some("plain")).as_deref(), Some("plain"));
        assert_eq!(said(Some("")), None);
    }
}
