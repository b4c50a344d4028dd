//! What a case came to: statuses, summaries, exit codes and runs, without what differs each time.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::processes::Ended;

const FRAME: &str = "===== Luigi Execution Summary =====";

/// All that is compared between two servers.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The status of each task, by id.
    pub(crate) statuses: BTreeMap<String, String>,
    /// Each task as a graph shows it.
    pub(crate) tasks: BTreeMap<String, Value>,
    /// The execution summary of each worker.
    pub(crate) summaries: Vec<String>,
    /// The exit code of each worker.
    pub(crate) codes: Vec<Option<i32>>,
    /// How often each task was started.
    pub(crate) runs: BTreeMap<String, usize>,
    /// What else the case has looked at.
    pub(crate) seen: Value,
}

/// The status of each task in the reply of `task_list`.
pub(crate) fn statuses(task_list: &Value) -> BTreeMap<String, String> {
    let tasks = task_list.as_object().expect("a list of tasks");
    let status = |task: &Value| task["status"].as_str().expect("a status").to_owned();
    tasks
        .iter()
        .map(|(task_id, task)| (task_id.clone(), status(task)))
        .collect()
}

/// Each task in the reply of `graph`, without times and worker ids.
pub(crate) fn tasks(graph: &Value) -> BTreeMap<String, Value> {
    let tasks = graph.as_object().expect("a list of tasks");
    let steady = |task: &Value| {
        let mut task = task.clone();
        for key in ["start_time", "last_updated", "time_running"] {
            task[key] = task[key].is_number().into();
        }
        task["worker_running"] = task["worker_running"].is_string().into();
        task["workers"] = task["workers"].as_array().map(Vec::len).into();
        let deps = task["deps"].as_array_mut().expect("a list");
        // A Python set decides their order.
        deps.sort_by_key(ToString::to_string);
        task
    };
    tasks
        .iter()
        .map(|(task_id, task)| (task_id.clone(), steady(task)))
        .collect()
}

/// How often each task was started, from the file `runs`.
pub(crate) fn runs(file: &str) -> BTreeMap<String, usize> {
    let mut runs = BTreeMap::new();
    for line in file.lines() {
        if let Some((task_id, _)) = started(line) {
            *runs.entry(task_id.to_owned()).or_default() += 1;
        }
    }
    runs
}

/// How many tasks each worker started, by the worker's name.
pub(crate) fn runs_by_worker(file: &str) -> BTreeMap<String, usize> {
    let mut runs = BTreeMap::new();
    for (_, worker) in file.lines().filter_map(started) {
        *runs.entry(worker.to_owned()).or_default() += 1;
    }
    runs
}

/// How many tasks of a family ran at the same time, at most.
pub(crate) fn most_at_once(file: &str, family: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for line in file.lines().filter(|line| line.contains(family)) {
        if started(line).is_some() {
            now += 1;
            most = most.max(now);
        } else {
            now -= 1;
        }
    }
    most
}

/// The task and the worker of a line that notes a start.
fn started(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("start ")?.rsplit_once(' ')
}

/// The execution summary in what a worker said; workers differ only in their tasks.
pub(crate) fn summary(ended: &Ended) -> String {
    let parts: Vec<&str> = ended.stderr.split(FRAME).collect();
    let [_, summary, _] = parts.as_slice() else {
        panic!("not one summary in {ended:#?}");
    };
    without_worker_ids(summary)
}

/// `Worker(salt=…, pid=…)` becomes `Worker`.
fn without_worker_ids(text: &str) -> String {
    let mut pieces = text.split("Worker(salt=");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once(')').expect("ids end");
        plain.push_str("Worker");
        plain.push_str(rest);
    }
    plain
}
