//! Lines of the worker's log. They go through the `logger` of `luigi.worker`, as it is when they do.

use pyo3::{call::PyCallArgs, intern, prelude::*, types::PyString};

use super::global;

/// What is of use to whoever looks for a fault.
pub(super) fn debug<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    say(py, intern!(py, "debug"), line)
}

/// What everybody wants to know.
pub(super) fn info<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    say(py, intern!(py, "info"), line)
}

/// What is likely to be wrong.
pub(super) fn warning<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    say(py, intern!(py, "warning"), line)
}

fn say<'py>(
    py: Python<'py>,
    level: &Bound<'py, PyString>,
    line: impl PyCallArgs<'py>,
) -> PyResult<()> {
    global(py, intern!(py, "logger"))?.call_method1(level, line)?;
    Ok(())
}
