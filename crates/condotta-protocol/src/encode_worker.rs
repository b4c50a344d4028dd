//! Workers as the views show them.

use condotta_scheduler::WorkerView;
use serde_json::{Map, Value};

use crate::encode_work::insert_info;

/// What `worker_list` says of a worker's load.
const LOAD: [&str; 4] = ["num_running", "num_pending", "num_uniques", "running"];

/// A worker: what it says of itself stands flat among the scheduler's keys, which it never hides. Its
/// load is to be added when `has_load`.
pub(crate) fn worker(view: WorkerView, has_load: bool) -> Map<String, Value> {
    let mut map = Map::new();
    let mut insert = |key: &str, value: Value| {
        map.insert(key.into(), value);
    };
    insert("name", view.name.into());
    insert("last_active", view.last_active.0.into());
    insert("started", view.started.0.into());
    insert("state", view.state.name().into());
    insert(
        "first_task_display_name",
        view.first_task_display_name.into(),
    );
    insert(
        "num_unread_rpc_messages",
        view.num_unread_rpc_messages.into(),
    );
    let mut info = view.info;
    info.retain(|(key, _)| !has_load || !LOAD.contains(&key.as_str()));
    insert_info(&mut map, info);
    map
}
