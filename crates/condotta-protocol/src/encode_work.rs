//! Replies to workers: work, counts, messages.

use condotta_scheduler::{
    Assignment, InfoValue, ParamValue, PendingCounts, Recipe, RunningTask, Work, WorkerMessage,
    WorkerState,
};
use serde_json::{Map, Value, json};

/// The reply of `get_work`. With `attempts` it also names the attempt, which stock workers do not know.
pub(crate) fn work(work: Work, attempts: bool) -> Value {
    let disabled = work.counts.worker_state == WorkerState::Disabled;
    let mut reply = counts_map(work.counts);
    if disabled {
        // Luigi's short reply.
        reply.remove("n_pending_last_scheduled");
    }
    match work.assignment {
        Assignment::Nothing => {
            reply.insert("task_id".into(), Value::Null);
        }
        Assignment::Task {
            task_id,
            recipe,
            attempt,
        } => {
            reply.insert("task_id".into(), task_id.into());
            insert_recipe(&mut reply, recipe);
            if attempts {
                reply.insert("attempt".into(), attempt.into());
            }
        }
        Assignment::Batch {
            batch_id,
            task_ids,
            recipe,
        } => {
            reply.insert("task_id".into(), Value::Null);
            insert_recipe(&mut reply, recipe);
            reply.insert("batch_id".into(), batch_id.into());
            reply.insert("batch_task_ids".into(), task_ids.into());
        }
    }
    reply.into()
}

fn insert_recipe(reply: &mut Map<String, Value>, recipe: Recipe) {
    let params: Map<String, Value> = recipe
        .params
        .into_iter()
        .map(|(name, value)| match value {
            ParamValue::One(value) => (name, value.into()),
            ParamValue::Many(values) => (name, values.into()),
        })
        .collect();
    reply.insert("task_family".into(), recipe.family.into());
    reply.insert("task_module".into(), recipe.module.into());
    reply.insert("task_params".into(), params.into());
}

/// The reply of `count_pending`.
pub(crate) fn counts(counts: PendingCounts) -> Value {
    counts_map(counts).into()
}

fn counts_map(counts: PendingCounts) -> Map<String, Value> {
    let running: Vec<Value> = counts.running_tasks.into_iter().map(running_task).collect();
    let mut reply = Map::new();
    reply.insert("n_pending_tasks".into(), counts.n_pending_tasks.into());
    reply.insert("n_unique_pending".into(), counts.n_unique_pending.into());
    reply.insert(
        "n_pending_last_scheduled".into(),
        counts.n_pending_last_scheduled.into(),
    );
    reply.insert("worker_state".into(), counts.worker_state.name().into());
    reply.insert("running_tasks".into(), running.into());
    reply
}

/// The running worker's own words stand beside the task's id and the worker's, which they never hide.
fn running_task(task: RunningTask) -> Value {
    let mut reply = Map::new();
    reply.insert("task_id".into(), task.task_id.into());
    reply.insert("worker".into(), task.worker.into());
    insert_info(&mut reply, task.worker_info.to_vec());
    reply.into()
}

/// Adds what a worker said of itself, but for keys that the scheduler has used.
pub(crate) fn insert_info(reply: &mut Map<String, Value>, info: Vec<(String, InfoValue)>) {
    for (key, value) in info {
        reply.entry(key).or_insert_with(|| info_value(value));
    }
}

fn info_value(value: InfoValue) -> Value {
    match value {
        InfoValue::Null => Value::Null,
        InfoValue::Bool(flag) => flag.into(),
        InfoValue::Int(whole) => whole.into(),
        InfoValue::Float(float) => float.into(),
        InfoValue::Text(text) => text.into(),
        InfoValue::Json(text) => nested(&text).unwrap_or(Value::String(text)),
    }
}

/// A nested value, unless it is nested so deep that nobody could read the reply around it.
fn nested(text: &str) -> Option<Value> {
    let mut value = serde_json::from_str(&format!("[[[{text}]]]")).ok()?;
    for _ in 0..3 {
        let Value::Array(items) = value else {
            return None;
        };
        value = items.into_iter().next()?;
    }
    Some(value)
}

/// The reply of `ping`.
pub(crate) fn messages(messages: Vec<WorkerMessage>) -> Value {
    let messages: Vec<Value> = messages.into_iter().map(message).collect();
    json!({ "rpc_messages": messages })
}

fn message(message: WorkerMessage) -> Value {
    match message {
        WorkerMessage::SetWorkerProcesses { n } => {
            json!({ "name": "set_worker_processes", "kwargs": { "n": n } })
        }
        WorkerMessage::DispatchSchedulerMessage {
            task_id,
            message_id,
            content,
        } => json!({
            "name": "dispatch_scheduler_message",
            "kwargs": { "task_id": task_id, "message_id": message_id, "content": content },
        }),
        WorkerMessage::CancelTask {
            task_id,
            attempt,
            by,
        } => json!({
            "name": "cancel_task",
            "kwargs": { "task_id": task_id, "attempt": attempt, "by": by },
        }),
    }
}
