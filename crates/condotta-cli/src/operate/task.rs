//! `condotta task`: all that is known of a task.

use serde_json::{Value, json};

use super::{
    answer::{Answer, facts},
    arguments::OneTask,
    connection::{Scheduler, escaped, now},
    find,
    harmless::harmless_lines,
    time::moment,
    view::Task,
};
use crate::error::Failure;

pub(super) fn run(arguments: &OneTask) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let task = find::task(&scheduler, &arguments.task)?;
    let all = match scheduler.get(&format!("tasks/{}", escaped(&task.id)), &[])? {
        Some(detail) => All::of(&detail),
        None => All::at_luigid(&scheduler, task)?,
    };
    let mut json = all.task.json();
    json.insert("error".to_owned(), all.error.clone().into());
    json.insert("workers".to_owned(), all.task.value["workers"].clone());
    json.insert("module".to_owned(), all.module.clone().into());
    json.insert("dependencies".to_owned(), all.dependencies.clone().into());
    Ok(Answer {
        text: text(&all),
        json: json.into(),
    })
}

/// A task with what else is known of it.
struct All {
    task: Task,
    module: Option<String>,
    /// What its last run said.
    error: Option<String>,
    /// The ids of its dependencies, each with its status.
    dependencies: Vec<Value>,
    /// How many there are.
    dependency_count: usize,
}

impl All {
    /// As our API tells it: of very many dependencies some.
    fn of(detail: &Value) -> Self {
        let mut task = Task::of_row(&detail["task"]);
        for whole in ["params", "status_message", "workers"] {
            task.value[whole] = detail[whole].clone();
        }
        let links = detail["dependencies"].as_array().into_iter().flatten();
        let dependency = |link: &Value| json!({ "task_id": link["id"], "status": link["status"] });
        let dependencies: Vec<Value> = links.map(dependency).collect();
        let count = detail["task"]["dependencies"].as_u64();
        let count = count.and_then(|count| usize::try_from(count).ok());
        let text = |name: &str| detail[name].as_str().map(str::to_owned);
        Self {
            task,
            module: text("module"),
            error: text("error"),
            dependency_count: count.unwrap_or(dependencies.len()),
            dependencies,
        }
    }

    fn at_luigid(scheduler: &Scheduler, task: Task) -> Result<Self, Failure> {
        let error = scheduler.call("fetch_error", &json!({ "task_id": task.id }))?;
        let graph = scheduler.call("dep_graph", &json!({ "task_id": task.id }))?;
        let ids = graph[&task.id]["deps"].as_array();
        let ids = ids.into_iter().flatten().filter_map(Value::as_str);
        let dependency = |id: &str| json!({ "task_id": id, "status": graph[id]["status"] });
        let dependencies: Vec<Value> = ids.map(dependency).collect();
        Ok(Self {
            module: error["taskModule"].as_str().map(str::to_owned),
            error: said(error["error"].as_str()),
            dependency_count: dependencies.len(),
            dependencies,
            task,
        })
    }
}

/// What its last run said: workers put it into JSON once more.
fn said(expl: Option<&str>) -> Option<String> {
    let expl = expl.filter(|expl| !expl.is_empty())?;
    let inner = serde_json::from_str::<String>(expl);
    Some(inner.unwrap_or_else(|_| expl.to_owned()))
}

fn text(all: &All) -> String {
    let now = now();
    let task = &all.task;
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
    add("module", all.module.clone().unwrap_or_default());
    if let Some(at) = value["start_time"].as_f64() {
        add("announced", moment(at, now));
    }
    add(
        "depends on",
        counted(&all.dependencies, all.dependency_count),
    );
    let mut out = facts(&lines);
    if let Some(expl) = &all.error {
        out += &format!("\n{}\n", harmless_lines(expl));
    }
    out
}

/// As in `3 tasks (2 DONE, 1 PENDING)`.
fn counted(dependencies: &[Value], count: usize) -> String {
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
    let tasks = if count == 1 { "task" } else { "tasks" };
    let of = match dependencies.len() {
        all if all >= count => String::new(),
        some => format!("of {some} of them: "),
    };
    format!("{count} {tasks} ({of}{})", counts.join(", "))
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

    #[test]
    fn dependencies_are_counted_as_far_as_they_are_shown() {
        let done = [json!({"task_id": "A", "status": "DONE"})];
        assert_eq!(counted(&done, 1), "1 task (1 DONE)");
        assert_eq!(counted(&done, 2000), "2000 tasks (of 1 of them: 1 DONE)");
        assert_eq!(counted(&[], 0), "");
    }
}
