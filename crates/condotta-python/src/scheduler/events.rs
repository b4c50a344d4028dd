//! What happened, as far as Python tells somebody of it.

use condotta_scheduler::{Event, Status};
use pyo3::{prelude::*, types::PyTuple};

/// What is told beside tasks that failed too often.
#[derive(Default)]
pub(super) struct Wants {
    /// When tasks are scheduled, start and finish.
    pub(super) history: bool,
    /// When tasks are done, fail or are disabled.
    pub(super) metrics: bool,
}

impl Wants {
    /// Whether Python hears of it.
    pub(super) fn event(&self, event: &Event) -> bool {
        match event {
            Event::DisabledByFailures { .. } => true,
            Event::History { .. } => self.history,
            Event::StatusChanged { to, .. } => {
                let counted = [Status::Done, Status::Failed, Status::Disabled];
                self.metrics && to.is_some_and(|to| counted.contains(&to))
            }
            _ => false,
        }
    }
}

/// A tuple of the kind, the task's id and what there is to say of it.
pub(super) fn tuple(py: Python<'_>, event: Event) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let tuple = match event {
        Event::DisabledByFailures { task_id, .. } => {
            ("disabled by failures", task_id).into_pyobject(py)?
        }
        Event::History {
            task_id,
            status,
            host,
            ..
        } => ("history", task_id, status.name(), host).into_pyobject(py)?,
        Event::StatusChanged {
            task_id,
            to: Some(to),
            ..
        } => ("status", task_id, to.name()).into_pyobject(py)?,
        _ => return Ok(None),
    };
    Ok(Some(tuple))
}
