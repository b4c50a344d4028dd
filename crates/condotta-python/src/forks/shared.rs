//! What all processes that are forked from here use, and none has to make or to find out: `luigi._forks` makes it.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString},
};

use crate::{built_in::of_module, names::names};

/// What `luigi._forks` has for processes that are forked.
pub(super) struct Shared {
    /// Whose they are.
    pid: u32,
    pub(super) process_counter: Py<PyAny>,
    pub(super) children: Py<PyAny>,
    pub(super) terminal: Py<PyAny>,
    pub(super) empty_input: Py<PyAny>,
    pub(super) nothing: Py<PyAny>,
    pub(super) stdin: Py<PyAny>,
    pub(super) parent: Py<PyAny>,
    pub(super) main_thread: Py<PyAny>,
    pub(super) plain_after_fork: Py<PyAny>,
}

impl Shared {
    /// From the object of Python that has it.
    pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let names = names(py);
        let of = |name: &Py<PyString>| -> PyResult<Py<PyAny>> {
            let found = object.getattr_opt(name.bind(py))?;
            Ok(found.map_or_else(|| py.None(), Bound::unbind))
        };
        Ok(Self {
            pid: object.getattr(names.pid.bind(py))?.extract()?,
            process_counter: of(&names.for_counter)?,
            children: of(&names.for_children)?,
            terminal: of(&names.terminal)?,
            empty_input: of(&names.empty_input)?,
            nothing: of(&names.nothing_to_read)?,
            stdin: of(&names.stdin)?,
            parent: of(&names.parent)?,
            main_thread: of(&names.for_main_thread)?,
            plain_after_fork: of(&names.plain_after_fork)?,
        })
    }

    /// For the processes of this one, of which `process` is one.
    pub(super) fn here(process: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        static SHARED: Mutex<Option<Arc<Shared>>> = Mutex::new(None);
        static MODULE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
        let py = process.py();
        let kept = || SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = kept().as_ref().filter(|it| it.pid == std::process::id()) {
            return Ok(Arc::clone(shared));
        }
        let module = MODULE.get_or_try_init(py, || {
            let module = py.import("luigi._forks")?;
            PyResult::Ok(module.dict().unbind())
        })?;
        let make = of_module(module.bind(py), &names(py).shared_from_here)?;
        let shared = Arc::new(Self::of(&make.call1((process,))?)?);
        *kept() = Some(Arc::clone(&shared));
        Ok(shared)
    }
}
