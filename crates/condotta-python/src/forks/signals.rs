//! The start of a process, which no signal may cut short.
//!
//! A handler of Python's that raises, as Ctrl-C's does, may do so wherever Python's code runs. In the hooks of
//! a fork Python drops what it raises; and between the fork and the moment when the process is noted it leaves
//! a process behind that nobody knows of. So signals that come meanwhile are kept, and handled afterwards. The
//! new process has its handlers at once.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use nix::sys::signal::Signal;
use pyo3::{exceptions::PyValueError, prelude::*, sync::PyOnceLock};

use super::held::held;
use crate::{built_in::of_module, names::names};

/// Those whose handlers end what runs, if there are handlers.
const KEPT: [Signal; 5] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGALRM,
    Signal::SIGTERM,
];

/// Who handles the signals that are kept, as long as they are.
static HANDLERS: Mutex<Vec<Handler>> = Mutex::new(Vec::new());
/// The signals that came, and what the handler is given.
static CAME: Mutex<Vec<Came>> = Mutex::new(Vec::new());

/// The fork that is going on is one of ours, whose process takes its handlers back when all hooks have been called.
static FORKS: AtomicBool = AtomicBool::new(false);

struct Handler {
    signal: i32,
    handler: Py<PyAny>,
}

struct Came {
    /// The process that it came to.
    pid: u32,
    handler: Py<PyAny>,
    signal: i32,
    frame: Py<PyAny>,
}

/// Calls a function whose argument is a process that it starts. Signals are handled when it has returned.
#[pyfunction]
pub(crate) fn undisturbed(function: &Bound<'_, PyAny>, process: &Bound<'_, PyAny>) -> PyResult<()> {
    while_undisturbed(function.py(), || function.call1((process,)).map(drop))
}

/// The same for what is done here.
pub(super) fn while_undisturbed(
    py: Python<'_>,
    start: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    if !locked(&HANDLERS).is_empty() {
        return start();
    }
    let started = keep(py).and_then(|()| start());
    heed_signals(py).and(started)
}

/// `os.fork`, for a process that calls [`heed_signals`] first of all.
#[pyfunction]
pub(crate) fn fork(py: Python<'_>) -> PyResult<i32> {
    FORKS.store(true, Ordering::SeqCst);
    let pid = held(py).and_then(|held| held.os(py, &names(py).fork)?.call0()?.extract());
    FORKS.store(false, Ordering::SeqCst);
    pid
}

/// In a process that was forked: takes the handlers back, and handles what came meanwhile.
#[pyfunction]
pub(crate) fn heed_signals(py: Python<'_>) -> PyResult<()> {
    let given_back = give_back(py);
    handle_what_came(py).and(given_back)
}

/// Puts something that remembers in the place of the handlers.
fn keep(py: Python<'_>) -> PyResult<()> {
    static KEEPER: PyOnceLock<Py<Keeper>> = PyOnceLock::new();
    let keeper = KEEPER.get_or_try_init(py, || {
        give_back_after_forks(py)?;
        Py::new(py, Keeper)
    })?;
    for signal in KEPT.map(|signal| signal as i32) {
        let handler = of_signal(py, &names(py).getsignal)?.call1((signal,))?;
        if !handler.is_callable() {
            continue;
        }
        match of_signal(py, &names(py).signal)?.call1((signal, keeper)) {
            Ok(_) => locked(&HANDLERS).push(Handler {
                signal,
                handler: handler.unbind(),
            }),
            // Handlers run in the main thread, and this is another one.
            Err(error) if error.is_instance_of::<PyValueError>(py) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts the handlers back.
fn give_back(py: Python<'_>) -> PyResult<()> {
    let mut given_back = Ok(());
    while let Some((signal, handler)) = last_handler(py) {
        let call = || of_signal(py, &names(py).signal)?.call1((signal, &handler));
        // Python first calls the handlers of other signals that came, and one that raises ends that.
        let done = call().or_else(|error| {
            given_back = Err(error);
            call()
        });
        locked(&HANDLERS).pop();
        done?;
    }
    given_back
}

/// The last of the handlers that are kept. It stays there until it is in its place, for signals that come meanwhile.
fn last_handler(py: Python<'_>) -> Option<(i32, Py<PyAny>)> {
    let handlers = locked(&HANDLERS);
    let last = handlers.last()?;
    Some((last.signal, last.handler.clone_ref(py)))
}

/// Calls the handlers of the signals that came to this process while they were kept.
pub(super) fn handle_what_came(py: Python<'_>) -> PyResult<()> {
    let came = std::mem::take(&mut *locked(&CAME));
    let mut handled = Ok(());
    for Came {
        pid,
        handler,
        signal,
        frame,
    } in came
    {
        // What came before the fork came to the worker.
        if pid == std::process::id() {
            let called = handler.call1(py, (signal, frame)).map(drop);
            handled = handled.and(called);
        }
    }
    handled
}

/// Has each process that is forked meanwhile begin with the handlers in their places.
fn give_back_after_forks(py: Python<'_>) -> PyResult<()> {
    let hooks = pyo3::types::PyDict::new(py);
    hooks.set_item("after_in_child", Bound::new(py, GiveBack)?)?;
    py.import("os")?
        .call_method("register_at_fork", (), Some(&hooks))
        .map(drop)
}

fn of_signal<'py>(
    py: Python<'py>,
    name: &Py<pyo3::types::PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    of_module(held(py)?.signal.bind(py), name)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In the place of a handler: remembers that a signal came.
#[pyclass(frozen, module = "condotta._engine")]
struct Keeper;

#[pymethods]
impl Keeper {
    fn __call__(&self, py: Python<'_>, signal: i32, frame: Py<PyAny>) {
        let handlers = locked(&HANDLERS);
        let kept = handlers.iter().find(|handler| handler.signal == signal);
        if let Some(kept) = kept {
            locked(&CAME).push(Came {
                pid: std::process::id(),
                handler: kept.handler.clone_ref(py),
                signal,
                frame,
            });
        }
    }
}

/// Called in a process that was forked, be it by whom it may.
#[pyclass(frozen, module = "condotta._engine")]
struct GiveBack;

#[pymethods]
impl GiveBack {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        if FORKS.load(Ordering::SeqCst) {
            return Ok(());
        }
        give_back(py)
    }
}
