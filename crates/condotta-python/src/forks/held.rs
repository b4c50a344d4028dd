//! The modules that a process looks into after its fork, found before it.

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString},
};

use crate::built_in::of_module;

/// What modules hold now, by names: somebody may have put something else there.
pub(super) struct Held {
    pub(super) atexit: Py<PyDict>,
    pub(super) os: Py<PyDict>,
    pub(super) process: Py<PyDict>,
    pub(super) signal: Py<PyDict>,
    pub(super) sys: Py<PyDict>,
    pub(super) threading: Py<PyDict>,
    pub(super) util: Py<PyDict>,
    pub(super) default_context: Py<PyAny>,
    pub(super) fork_context: Py<PyAny>,
    pub(super) partial: Py<PyAny>,
    pub(super) flush_std_streams: Py<PyAny>,
    pub(super) marshal_dumps: Py<PyAny>,
    pub(super) marshal_loads: Py<PyAny>,
    pub(super) poll: Py<PyAny>,
}

/// All of them.
pub(super) fn held(py: Python<'_>) -> PyResult<&'static Held> {
    static HELD: PyOnceLock<Held> = PyOnceLock::new();
    HELD.get_or_try_init(py, || {
        let of = |name: &str| py.import(name).map(|module| module.dict().unbind());
        Ok(Held {
            atexit: of("atexit")?,
            os: of("os")?,
            process: of("multiprocessing.process")?,
            signal: of("_signal")?,
            sys: of("sys")?,
            threading: of("threading")?,
            util: of("multiprocessing.util")?,
            default_context: py
                .import("multiprocessing.context")?
                .getattr("_default_context")?
                .unbind(),
            fork_context: py
                .import("multiprocessing")?
                .call_method1("get_context", ("fork",))?
                .unbind(),
            partial: py.import("functools")?.getattr("partial")?.unbind(),
            flush_std_streams: py
                .import("multiprocessing.util")?
                .getattr("_flush_std_streams")?
                .unbind(),
            marshal_loads: py.import("marshal")?.getattr("loads")?.unbind(),
            poll: py.import("select")?.getattr("poll")?.unbind(),
            marshal_dumps: py.import("marshal")?.getattr("dumps")?.unbind(),
        })
    })
}

impl Held {
    pub(super) fn os<'py>(
        &self,
        py: Python<'py>,
        name: &Py<PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        of_module(self.os.bind(py), name)
    }
}
