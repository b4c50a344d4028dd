//! Workers and resources as the views show them.

use condotta_scheduler::{ResourceView, WorkerView};
use serde_json::{Map, Value, json};

use crate::{encode_task::tasks, encode_work::insert_info};

/// The reply of `worker_list`: what a worker says of itself stands flat among the scheduler's keys.
pub(crate) fn worker_list(workers: Vec<WorkerView>) -> Value {
    workers.into_iter().map(worker).collect()
}

fn worker(view: WorkerView) -> Value {
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
    insert_info(&mut map, view.info);
    if let Some(load) = view.load {
        map.insert("num_running".into(), load.running.len().into());
        map.insert("num_pending".into(), load.num_pending.into());
        map.insert("num_uniques".into(), load.num_uniques.into());
        map.insert("running".into(), tasks(load.running));
    }
    map.into()
}

/// The reply of `resource_list`.
pub(crate) fn resource_list(resources: Vec<ResourceView>) -> Value {
    resources.into_iter().map(resource).collect()
}

fn resource(view: ResourceView) -> Value {
    json!({
        "name": view.name,
        "num_total": view.num_total,
        "num_used": view.num_used,
        "num_consumer": view.running.len(),
        "running": tasks(view.running),
    })
}
