//! The process object of a run, and its start: what `luigi.worker` and `multiprocessing` do, where nobody
//! replaced a part of it.

use std::hint::black_box;

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PySet, PyString, PyTuple},
};

use super::{
    after_fork::while_pings_wait,
    channel::Channel,
    child::fork_and_run,
    file::OwnedFile,
    held::held,
    prepared::{forget_prepared, prepare},
    shared::Shared,
    signals::while_undisturbed,
    task::is_public,
};
use crate::{
    built_in::{built_in, has, of_class, of_module, setting},
    names::names,
    processes,
    release::release,
    worker::global,
};

/// Later releases of Python may start processes in another way.
fn is_known(py: Python<'_>) -> bool {
    release(py) < 14
}

/// What `luigi._forks` has for processes that are forked.
struct Forks {
    fork: Py<PyAny>,
    new: Py<PyAny>,
    /// The system has files that tell when a process has ended.
    tells_of_ends: bool,
}

fn forks(py: Python<'_>) -> PyResult<&'static Forks> {
    static FORKS: PyOnceLock<Forks> = PyOnceLock::new();
    FORKS.get_or_try_init(py, || {
        let module = py.import("luigi._forks")?;
        Ok(Forks {
            fork: module.getattr("Fork")?.unbind(),
            new: py
                .import("builtins")?
                .getattr("object")?
                .getattr("__new__")?
                .unbind(),
            tells_of_ends: module.call_method0("_tells_of_ends")?.extract()?,
        })
    })
}

/// Whether there is nothing to be noticed of a process: it is one that was forked here, which goes on or has
/// ended well, and it has no time-out.
pub(crate) fn goes_on(process: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = process.py();
    let (names, ours) = (names(py), built_in(py)?);
    if !has(process, &names.is_alive, &ours.process_is_alive)? {
        return Ok(false);
    }
    let own = process.getattr(names.popen.bind(py))?;
    if is_alive(&own)? {
        return Ok(process.getattr(names.timeout_time.bind(py))?.is_none());
    }
    // One that ended has sent its result before, or is found to be lost by its channel.
    let queue = process.getattr(names.result_queue.bind(py))?;
    let Ok(channel) = queue.cast_exact::<Channel>() else {
        return Ok(false);
    };
    let is_fork = own.get_type().is(&forks(py)?.fork) && has_ended(&own)?;
    if !is_fork || channel.borrow().is_lost() {
        return Ok(false);
    }
    Ok(own.getattr(names.returncode.bind(py))?.eq(0)? || channel.borrow().has_more(py)?)
}

fn is_alive(own: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = own.py();
    if !own.get_type().is(&forks(py)?.fork)
        || !own.getattr(names(py).returncode.bind(py))?.is_none()
    {
        return Ok(false);
    }
    Ok(processes::runs(
        own.getattr(names(py).pid.bind(py))?.extract()?,
    ))
}

/// Starts the process of a run, with `lock` held. Returns whether it did: not where a part of that is somebody else's.
pub(crate) fn start(process: &Bound<'_, PyAny>, lock: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = process.py();
    let (names, ours) = (names(py), built_in(py)?);
    let queue = process.getattr(names.result_queue.bind(py))?;
    let Ok(channel) = queue.cast_exact::<Channel>() else {
        return Ok(false);
    };
    let is_ours = has(process, &names.start_method, &ours.process_start)?
        && process
            .getattr(names.popen_of.bind(py))?
            .is(&ours.process_popen)
        && has(process, &names.bootstrap, &ours.process_bootstrap)?
        && process.getattr(names.runners.bind(py))?.is_none()
        && process.getattr(names.output.bind(py))?.is_none();
    if !is_known(py) || !is_ours || !forks_by_default(py)? || !may_start(process)? {
        return Ok(false);
    }
    channel.borrow_mut().open(py)?;
    reap(py)?;
    flush(py)?;
    let shared = Shared::here(process)?;
    let plain = has(process, &names.after_fork, &shared.plain_after_fork)?;
    let own = forks(py)?.new.bind(py).call1((&forks(py)?.fork,))?;
    own.setattr(names.returncode.bind(py), py.None())?;
    own.setattr(names.finalizer.bind(py), py.None())?;
    prepare(process)?;
    put_together();
    while_undisturbed(py, || {
        let fork = || fork_and_run(process, &shared, plain);
        let forked = match lock.is(&ours.fork_lock) {
            true => while_pings_wait(py, fork),
            false => fork(),
        };
        forget_prepared();
        own.setattr(names.pid.bind(py), forked?)?;
        watch(process, &own)?;
        process.setattr(names.popen.bind(py), own)?;
        children(py)?.add(process)?;
        channel.borrow_mut().started(py)
    })?;
    for name in [&names.target, &names.args, &names.kwargs] {
        process.delattr(name.bind(py))?;
    }
    Ok(true)
}

/// Has the C library put together now what was freed, and not in the process: there it would write to each piece.
fn put_together() {
    /// The library does so before it looks for a piece of this size.
    const LARGE: usize = 4096;
    drop(black_box(Vec::<u8>::with_capacity(LARGE)));
}

/// Opens what tells that the process has ended.
fn watch(process: &Bound<'_, PyAny>, own: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = process.py();
    let names = names(py);
    let pid = own.getattr(names.pid.bind(py))?;
    match held(py)?.os(py, &names.pidfd_open)?.call1((pid,)) {
        Ok(sentinel) => {
            let file = OwnedFile::new(sentinel.extract()?);
            own.setattr(names.file.bind(py), Bound::new(py, file)?)?;
            own.setattr(names.sentinel.bind(py), &sentinel)?;
            process.setattr(names.sentinel_of.bind(py), sentinel)
        }
        Err(error) => {
            // No more files may be opened. The process would run on, and nobody would know of it.
            own.call_method0("kill")?;
            own.call_method0("wait")?;
            Err(error)
        }
    }
}

fn children(py: Python<'_>) -> PyResult<Bound<'_, PySet>> {
    let children = of_module(held(py)?.process.bind(py), &names(py).children)?;
    Ok(children.cast_into::<PySet>()?)
}

/// Whether `multiprocessing` is set to fork.
fn forks_by_default(py: Python<'_>) -> PyResult<bool> {
    let context = held(py)?.default_context.bind(py);
    let chosen = context.getattr(names(py).actual_context.bind(py))?;
    // Where nobody has chosen yet, Python has to.
    Ok(forks(py)?.tells_of_ends && chosen.is(&held(py)?.fork_context))
}

/// Whether Python would start it, too; if not, it says why.
fn may_start(process: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = process.py();
    let names = names(py);
    let current = of_module(held(py)?.process.bind(py), &names.current_process)?;
    let settings = current.getattr(names.config.bind(py))?;
    Ok(!process.getattr(names.closed.bind(py))?.is_truthy()?
        && process.getattr(names.popen.bind(py))?.is_none()
        && process
            .getattr(names.parent_pid.bind(py))?
            .eq(std::process::id())?
        && !settings.contains(names.daemon.bind(py))?)
}

/// Waits for the processes that have ended.
fn reap(py: Python<'_>) -> PyResult<()> {
    let names = names(py);
    let children = children(py)?;
    let mut ended = Vec::new();
    for process in &children {
        let own = process.getattr(names.popen.bind(py))?;
        if !own.is_none() && !is_alive(&own)? && has_ended(&own)? {
            ended.push(process);
        }
    }
    for process in ended {
        children.discard(process)?;
    }
    Ok(())
}

/// Whether a process has ended. How it did is noted then.
fn has_ended(own: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = own.py();
    let names = names(py);
    let is_fork = own.get_type().is(&forks(py)?.fork);
    if is_fork && !own.getattr(names.returncode.bind(py))?.is_none() {
        return Ok(true);
    }
    if is_fork && let Some(code) = processes::left(own.getattr(names.pid.bind(py))?.extract()?) {
        own.setattr(names.returncode.bind(py), code)?;
        return Ok(true);
    }
    Ok(!own.call_method0(names.poll.bind(py))?.is_none())
}

/// Lets go of what was printed, which the process would print again. Nothing ends because nobody reads it.
pub(super) fn flush(py: Python<'_>) -> PyResult<()> {
    let (names, held) = (names(py), held(py)?);
    let flush = of_module(held.util.bind(py), &names.flush_std_streams)?;
    if !flush.is(&held.flush_std_streams) {
        return flush.call0().map(drop);
    }
    for stream in [&names.stdout, &names.stderr] {
        // As there: a stream that cannot be flushed, or that is none, is left as it is.
        let stream = of_module(held.sys.bind(py), stream)?;
        if let Err(error) = stream.call_method0(names.flush.bind(py))
            && !error.is_instance_of::<pyo3::exceptions::PyAttributeError>(py)
            && !error.is_instance_of::<pyo3::exceptions::PyValueError>(py)
            && !error.is_instance_of::<pyo3::exceptions::PyOSError>(py)
        {
            return Err(error);
        }
    }
    Ok(())
}

/// The process object of a task, as `Worker._create_task_process` makes it. `None` where a part of that is
/// somebody else's, and for tasks that need more than most.
pub(crate) fn create<'py>(
    worker: &Bound<'py, PyAny>,
    task: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = worker.py();
    let (names, ours) = (names(py), built_in(py)?);
    let kind = global(py, names.managed_process.bind(py))?;
    let reporter = global(py, names.reporter.bind(py))?;
    let is_ours = has(
        worker,
        &names.create_task_process,
        &ours.worker_create_task_process,
    )? && has(worker, &names.begin_output, &ours.worker_begin_output)?
        && kind.is(&ours.managed_process)
        && kind.getattr(names.init.bind(py))?.is(&ours.managed_init)
        && ours
            .task_process
            .bind(py)
            .getattr(names.init.bind(py))?
            .is(&ours.process_init)
        && ours
            .base_process
            .bind(py)
            .getattr(names.init.bind(py))?
            .is(&ours.base_process_init)
        && reporter.is(&ours.reporter)
        && reporter
            .getattr(names.init.bind(py))?
            .is(&ours.reporter_init)
        && of_class(task, &names.accepts_messages, &ours.task_accepts_messages)?;
    if !is_ours {
        return Ok(None);
    }
    let of_worker = |name: &Py<PyString>| worker.getattr(name.bind(py));
    let settings = of_worker(&names.config)?;
    let setting = |name: &Py<PyString>| setting(&settings, name);
    let timeout = task.getattr(names.worker_timeout.bind(py))?;
    let timeout = if timeout.is_none() {
        setting(&names.timeout)?
    } else {
        timeout
    };
    let apart = setting(&names.force_multiprocessing)?.is_truthy()?
        || of_worker(&names.worker_processes)?.gt(1)?;
    let queue = of_worker(&names.task_result_queue)?;
    let logs = worker.getattr_opt(names.logs.bind(py))?;
    if !apart
        || timeout.is_truthy()?
        || !queue.get_type().is(&ours.result_queue)
        || !has(&queue, &names.for_process, &ours.result_queue_for_process)?
        || !logs.is_some_and(|logs| logs.is_none())
        || !of_worker(&names.of_worker_runners)?.is_none()
        || !of_worker(&names.engines)?.is_none()
    {
        return Ok(None);
    }
    let process = forks(py)?.new.bind(py).call1((&kind,))?;
    let set =
        |name: &Py<PyString>, value: &Bound<'py, PyAny>| process.setattr(name.bind(py), value);
    let nothing = py.None().into_bound(py);
    begin_base(&process, &kind)?;
    set(&names.task, task)?;
    let worker_id = of_worker(&names.id)?;
    set(&names.worker_id, &worker_id)?;
    let reports = forks(py)?.new.bind(py).call1((&reporter,))?;
    reports.setattr(
        names.task_id_of.bind(py),
        task.getattr(names.task_id.bind(py))?,
    )?;
    reports.setattr(names.worker_id_of.bind(py), &worker_id)?;
    reports.setattr(names.scheduler_of.bind(py), of_worker(&names.scheduler_of)?)?;
    reports.setattr(names.scheduler_messages.bind(py), &nothing)?;
    let private_of = global(py, names.private_of.bind(py))?;
    if !private_of.is(&ours.private_of) || !is_public(task)? {
        reports.setattr(names.private.bind(py), private_of.call1((task,))?)?;
    }
    set(&names.status_reporter, &reports)?;
    set(&names.worker_timeout, &timeout)?;
    set(&names.timeout_time, &nothing)?;
    process.setattr(names.use_multiprocessing.bind(py), true)?;
    set(
        &names.check_unfulfilled_deps,
        &setting(&names.check_unfulfilled_deps)?,
    )?;
    set(
        &names.check_complete_on_run,
        &setting(&names.check_complete_on_run)?,
    )?;
    let cache = of_worker(&names.task_completion_cache_of)?;
    set(&names.task_completion_cache, &cache)?;
    let keywords = PyDict::new(py);
    keywords.set_item(names.completion_cache.bind(py), &cache)?;
    let check = global(py, names.check_complete_cached.bind(py))?;
    let check = held(py)?.partial.bind(py).call((check,), Some(&keywords))?;
    set(&names.check_complete, &check)?;
    let channel = Bound::new(py, Channel::new(Some(process.clone().unbind())))?.into_any();
    let channels = queue.getattr(names.channels.bind(py))?;
    channels.cast::<PyList>()?.append(&channel)?;
    set(&names.result_queue, &channel)?;
    set(&names.context, &setting(&names.task_process_context)?)?;
    set(&names.runners, &nothing)?;
    set(&names.output, &nothing)?;
    Ok(Some(process))
}

/// What `multiprocessing.Process` begins with.
fn begin_base<'py>(process: &Bound<'py, PyAny>, kind: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = process.py();
    let (names, held) = (names(py), held(py)?);
    let module = held.process.bind(py);
    let set = |name: &Py<PyString>, value: Bound<'py, PyAny>| process.setattr(name.bind(py), value);
    let current = of_module(module, &names.current_process)?;
    let count = of_module(module, &names.process_counter)?.call_method0(names.next.bind(py))?;
    let identity = current.getattr(names.identity.bind(py))?.add((&count,))?;
    let mut name = kind.getattr(names.name.bind(py))?.extract::<String>()?;
    for (place, part) in identity.cast::<PyTuple>()?.iter().enumerate() {
        name.push(if place == 0 { '-' } else { ':' });
        name.push_str(&part.str()?.to_cow()?);
    }
    let settings = current.getattr(names.config.bind(py))?;
    set(&names.identity, identity)?;
    set(&names.config, settings.cast::<PyDict>()?.copy()?.into_any())?;
    set(
        &names.parent_pid,
        std::process::id().into_pyobject(py)?.into_any(),
    )?;
    set(&names.parent_name, current.getattr(names.name_of.bind(py))?)?;
    set(&names.popen, py.None().into_bound(py))?;
    process.setattr(names.closed.bind(py), false)?;
    set(&names.target, py.None().into_bound(py))?;
    set(&names.args, PyTuple::empty(py).into_any())?;
    set(&names.kwargs, PyDict::new(py).into_any())?;
    // It is not noted among the processes that dangle, which is for tests of Python itself.
    set(&names.name_of, PyString::new(py, &name).into_any())
}
