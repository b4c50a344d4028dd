//! The reply of `get_work` as Python's dictionary.

use condotta_scheduler::{
    Assignment, InfoValue, ParamValue, PendingCounts, Recipe, RunningTask, Work, WorkerMessage,
    WorkerState,
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList},
};
use serde_json::Value;

use crate::convert;

/// The reply of `get_work`; with `attempts` it also names the attempt.
pub(super) fn work<'py>(
    py: Python<'py>,
    work: &Work,
    attempts: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let reply = PyDict::new(py);
    counts(&reply, &work.counts)?;
    match &work.assignment {
        Assignment::Nothing => reply.set_item(intern!(py, "task_id"), py.None())?,
        Assignment::Task {
            task_id,
            recipe: how,
            attempt,
        } => {
            reply.set_item(intern!(py, "task_id"), task_id)?;
            recipe(&reply, how)?;
            if attempts {
                reply.set_item(intern!(py, "attempt"), attempt)?;
            }
        }
        Assignment::Batch {
            batch_id,
            task_ids,
            recipe: how,
        } => {
            reply.set_item(intern!(py, "task_id"), py.None())?;
            recipe(&reply, how)?;
            reply.set_item(intern!(py, "batch_id"), batch_id)?;
            reply.set_item(intern!(py, "batch_task_ids"), task_ids)?;
        }
    }
    Ok(reply)
}

/// A worker that an operator disabled gets Luigi's short reply.
fn counts(reply: &Bound<'_, PyDict>, counts: &PendingCounts) -> PyResult<()> {
    let py = reply.py();
    let running = running_tasks(py, counts)?;
    reply.set_item(intern!(py, "n_pending_tasks"), counts.n_pending_tasks)?;
    reply.set_item(intern!(py, "n_unique_pending"), counts.n_unique_pending)?;
    if counts.worker_state != WorkerState::Disabled {
        let last = counts.n_pending_last_scheduled;
        reply.set_item(intern!(py, "n_pending_last_scheduled"), last)?;
    }
    reply.set_item(intern!(py, "worker_state"), counts.worker_state.name())?;
    reply.set_item(intern!(py, "running_tasks"), running)
}

pub(super) fn running_tasks<'py>(
    py: Python<'py>,
    counts: &PendingCounts,
) -> PyResult<Bound<'py, PyList>> {
    let running = PyList::empty(py);
    for task in &counts.running_tasks {
        running.append(running_task(py, task)?)?;
    }
    Ok(running)
}

/// What the running worker says of itself never hides the task's id and the worker's.
fn running_task<'py>(py: Python<'py>, task: &RunningTask) -> PyResult<Bound<'py, PyDict>> {
    let reply = info(py, &task.worker_info)?;
    reply.set_item(intern!(py, "task_id"), &task.task_id)?;
    reply.set_item(intern!(py, "worker"), &task.worker)?;
    Ok(reply)
}

fn recipe(reply: &Bound<'_, PyDict>, recipe: &Recipe) -> PyResult<()> {
    let py = reply.py();
    let params = PyDict::new(py);
    for (name, value) in &recipe.params {
        match value {
            ParamValue::One(value) => params.set_item(name, value)?,
            ParamValue::Many(values) => params.set_item(name, values)?,
        }
    }
    reply.set_item(intern!(py, "task_family"), &recipe.family)?;
    reply.set_item(intern!(py, "task_module"), &recipe.module)?;
    reply.set_item(intern!(py, "task_params"), params)
}

/// What a worker says of itself.
pub(super) fn info<'py>(
    py: Python<'py>,
    info: &[(String, InfoValue)],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in info {
        match value {
            InfoValue::Null => dict.set_item(key, py.None())?,
            InfoValue::Bool(flag) => dict.set_item(key, flag)?,
            InfoValue::Int(whole) => dict.set_item(key, whole)?,
            InfoValue::Float(float) => dict.set_item(key, float)?,
            InfoValue::Text(text) => dict.set_item(key, text)?,
            InfoValue::Json(text) => {
                let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
                dict.set_item(key, convert::python(py, &value)?)?;
            }
        }
    }
    Ok(dict)
}

/// A message to a worker, as `ping` gives it.
pub(super) fn message<'py>(
    py: Python<'py>,
    message: &WorkerMessage,
) -> PyResult<Bound<'py, PyDict>> {
    let (reply, kwargs) = (PyDict::new(py), PyDict::new(py));
    let name = match message {
        WorkerMessage::SetWorkerProcesses { n } => {
            kwargs.set_item("n", n)?;
            "set_worker_processes"
        }
        WorkerMessage::CancelTask {
            task_id,
            attempt,
            by,
        } => {
            kwargs.set_item("task_id", task_id)?;
            kwargs.set_item("attempt", attempt)?;
            kwargs.set_item("by", by)?;
            "cancel_task"
        }
        WorkerMessage::DispatchSchedulerMessage {
            task_id,
            message_id,
            content,
        } => {
            kwargs.set_item("task_id", task_id)?;
            kwargs.set_item("message_id", message_id)?;
            kwargs.set_item("content", content)?;
            "dispatch_scheduler_message"
        }
    };
    reply.set_item("name", name)?;
    reply.set_item("kwargs", kwargs)?;
    Ok(reply)
}
