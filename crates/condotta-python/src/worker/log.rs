//! Lines of the worker's log. They go through the `logger` of `luigi.worker`, as it is when they do.

use pyo3::{call::PyCallArgs, intern, prelude::*};

use super::global;

/// What is of use to whoever looks for a fault.
pub(super) fn debug<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    let logger = global(py, intern!(py, "logger"))?;
    logger.call_method1(intern!(py, "debug"), line)?;
    Ok(())
}

/// What everybody wants to know.
pub(super) fn info<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    let logger = global(py, intern!(py, "logger"))?;
    logger.call_method1(intern!(py, "info"), line)?;
    Ok(())
}

/// What is likely to be wrong.
pub(super) fn warning<'py>(py: Python<'py>, line: impl PyCallArgs<'py>) -> PyResult<()> {
    let logger = global(py, intern!(py, "logger"))?;
    logger.call_method1(intern!(py, "warning"), line)?;
    Ok(())
}
