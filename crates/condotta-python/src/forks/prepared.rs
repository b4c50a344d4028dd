//! What a run need not find out after its fork, since the worker found it out before.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::task::{Known, known};
use crate::{
    built_in::{built_in, has},
    names::names,
    worker::global,
};

static PREPARED: Mutex<Option<Prepared>> = Mutex::new(None);

/// What is known of a run that is about to begin.
pub(super) struct Prepared {
    process: usize,
    pub(super) task: Known,
    /// Its steps up to the task's own are the package's.
    pub(super) is_ours: bool,
    /// The run is carried out here, as far as nothing else was put in its place.
    pub(super) is_internal: bool,
    /// All that tells whether the run succeeded is that it ended well.
    pub(super) ends_done: bool,
}

/// Finds out what there is to know before the process of a run is forked.
pub(super) fn prepare(process: &Bound<'_, PyAny>) -> PyResult<()> {
    *PREPARED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Prepared::find(process)?);
    Ok(())
}

/// The process is forked: another object may come to lie where its own lies in the worker.
pub(super) fn forget_prepared() {
    *PREPARED.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// What was found out for this run, or is now.
pub(super) fn prepared(process: &Bound<'_, PyAny>) -> PyResult<Prepared> {
    let prepared = PREPARED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let own = process.as_ptr() as usize;
    match prepared.filter(|prepared| prepared.process == own) {
        Some(prepared) => Ok(prepared),
        None => Prepared::find(process),
    }
}

impl Prepared {
    fn find(process: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = process.py();
        let (names, ours) = (names(py), built_in(py)?);
        let task = process.getattr(names.task.bind(py))?;
        let is_ours = has(
            process,
            &names.missing_dependencies,
            &ours.missing_dependencies,
        )? && has(process, &names.forward_attributes, &ours.forward_attributes)?
            && has(process, &names.run_get_new_deps, &ours.run_get_new_deps)?;
        let on_end = process.getattr(names.check_complete_on_run.bind(py))?;
        let cache = process.getattr(names.task_completion_cache.bind(py))?;
        let is_external = global(py, names.is_external.bind(py))?;
        let run = task.getattr(names.run.bind(py))?;
        Ok(Self {
            is_internal: is_external.is(&ours.is_external)
                && !run.is_none()
                && !run.eq(py.NotImplemented())?,
            process: process.as_ptr() as usize,
            task: known(&task)?,
            is_ours,
            ends_done: has(process, &names.status_after_run, &ours.status_after_run)?
                && !on_end.is_truthy()?
                && cache.is_none(),
        })
    }
}
