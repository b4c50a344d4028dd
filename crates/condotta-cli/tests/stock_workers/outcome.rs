//! What a case came to: statuses, summaries, exit codes and runs, without what differs each time.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::processes::Ended;

const FRAME: &str = "===== Luigi Execution Summary =====";

/// All that is compared between two servers.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The status of each task, by id.
    pub(crate) statuses: BTreeMap<String, String>,
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
