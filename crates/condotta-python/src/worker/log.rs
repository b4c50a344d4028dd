//! Lines of the worker's log. They go through the `logger` of `luigi.worker`, as it is when they do.
//!
//! Records of a log name who logs. The engine's steps have no Python frames, so a line is logged by a
//! function of Python that bears the name of the step.

use std::cell::Cell;

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyTuple},
};

use super::global;

thread_local! {
    static STEP: Cell<&'static str> = const { Cell::new("run") };
}

/// The step that logs what is logged while this lives.
pub(super) struct Step {
    before: &'static str,
}

impl Step {
    pub(super) fn enter(name: &'static str) -> Self {
        Self {
            before: STEP.replace(name),
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        STEP.set(self.before);
    }
}

/// What a line is made of: a text, and what is put into it.
pub(super) trait Line<'py>:
    IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>
{
}

impl<'py, T> Line<'py> for T where
    T: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>
{
}

/// What is of use to whoever looks for a fault.
pub(super) fn debug<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, intern!(py, "debug"), line)
}

/// What everybody wants to know.
pub(super) fn info<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, intern!(py, "info"), line)
}

/// What is likely to be wrong.
pub(super) fn warning<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, intern!(py, "warning"), line)
}

fn say<'py>(py: Python<'py>, level: &Bound<'py, PyString>, line: impl Line<'py>) -> PyResult<()> {
    static SAYER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let log = global(py, intern!(py, "logger"))?.getattr(level)?;
    let sayer = SAYER.import(py, "luigi._step_log", "sayer")?;
    let sayer = sayer.call1((STEP.get(),))?;
    sayer.call1((log, line.into_pyobject(py)?))?;
    Ok(())
}
