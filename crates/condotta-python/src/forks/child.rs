//! A process that is forked for one run, from its fork to its end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::{
    exceptions::PySystemExit,
    prelude::*,
    types::{PyDict, PyInt},
};

use super::{
    held::held,
    run::{run_task_process, settle_output},
    shared::Shared,
    signals::{fork, heed_signals},
    start::flush,
};
use crate::{
    built_in::{built_in, has, of_module},
    names::names,
    release::release,
};

/// Forks a process that carries out the run of `own`, and ends. Returns its number.
///
/// `shared` is what all such processes use; `plain` tells that nobody put something else in the place of
/// what a process does after its fork.
#[pyfunction]
pub(crate) fn fork_run(
    own: &Bound<'_, PyAny>,
    shared: &Bound<'_, PyAny>,
    plain: bool,
) -> PyResult<i32> {
    fork_and_run(own, &Shared::of(shared)?, plain)
}

/// The same, where what they use is at hand.
pub(super) fn fork_and_run(own: &Bound<'_, PyAny>, shared: &Shared, plain: bool) -> PyResult<i32> {
    let py = own.py();
    let pid = fork(py)?;
    if pid != 0 {
        return Ok(pid);
    }
    // Whatever happens, this process must not go on as if it were the worker.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let code = run_to_the_end(own, shared, plain).unwrap_or(1);
        held(py)?.os(py, &names(py).exit)?.call1((code,)).map(drop)
    }));
    drop(ended);
    std::process::abort();
}

/// What `BaseProcess._bootstrap` does, in its order. Returns the exit code.
fn run_to_the_end(own: &Bound<'_, PyAny>, shared: &Shared, plain: bool) -> PyResult<i32> {
    let py = own.py();
    let (names, held) = (names(py), held(py)?);
    // They are of no use here, but to free them would be to write all over the memory.
    let process = held.process.bind(py);
    let kept = (
        process.get_item(names.current_process.bind(py))?,
        process.get_item(names.children.bind(py))?,
    );
    std::mem::forget(kept);
    let ended = begin(own, shared, plain).and_then(|()| {
        let ran = carry_out(own);
        // Nothing is left to do for a task that neither started processes nor used multiprocessing's files.
        let clears = clears_atexit(py);
        let started = of_module(process, &names.children)?.is_truthy()?
            || of_module(held.util.bind(py), &names.finalizer_registry)?.is_truthy()?;
        let exited = if !clears && started {
            of_module(held.util.bind(py), &names.exit_function)?
                .call0()
                .map(drop)
        } else {
            Ok(())
        };
        exited.and(ran)
    });
    let code = match ended {
        Ok(()) => Ok(0),
        Err(error) => code_of(own, &error),
    };
    finish(py)?;
    settle_output(own)?;
    code
}

/// Later releases of Python clear what is to be done at the end before the run, and do it after it.
fn clears_atexit(py: Python<'_>) -> bool {
    release(py) >= 13
}

fn begin(own: &Bound<'_, PyAny>, shared: &Shared, plain: bool) -> PyResult<()> {
    let py = own.py();
    let (names, held) = (names(py), held(py)?);
    heed_signals(py)?;
    let process = held.process.bind(py);
    process.set_item(names.process_counter.bind(py), &shared.process_counter)?;
    process.set_item(names.children.bind(py), &shared.children)?;
    let sys = held.sys.bind(py);
    let stdin = of_module(sys, &names.stdin)?;
    if !stdin.is_none() && stdin.is(&shared.empty_input) {
        // There is nothing to read as it is.
    } else if !shared.terminal.is_none(py) && stdin.is(&shared.terminal) {
        // The terminal is left to the worker.
        held.os(py, &names.dup2)?.call1((&shared.nothing, 0))?;
        sys.set_item(names.stdin.bind(py), &shared.stdin)?;
    } else {
        of_module(held.util.bind(py), &names.close_stdin)?.call0()?;
    }
    process.set_item(names.current_process.bind(py), own)?;
    process.set_item(names.parent_process.bind(py), &shared.parent)?;
    if clears_atexit(py) {
        let atexit = held.atexit.bind(py);
        of_module(atexit, &names.clear)?.call0()?;
        let exit_function = of_module(held.util.bind(py), &names.exit_function)?;
        of_module(atexit, &names.register)?.call1((exit_function,))?;
    }
    let number = of_module(held.threading.bind(py), &names.get_native_id)?.call0()?;
    let main_thread = shared.main_thread.bind(py);
    main_thread.setattr(names.native_id.bind(py), number)?;
    let finalizers = of_module(held.util.bind(py), &names.finalizer_registry)?;
    let finalizers = finalizers.cast::<PyDict>()?;
    if !finalizers.is_empty() {
        std::mem::forget(finalizers.copy()?);
    }
    if !plain {
        own.call_method0(names.after_fork.bind(py))?;
        return Ok(());
    }
    if !finalizers.is_empty() {
        finalizers.clear();
    }
    let registry = of_module(held.util.bind(py), &names.afterfork_registry)?;
    if registry.getattr(names.data.bind(py))?.is_truthy()? {
        of_module(held.util.bind(py), &names.run_after_forkers)?.call0()?;
    }
    let output = own.getattr(names.output.bind(py))?;
    if !output.is_none() {
        output.call_method0(names.enter.bind(py))?;
    }
    Ok(())
}

fn carry_out(own: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = own.py();
    let (names, ours) = (names(py), built_in(py)?);
    let is_managed = has(own, &names.run, &ours.managed_run)?
        && !own.getattr(names.context.bind(py))?.is_truthy()?
        && (ours.task_process.bind(py).getattr(names.run.bind(py))?).is(&ours.process_run);
    if is_managed || has(own, &names.run, &ours.process_run)? {
        return run_task_process(own);
    }
    own.call_method0(names.run.bind(py)).map(drop)
}

/// The exit code of a run that ended with an exception, which is told unless it is an exit.
fn code_of(own: &Bound<'_, PyAny>, error: &PyErr) -> PyResult<i32> {
    let py = own.py();
    let stderr = py.import("sys")?.getattr("stderr")?;
    if error.is_instance_of::<PySystemExit>(py) {
        let code = error.value(py).getattr("code")?;
        if code.is_none() {
            return Ok(0);
        }
        if code.is_instance_of::<PyInt>() {
            return code.extract();
        }
        stderr.call_method1("write", (format!("{}\n", code.str()?),))?;
        return Ok(1);
    }
    stderr.call_method1("write", (format!("Process {}:\n", own.getattr("name")?),))?;
    let parts = (error.get_type(py), error.value(py), error.traceback(py));
    py.import("traceback")?
        .call_method1("print_exception", parts)?;
    Ok(1)
}

/// Waits for what the run started, and lets go of what it printed.
fn finish(py: Python<'_>) -> PyResult<()> {
    let (names, held) = (names(py), held(py)?);
    let threading = held.threading.bind(py);
    if clears_atexit(py) {
        of_module(held.atexit.bind(py), &names.run_exitfuncs)?.call0()?;
    }
    if clears_atexit(py) || has_threads(py)? {
        of_module(threading, &names.shutdown)?.call0()?;
    }
    flush(py)
}

/// Whether the run started threads, or something that wants to know when they are waited for.
fn has_threads(py: Python<'_>) -> PyResult<bool> {
    let (names, threading) = (names(py), held(py)?.threading.bind(py));
    Ok(of_module(threading, &names.active)?.len()? > 1
        || of_module(threading, &names.limbo)?.is_truthy()?
        || of_module(threading, &names.threading_atexits)?.is_truthy()?)
}
