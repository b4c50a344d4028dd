//! Tasks as the views show them: single ones, lists, searches, graphs and errors.

use std::collections::{BTreeMap, HashSet};

use condotta_scheduler::{GraphNode, Resources, Status, TaskError, TaskList, TaskView, Timestamp};
use serde_json::{Map, Value, json};

/// A number as JSON: whole where it is whole, as Luigi shows what was sent as a whole number.
pub(crate) fn number(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is whole and within 2^53"
    )]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        Value::from(number as i64)
    } else {
        Value::from(number.clamp(f64::MIN, f64::MAX))
    }
}

fn time(time: Timestamp) -> Value {
    Value::from(time.0)
}

fn resources(resources: Resources) -> Value {
    let map: Map<String, Value> = resources
        .into_iter()
        .map(|(name, amount)| (name, amount.into()))
        .collect();
    map.into()
}

fn texts(params: Vec<(String, String)>) -> Value {
    let map: Map<String, Value> = params
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    map.into()
}

/// A task without its dependencies, as the lists show it.
pub(crate) fn task(view: TaskView) -> Value {
    task_map(view).0.into()
}

/// A task with its dependencies, as graphs and `re_enable_task` show it.
#[must_use]
pub fn task_view(view: TaskView) -> Value {
    let (mut map, deps) = task_map(view);
    map.insert("deps".into(), deps.into());
    map.into()
}

fn task_map(view: TaskView) -> (Map<String, Value>, Vec<String>) {
    let mut map = Map::new();
    let mut insert = |key: &str, value: Value| {
        map.insert(key.into(), value);
    };
    insert("display_name", view.display_name.into());
    insert("status", view.status.name().into());
    insert("workers", view.workers.into());
    insert("worker_running", view.worker_running.into());
    insert("time_running", view.time_running.map(time).into());
    insert("start_time", time(view.start_time));
    insert("last_updated", time(view.last_updated));
    insert("params", texts(view.params));
    insert("name", view.family.into());
    insert("priority", number(view.priority));
    insert("resources", resources(view.resources));
    insert(
        "resources_running",
        view.resources_running.map(resources).into(),
    );
    insert("tracking_url", view.tracking_url.into());
    insert("status_message", view.status_message.into());
    insert(
        "progress_percentage",
        view.progress_percentage.map(number).into(),
    );
    if let Some(re_enable_able) = view.re_enable_able {
        insert("re_enable_able", re_enable_able.into());
    }
    if let Some(accepts_messages) = view.accepts_messages {
        insert("accepts_messages", accepts_messages.into());
    }
    (map, view.deps)
}

/// Tasks by id, without dependencies.
pub(crate) fn tasks(tasks: BTreeMap<String, TaskView>) -> Value {
    let map: Map<String, Value> = tasks
        .into_iter()
        .map(|(task_id, view)| (task_id, task(view)))
        .collect();
    map.into()
}

/// The reply of `task_list`.
pub(crate) fn task_list(list: TaskList) -> Value {
    match list {
        TaskList::Tasks(found) => tasks(found),
        TaskList::TooMany(Some(number)) => json!({ "num_tasks": number }),
        TaskList::TooMany(None) => json!({ "num_tasks": -1 }),
    }
}

/// The reply of `task_search`: only statuses that occur.
pub(crate) fn task_search(found: BTreeMap<Status, BTreeMap<String, TaskView>>) -> Value {
    let map: Map<String, Value> = found
        .into_iter()
        .filter(|(_, found)| !found.is_empty())
        .map(|(status, found)| (status.name().to_owned(), tasks(found)))
        .collect();
    map.into()
}

/// The reply of `graph`, `dep_graph` and `inverse_dep_graph`.
///
/// As in Luigi, only the roots of the walk have their display name: what no earlier node led to.
pub(crate) fn graph(nodes: Vec<(String, GraphNode)>) -> Value {
    let mut reached = HashSet::new();
    let mut map = Map::new();
    for (task_id, node) in nodes {
        let mut value = match node {
            GraphNode::Task(view) => {
                let is_root = !reached.contains(&task_id);
                reached.extend(view.deps.iter().cloned());
                (task_view(view), is_root)
            }
            GraphNode::Placeholder { family } => {
                (placeholder(&task_id, &family), !reached.contains(&task_id))
            }
        };
        if let (Value::Object(map), false) = &mut value {
            map.remove("display_name");
        }
        map.insert(task_id, value.0);
    }
    map.into()
}

fn placeholder(task_id: &str, family: &str) -> Value {
    json!({
        "deps": [],
        "status": "UNKNOWN",
        "workers": [],
        "start_time": "UNKNOWN",
        "params": { "task_id": task_id },
        "name": family,
        "display_name": task_id,
        "priority": 0,
    })
}

/// The reply of `fetch_error`.
pub(crate) fn error(task_id: &str, error: Option<TaskError>) -> Value {
    match error {
        None => json!({ "taskId": task_id, "error": "" }),
        Some(error) => json!({
            "taskId": task_id,
            "error": error.expl,
            "displayName": error.display_name,
            "taskParams": texts(error.params),
            "taskModule": error.module,
            "taskFamily": error.family,
        }),
    }
}

/// The reply of `get_running_task_resources`.
pub(crate) fn running_resources(task_id: &str, running: Option<Resources>) -> Value {
    json!({ "taskId": task_id, "resources": running.map(resources) })
}

/// The reply of `forgive_failures` and `mark_as_done`.
pub(crate) fn status_reply(task_id: Option<String>, status: Option<Status>) -> Value {
    json!({ "task_id": task_id, "status": status.map(Status::name) })
}
