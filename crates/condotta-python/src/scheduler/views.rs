//! Tasks and workers as Luigi's own objects show them: by the names of their attributes.

use condotta_scheduler::{
    Param, Scheduler as Engine, Status, TaskListQuery, TaskListRead, TaskRecord, Timestamp,
    Visibility, WorkerRecord, WorkerView,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PySet},
};

use super::replies;

/// A task, with the workers by name.
pub(super) struct SeenTask {
    record: TaskRecord,
    workers: Vec<String>,
    stakeholders: Vec<String>,
    pretty_id: String,
}

impl SeenTask {
    pub(super) fn of(engine: &Engine, task_id: &str) -> Option<Self> {
        let record = engine.kept_task(task_id)?;
        let shown = engine.shown_task(task_id)?;
        Some(Self {
            record,
            workers: shown.workers().map(str::to_owned).collect(),
            stakeholders: shown.stakeholders().map(str::to_owned).collect(),
            pretty_id: shown.display_name().to_string(),
        })
    }

    /// The attributes of Luigi's class `Task`.
    pub(super) fn attributes(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let seen = PyDict::new(py);
        seen.set_item("id", &self.record.task_id)?;
        seen.set_item("pretty_id", self.pretty_id)?;
        seen.set_item("workers", self.workers)?;
        seen.set_item("stakeholders", PySet::new(py, self.stakeholders)?)?;
        let links = self.record.links.unwrap_or_default();
        seen.set_item("deps", PySet::new(py, links.deps)?)?;
        let identity = self.record.identity.unwrap_or_default();
        seen.set_item("family", identity.family)?;
        seen.set_item("module", identity.module)?;
        seen.set_item("time", identity.created.0)?;
        params(&seen, &identity.params)?;
        let state = self.record.state.unwrap_or_default();
        let secs = |time: Option<Timestamp>| time.map(|time| time.0);
        seen.set_item("status", state.status.name())?;
        seen.set_item("updated", state.updated.0)?;
        seen.set_item("retry", secs(state.retry))?;
        seen.set_item("remove", secs(state.remove))?;
        seen.set_item("worker_running", state.worker_running)?;
        seen.set_item("time_running", secs(state.time_running))?;
        seen.set_item("expl", state.expl)?;
        set_number(&seen, "priority", state.priority)?;
        seen.set_item("resources", state.resources)?;
        if let Some(running) = state.resources_running {
            seen.set_item("resources_running", running)?;
        }
        seen.set_item("accepts_messages", state.accepts_messages)?;
        let failures: Vec<f64> = state.failures.iter().map(|time| time.0).collect();
        seen.set_item("failures", failures)?;
        seen.set_item("first_failure_time", secs(state.first_failure))?;
        seen.set_item("tracking_url", state.tracking_url)?;
        seen.set_item("status_message", state.status_message)?;
        match state.progress_percentage {
            Some(progress) => set_number(&seen, "progress_percentage", progress)?,
            None => seen.set_item("progress_percentage", py.None())?,
        }
        seen.set_item("scheduler_message_responses", state.responses)?;
        seen.set_item("scheduler_disable_time", secs(state.scheduler_disabled))?;
        seen.set_item("runnable", state.runnable)?;
        seen.set_item("batchable", state.batchable)?;
        seen.set_item("batch_id", state.batch_id)?;
        let policy = PyDict::new(py);
        policy.set_item("retry_count", state.retry_policy.retry_count)?;
        let timeout = state.retry_policy.disable_hard_timeout;
        set_number(&policy, "disable_hard_timeout", timeout.unwrap_or(0.0))?;
        let window = state.retry_policy.disable_window;
        set_number(&policy, "disable_window", window.unwrap_or(0.0))?;
        seen.set_item("retry_policy", policy)?;
        Ok(seen)
    }
}

fn params(seen: &Bound<'_, PyDict>, params: &[Param]) -> PyResult<()> {
    let py = seen.py();
    let (all, public, hidden) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
    let visibilities = PyDict::new(py);
    for Param {
        name,
        value,
        visibility,
    } in params
    {
        all.set_item(name, value)?;
        match visibility {
            Visibility::Public => public.set_item(name, value)?,
            Visibility::Hidden => hidden.set_item(name, value)?,
            Visibility::Private => {}
        }
        visibilities.set_item(name, *visibility as u8)?;
    }
    seen.set_item("params", all)?;
    seen.set_item("public_params", public)?;
    seen.set_item("hidden_params", hidden)?;
    seen.set_item("param_visibilities", visibilities)
}

/// Numbers that were whole are whole again.
fn set_number(dict: &Bound<'_, PyDict>, name: &str, number: f64) -> PyResult<()> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is whole and within 2^53"
    )]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        dict.set_item(name, number as i64)
    } else {
        dict.set_item(name, number)
    }
}

/// The ids of the tasks of these statuses, or of all, in the order in which they came.
pub(super) fn task_ids(engine: &Engine, statuses: &[Status]) -> Vec<String> {
    let queries: Vec<Option<Status>> = if statuses.is_empty() {
        vec![None]
    } else {
        statuses.iter().copied().map(Some).collect()
    };
    let mut found: Vec<(Timestamp, String)> = Vec::new();
    for status in queries {
        let query = TaskListQuery {
            status,
            limit: false,
            ..TaskListQuery::default()
        };
        TaskListRead::new(query).step(engine, usize::MAX, &mut |task| {
            found.push((task.start_time(), task.id().to_owned()));
        });
    }
    found.sort_by_key(|&(created, _)| created);
    found.into_iter().map(|(_, id)| id).collect()
}

/// The ids of the tasks that a worker can run.
pub(super) fn tasks_of(engine: &Engine, worker: &str) -> Vec<String> {
    let mut found = Vec::new();
    let query = TaskListQuery {
        limit: false,
        ..TaskListQuery::default()
    };
    TaskListRead::new(query).step(engine, usize::MAX, &mut |task| {
        if task.workers().any(|able| able == worker) {
            found.push(task.id().to_owned());
        }
    });
    found
}

/// A worker.
pub(super) struct SeenWorker {
    record: WorkerRecord,
    view: Option<WorkerView>,
}

impl SeenWorker {
    pub(super) fn of(engine: &Engine, worker: &str) -> Option<Self> {
        let record = engine.kept_worker(worker)?;
        let mut views = engine.worker_list(false).into_iter();
        Some(Self {
            view: views.find(|view| view.name == record.id),
            record,
        })
    }

    /// The attributes of Luigi's class `Worker`.
    pub(super) fn attributes(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let seen = PyDict::new(py);
        seen.set_item("id", self.record.id)?;
        match self.record.host {
            Some(host) => {
                let reference = PyDict::new(py);
                reference.set_item("host", host)?;
                seen.set_item("reference", reference)?;
            }
            None => seen.set_item("reference", py.None())?,
        }
        let started = self.record.started;
        let last_active = self.view.map_or(started, |view| view.last_active);
        seen.set_item("last_active", last_active.0)?;
        seen.set_item("started", started.0)?;
        seen.set_item("info", replies::info(py, &self.record.info)?)?;
        seen.set_item("disabled", self.record.disabled)?;
        let messages = self.record.messages.iter();
        let messages: PyResult<Vec<_>> = messages.map(|it| replies::message(py, it)).collect();
        seen.set_item("rpc_messages", messages?)?;
        Ok(seen)
    }
}
