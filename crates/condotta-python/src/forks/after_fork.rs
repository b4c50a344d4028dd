//! What `threading`, `logging` and `random` do in a process after its fork, with less memory written.
//!
//! Each page that a process writes to after a fork is copied first, and Python writes to all objects that
//! it looks at. What these modules do there costs more than all else that a small task does. The functions
//! here leave the same behind. Where things are not as they know them, they call what they stand for.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use pyo3::{
    exceptions::PyKeyError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PySet, PyString},
};

use crate::{built_in::built_in, names::names, release::release};

/// The releases of Python 3 whose modules are known here.
const KNOWN_RELEASES: std::ops::RangeInclusive<u8> = 10..=13;

/// How many other threads there are in the fork that is going on, if all that is known of them is done with the
/// lock held, and nothing about the handlers of the log is special.
static OTHER_THREADS: AtomicUsize = AtomicUsize::new(UNKNOWN);
const UNKNOWN: usize = usize::MAX;
/// In a process that was forked: nobody but its own thread can have had a lock of a handler.
static LOCKS_ARE_FREE: AtomicBool = AtomicBool::new(false);
/// The references to the handlers when all of them had `logging`'s own way to be put in order after a fork.
/// They are held here, so that those of other handlers are others.
static PLAIN_HANDLERS: Mutex<Option<Py<PySet>>> = Mutex::new(None);

/// Forks while the lock is held that a worker's pings wait for.
pub(super) fn while_pings_wait<T>(py: Python<'_>, fork: impl FnOnce() -> T) -> T {
    let others = other_threads(py).unwrap_or_default();
    OTHER_THREADS.store(others.unwrap_or(UNKNOWN), Ordering::Relaxed);
    let forked = fork();
    OTHER_THREADS.store(UNKNOWN, Ordering::Relaxed);
    forked
}

/// How many threads there are besides this one, if the handlers are still those that were looked at.
fn other_threads(py: Python<'_>) -> PyResult<Option<usize>> {
    static COUNT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static LOGGING: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let logging =
        LOGGING.get_or_try_init(py, || Ok::<_, PyErr>(py.import("logging")?.dict().unbind()))?;
    let plain = PLAIN_HANDLERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let plain = plain.as_ref().map(|plain| plain.clone_ref(py));
    match (plain, references(logging.bind(py))?) {
        (Some(plain), Some(now)) if now.eq(&plain)? => {
            // Those that no module of Python started are not in any list until they say something.
            let count = COUNT.import(py, "_thread", "_count")?;
            count.call0()?.extract().map(Some)
        }
        _ => Ok(None),
    }
}

/// What `logging` has of its handlers.
fn references<'py>(logging: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let names = names(logging.py());
    let handlers = logging.get_item(names.at_fork_reinit_lock_weakset.bind(logging.py()))?;
    handlers
        .map(|handlers| handlers.getattr(names.data.bind(logging.py())))
        .transpose()
}

/// Notes the handlers of the log, unless there is anything special about one of them or it cannot be told.
pub(crate) fn look_at_handlers(py: Python<'_>) {
    let plain = plain_handlers(py).unwrap_or_default();
    *PLAIN_HANDLERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = plain;
}

fn plain_handlers(py: Python<'_>) -> PyResult<Option<Py<PySet>>> {
    let logging = py.import("logging")?;
    let free = names(py).at_fork_reinit.bind(py);
    let plain = logging.getattr("Handler")?.getattr(free)?;
    let Some(now) = references(&logging.dict())? else {
        return Ok(None);
    };
    // Another thread may make or drop a handler meanwhile.
    let noted = now.call_method0("copy")?.cast_into::<PySet>()?;
    for reference in &noted {
        let handler = reference.call0()?;
        if !handler.is_none() && !handler.get_type().getattr(free)?.is(&plain) {
            return Ok(None);
        }
    }
    Ok(Some(noted.unbind()))
}

/// Puts the functions here in the place of those that the modules registered. Changes nothing where
/// these cannot be found.
#[pyfunction]
pub(crate) fn lighten_forks(py: Python<'_>) -> PyResult<()> {
    if !KNOWN_RELEASES.contains(&release(py)) {
        return Ok(());
    }
    look_at_handlers(py);
    let threading = py.import("threading")?;
    let registered = threading.getattr("_after_fork")?;
    let gc = py.import("gc")?;
    for list in gc
        .call_method1("get_referrers", (&registered,))?
        .try_iter()?
    {
        // Nothing but the interpreter's own list has both of them.
        if let Ok(list) = list?.cast_into::<PyList>() {
            replace(&list, &threading)?;
        }
    }
    replace_locking(py)
}

/// The lock of `logging` is taken before a fork, so that nobody else has it then.
fn replace_locking(py: Python<'_>) -> PyResult<()> {
    let logging = py.import("logging")?;
    let gc = py.import("gc")?;
    let (before, after) = match logging.hasattr("_prepareFork")? {
        true => ("_prepareFork", "_afterFork"),
        false => ("_acquireLock", "_releaseLock"),
    };
    for (name, acquires) in [(before, true), (after, false)] {
        let registered = logging.getattr(name)?;
        for list in gc
            .call_method1("get_referrers", (&registered,))?
            .try_iter()?
        {
            let Ok(list) = list?.cast_into::<PyList>() else {
                continue;
            };
            for place in 0..list.len() {
                if list.get_item(place)?.is(&registered) {
                    let module = logging.dict().unbind();
                    list.set_item(place, Bound::new(py, Locking { module, acquires })?)?;
                }
            }
        }
    }
    Ok(())
}

fn replace(registered: &Bound<'_, PyList>, threading: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = registered.py();
    let logging = py.import("logging")?;
    let of_threads = threading.getattr("_after_fork")?;
    let of_handlers = logging.getattr("_after_at_fork_child_reinit_locks")?;
    let generator = plain_generator(py)?;
    if !registered.iter().any(|function| function.is(&of_handlers)) {
        return Ok(());
    }
    for place in 0..registered.len() {
        let function = registered.get_item(place)?;
        if function.is(&of_threads) {
            let instead = Threads {
                module: threading.dict().unbind(),
                keep_alive: py
                    .import("luigi._keep_alive")?
                    .getattr("KeepAliveThread")?
                    .unbind(),
                registered: function.unbind(),
            };
            registered.set_item(place, Bound::new(py, instead)?)?;
        } else if function.is(&of_handlers) {
            let instead = Handlers {
                module: logging.dict().unbind(),
                of_a_handler: logging
                    .getattr("Handler")?
                    .getattr("_at_fork_reinit")?
                    .unbind(),
            };
            registered.set_item(place, Bound::new(py, instead)?)?;
        } else if let Some(generator) = &generator
            && function.eq(generator.getattr("seed")?)?
        {
            let instead = Generator {
                attributes: generator.getattr("__dict__")?.cast_into()?.unbind(),
                generator: generator.clone().unbind(),
                seed: py
                    .import("_random")?
                    .getattr("Random")?
                    .getattr("seed")?
                    .unbind(),
            };
            registered.set_item(place, Bound::new(py, instead)?)?;
        }
    }
    Ok(())
}

/// The generator of `random`, if somebody loaded that and it is as it is made there.
fn plain_generator(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let loaded = py.import("sys")?.getattr("modules")?;
    if !loaded.contains("random")? {
        return Ok(None);
    }
    let random = py.import("random")?;
    let generator = random.getattr("_inst")?;
    let is_plain = generator.get_type().is(&random.getattr("Random")?);
    Ok(is_plain.then_some(generator))
}

/// In the place of `threading._after_fork`: only the thread that forked is left.
#[pyclass(frozen, module = "condotta._engine")]
struct Threads {
    module: Py<PyDict>,
    keep_alive: Py<PyAny>,
    registered: Py<PyAny>,
}

#[pymethods]
impl Threads {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        // What this process forks is another matter.
        let known = OTHER_THREADS.swap(UNKNOWN, Ordering::Relaxed);
        match self.others(py)? {
            Some(others) => {
                let are_free = known == others.len() && self.has_our_pings(py)?;
                LOCKS_ARE_FREE.store(are_free, Ordering::Relaxed);
                self.tidy(py, others)
            }
            None => self.registered.call0(py).map(drop),
        }
    }
}

impl Threads {
    fn of_module<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.module.bind(py).get_item(name)?;
        found.ok_or_else(|| PyKeyError::new_err(name.to_string()))
    }

    /// Whether the thread that keeps a worker alive does all that it does with the lock held.
    fn has_our_pings(&self, py: Python<'_>) -> PyResult<bool> {
        let run = self.keep_alive.bind(py).getattr(names(py).run.bind(py))?;
        Ok(run.is(&built_in(py)?.keep_alive_run))
    }

    /// The threads that are gone now, if the main thread forked and there was no other one than a worker's
    /// that keeps it alive.
    #[expect(clippy::type_complexity, reason = "a thread and its number")]
    fn others<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>>> {
        let active = self
            .of_module(py, names(py).active.bind(py))?
            .cast_into::<PyDict>()?;
        let limbo = self.of_module(py, names(py).limbo.bind(py))?;
        let dangling = self.of_module(py, names(py).dangling.bind(py))?;
        let dangling = dangling.getattr(names(py).data.bind(py))?;
        if active.len() > 2 || limbo.len()? > 0 || dangling.len()? != active.len() {
            return Ok(None);
        }
        let main = self.of_module(py, names(py).main_thread.bind(py))?;
        let own = self.of_module(py, names(py).get_ident.bind(py))?.call0()?;
        if !active
            .get_item(&own)?
            .is_some_and(|thread| thread.is(&main))
        {
            return Ok(None);
        }
        let mut others = Vec::new();
        for (number, thread) in active.iter() {
            if thread.is(&main) {
                continue;
            }
            if !thread.get_type().is(self.keep_alive.bind(py)) {
                return Ok(None);
            }
            others.push((number, thread));
        }
        Ok(Some(others))
    }

    fn tidy(
        &self,
        py: Python<'_>,
        others: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        let module = self.module.bind(py);
        // One of the others may have had them.
        let lock = self.of_module(py, names(py).c_rlock.bind(py))?.call0()?;
        module.set_item(names(py).active_limbo_lock.bind(py), lock)?;
        let shutdown_locks = names(py).shutdown_locks.bind(py);
        let has_locks = module.contains(shutdown_locks)?;
        if has_locks {
            let lock = self
                .of_module(py, names(py).allocate_lock.bind(py))?
                .call0()?;
            module.set_item(names(py).shutdown_locks_lock.bind(py), lock)?;
            module.set_item(shutdown_locks, PySet::empty(py)?)?;
        }
        let active = self.of_module(py, names(py).active.bind(py))?;
        for (number, thread) in others {
            // Later releases leave that to the interpreter.
            if has_locks {
                thread.setattr(names(py).is_stopped.bind(py), true)?;
                thread.setattr(names(py).tstate_lock.bind(py), py.None())?;
            }
            active.del_item(number)?;
        }
        Ok(())
    }
}

/// In the place of what `logging` does: another thread may have had the locks of its handlers.
#[pyclass(frozen, module = "condotta._engine")]
struct Handlers {
    module: Py<PyDict>,
    of_a_handler: Py<PyAny>,
}

#[pymethods]
impl Handlers {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let module = self.module.bind(py);
        let free = names(py).at_fork_reinit.bind(py);
        if LOCKS_ARE_FREE.swap(false, Ordering::Relaxed) {
            return self.free_of_module(py);
        }
        if let Some(handlers) = references(module)? {
            for handler in handlers.try_iter()? {
                let handler = handler?.call0()?;
                if handler.is_none() {
                    continue;
                }
                if handler.get_type().getattr(free)?.is(&self.of_a_handler) {
                    handler
                        .getattr(names(py).lock.bind(py))?
                        .call_method0(free)?;
                } else {
                    handler.call_method0(free)?;
                }
            }
        }
        self.free_of_module(py)
    }
}

impl Handlers {
    fn free_of_module(&self, py: Python<'_>) -> PyResult<()> {
        let lock = names(py).of_module_lock.bind(py);
        if let Some(lock) = self.module.bind(py).get_item(lock)? {
            lock.call_method0(names(py).at_fork_reinit.bind(py))?;
        }
        Ok(())
    }
}

/// In the place of what takes or gives back the lock of `logging`.
#[pyclass(frozen, module = "condotta._engine")]
struct Locking {
    module: Py<PyDict>,
    acquires: bool,
}

#[pymethods]
impl Locking {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let names = names(py);
        let step = if self.acquires {
            &names.acquire
        } else {
            &names.release
        };
        match self
            .module
            .bind(py)
            .get_item(names.of_module_lock.bind(py))?
        {
            Some(lock) => lock.call_method0(step.bind(py)).map(drop),
            None => Ok(()),
        }
    }
}

/// In the place of the seeding of `random`'s generator, which is new in each process.
#[pyclass(frozen, module = "condotta._engine")]
struct Generator {
    generator: Py<PyAny>,
    attributes: Py<PyDict>,
    seed: Py<PyAny>,
}

#[pymethods]
impl Generator {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.seed.call1(py, (&self.generator,))?;
        let next = names(py).gauss_next.bind(py);
        let kept = self.attributes.bind(py).get_item(next)?;
        if kept.is_some_and(|kept| kept.is_none()) {
            return Ok(());
        }
        self.generator.setattr(py, next, py.None())
    }
}
