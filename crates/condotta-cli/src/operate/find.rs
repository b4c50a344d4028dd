//! Finds the task or the worker that somebody means.

use serde_json::{Map, Value, json};

use super::{connection::Scheduler, harmless::harmless, view::Task};
use crate::error::{Failure, Kind};

/// So many are named when it is not clear which one is meant.
const NAMED: usize = 10;

/// The task of this id, or the only one whose id begins so, or whose name is this.
pub(crate) fn task(scheduler: &Scheduler, said: &str) -> Result<Task, Failure> {
    let by_id = scheduler.call("task_search", &json!({ "task_str": said }))?;
    let by_status = by_id.as_object().into_iter().flat_map(Map::values);
    let found = by_status.filter_map(Value::as_object).flatten();
    let begins = found.filter(|(id, _)| id.starts_with(said));
    let begins: Vec<Task> = begins.map(|(id, task)| Task::new(id, task)).collect();
    if let Some(exact) = begins.iter().find(|task| task.id == said) {
        return Ok(exact.clone());
    }
    if !begins.is_empty() {
        return only(begins, said);
    }
    let by_name = json!({ "search": said, "limit": false });
    let by_name = scheduler.call("task_list", &by_name)?;
    let by_name = by_name.as_object().into_iter().flatten();
    let by_name = by_name.map(|(id, task)| Task::new(id, task));
    let named: Vec<Task> = by_name.filter(|task| task.name == said).collect();
    if named.is_empty() {
        let said = harmless(said);
        return Err(Failure::new(
            Kind::NotFound,
            format!(
                "there is no task {said}: give its id, the beginning of its id, or its name as \
                 condotta tasks --search shows it"
            ),
        ));
    }
    only(named, said)
}

fn only(mut found: Vec<Task>, said: &str) -> Result<Task, Failure> {
    match found.pop() {
        Some(task) if found.is_empty() => Ok(task),
        last => {
            found.extend(last);
            let ids = found.into_iter().map(|task| task.id).collect();
            Err(ambiguous("tasks", ids, said))
        }
    }
}

/// The worker of this id, or the only one whose id begins so.
pub(crate) fn worker(scheduler: &Scheduler, said: &str) -> Result<String, Failure> {
    let workers = scheduler.call("worker_list", &json!({ "include_running": false }))?;
    let workers = workers.as_array().into_iter().flatten();
    let ids = workers.filter_map(|worker| worker["name"].as_str());
    let mut begins: Vec<String> = ids
        .filter(|id| id.starts_with(said))
        .map(str::to_owned)
        .collect();
    if begins.iter().any(|id| id == said) {
        return Ok(said.to_owned());
    }
    match begins.pop() {
        None => {
            let said = harmless(said);
            let text = format!("there is no worker {said}: condotta workers shows them");
            Err(Failure::new(Kind::NotFound, text))
        }
        Some(worker) if begins.is_empty() => Ok(worker),
        Some(worker) => {
            begins.push(worker);
            Err(ambiguous("workers", begins, said))
        }
    }
}

fn ambiguous(what: &str, mut ids: Vec<String>, said: &str) -> Failure {
    ids.sort_unstable();
    let count = ids.len();
    let named: Vec<String> = ids.iter().take(NAMED).map(|id| harmless(id)).collect();
    let more = match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let text = format!(
        "{count} {what} begin with or are named {}: say more of the id\n  {}{more}",
        harmless(said),
        named.join("\n  ")
    );
    Failure::new(Kind::NotFound, text)
}
