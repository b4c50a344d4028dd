//! Tasks as the views show them, in lists, in graphs and alone.

use condotta_scheduler::{Resources, ShownTask, Status, TaskError};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
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

/// A task as lists and graphs show it.
pub(crate) struct TaskJson<'a> {
    task: ShownTask<'a>,
    is_named: bool,
    deps: Option<&'a [&'a str]>,
}

impl<'a> TaskJson<'a> {
    /// Without its dependencies.
    pub(crate) fn listed(task: ShownTask<'a>) -> Self {
        Self {
            task,
            is_named: true,
            deps: None,
        }
    }

    /// With the next nodes of a graph, and with its display name if it is a root.
    pub(crate) fn node(task: ShownTask<'a>, is_root: bool, next: &'a [&'a str]) -> Self {
        Self {
            task,
            is_named: is_root,
            deps: Some(next),
        }
    }
}

impl Serialize for TaskJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let task = self.task;
        let mut map = serializer.serialize_map(None)?;
        if self.is_named {
            map.serialize_entry("display_name", &Shown(task.display_name()))?;
        }
        map.serialize_entry("status", task.status().name())?;
        map.serialize_entry("workers", &Workers(task))?;
        map.serialize_entry("worker_running", &task.worker_running())?;
        map.serialize_entry("time_running", &task.time_running().map(|time| time.0))?;
        map.serialize_entry("start_time", &task.start_time().0)?;
        map.serialize_entry("last_updated", &task.last_updated().0)?;
        map.serialize_entry("params", &Params(task))?;
        map.serialize_entry("name", task.family())?;
        map.serialize_entry("priority", &number(task.priority()))?;
        map.serialize_entry("resources", &task.resources())?;
        map.serialize_entry("resources_running", &task.resources_running())?;
        map.serialize_entry("tracking_url", &task.tracking_url())?;
        map.serialize_entry("status_message", &task.status_message())?;
        map.serialize_entry(
            "progress_percentage",
            &task.progress_percentage().map(number),
        )?;
        if let Some(re_enable_able) = task.re_enable_able() {
            map.serialize_entry("re_enable_able", &re_enable_able)?;
        }
        if let Some(accepts_messages) = task.accepts_messages() {
            map.serialize_entry("accepts_messages", &accepts_messages)?;
        }
        if let Some(deps) = self.deps {
            map.serialize_entry("deps", deps)?;
        }
        map.end()
    }
}

struct Shown<T>(T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Workers<'a>(ShownTask<'a>);

impl Serialize for Workers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.workers())
    }
}

struct Params<'a>(ShownTask<'a>);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.params())
    }
}

/// A task with its dependencies, as graphs and `re_enable_task` show it.
#[must_use]
pub fn task_value(task: ShownTask<'_>) -> Value {
    let deps = task.deps();
    let task = TaskJson::node(task, true, &deps);
    serde_json::to_value(task).expect("keys are text")
}

/// A node of a graph that is only mentioned by others.
pub(crate) fn placeholder(task_id: &str, family: &str, is_root: bool) -> Map<String, Value> {
    let mut map = Map::new();
    let mut insert = |key: &str, value: Value| {
        map.insert(key.into(), value);
    };
    insert("deps", json!([]));
    insert("status", "UNKNOWN".into());
    insert("workers", json!([]));
    insert("start_time", "UNKNOWN".into());
    insert("params", json!({ "task_id": task_id }));
    insert("name", family.into());
    if is_root {
        insert("display_name", task_id.into());
    }
    insert("priority", 0.into());
    map
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
