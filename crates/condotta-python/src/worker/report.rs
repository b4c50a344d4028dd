//! What comes back from runs, and what the scheduler is told of it.

use pyo3::{
    exceptions::PyTypeError,
    intern,
    prelude::*,
    types::{PyDict, PyList, PyTuple},
};

use super::{
    global, log,
    main_loop::{config, running, scheduler, setting},
    plan::describe,
    quick,
};
use crate::{
    built_in::{built_in, setting as setting_of},
    forks,
    names::names,
    watch::WorkWatch,
};

/// Tells the scheduler of a task, and notes for the execution summary what it was told.
pub(super) fn add_task(
    worker: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let py = worker.py();
    let report = match kwargs {
        Some(kwargs) => kwargs.clone(),
        None => PyDict::new(py),
    };
    let keyword = |name: &str| {
        report.get_item(name)?.ok_or_else(|| {
            PyTypeError::new_err(format!("_add_task() needs the keyword argument {name:?}"))
        })
    };
    let task_id = keyword("task_id")?;
    let status = keyword("status")?;
    let runnable = keyword("runnable")?;
    let scheduled = worker.getattr(names(py).scheduled_tasks.bind(py))?;
    let task = scheduled.call_method1(names(py).get.bind(py), (&task_id,))?;
    let is_known = task.is_truthy()?;
    if is_known {
        note(worker, (&task, &status, &runnable))?;
        let owners = task.call_method0(intern!(py, "_owner_list"))?;
        report.set_item(intern!(py, "owners"), owners)?;
    }
    let batches = worker.getattr(intern!(py, "_batch_running_tasks"))?;
    if batches.contains(&task_id)? {
        for member in batches.call_method1("pop", (&task_id,))?.try_iter()? {
            note(worker, (&member?, &status, true))?;
        }
    }
    if is_known
        && let Some(params) = report.get_item(intern!(py, "params"))?
        && params.is_truthy()?
    {
        let visibilities = task.call_method0(intern!(py, "_get_param_visibilities"))?;
        report.set_item(intern!(py, "param_visibilities"), visibilities)?;
    }
    scheduler(worker)?.call_method(intern!(py, "add_task"), args, Some(&report))?;
    let line = intern!(py, "Informed scheduler that task   %s   has status   %s");
    log::info(py, (line, task_id, status))
}

fn note<'py>(
    worker: &Bound<'py, PyAny>,
    entry: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<()> {
    let py = worker.py();
    let history = worker.getattr(intern!(py, "_add_task_history"))?;
    let entry = entry.into_pyobject(py)?;
    history.call_method1(names(py).append.bind(py), (entry,))?;
    Ok(())
}

/// Notices runs whose process died, or that took too long.
pub(super) fn purge_children(worker: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = worker.py();
    let purged = worker.getattr(names(py).purged.bind(py))?;
    for item in running(worker)?
        .call_method0(names(py).items.bind(py))?
        .try_iter()?
    {
        let (task_id, process): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
        if forks::goes_on(&process)? {
            continue;
        }
        let Some((event, text)) = how_it_was_lost(worker, &task_id, &process)? else {
            continue;
        };
        // Its end may have to wait behind others on the queue.
        if purged.call_method1("get", (&task_id,))?.is(&process) {
            continue;
        }
        purged.set_item(&task_id, &process)?;
        let event = global(py, intern!(py, "Event"))?.getattr(event)?;
        let task = process.getattr("task")?;
        task.call_method1("trigger_event", (event, &task, &text))?;
        log::info(py, (&text,))?;
        let failed = global(py, names(py).failed.bind(py))?;
        let result = (task_id, failed, text, PyList::empty(py), PyList::empty(py));
        let queue = worker.getattr("_task_result_queue")?;
        queue.call_method1("put", (result,))?;
        disregard(&queue, &process)?;
    }
    Ok(())
}

/// What a process says after its run has been given up is not taken for a word of the next run of its task.
fn disregard(queue: &Bound<'_, PyAny>, process: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = queue.py();
    // Others' queues and processes need not know of it.
    let disregard = queue.getattr_opt(intern!(py, "disregard"))?;
    let channel = process.getattr_opt(&names(py).result_queue)?;
    if let (Some(disregard), Some(channel)) = (disregard, channel) {
        disregard.call1((channel,))?;
    }
    Ok(())
}

fn how_it_was_lost(
    worker: &Bound<'_, PyAny>,
    task_id: &Bound<'_, PyAny>,
    process: &Bound<'_, PyAny>,
) -> PyResult<Option<(&'static str, String)>> {
    let py = process.py();
    // Its task may run anew only when nothing of this run is left.
    let ending = global(py, intern!(py, "ending"))?.call1((process,))?;
    if ending.is_truthy()? {
        return Ok(None);
    }
    let is_overdue = process.getattr_opt(intern!(py, "is_overdue"))?;
    if is_overdue.is_some_and(|it| it.extract::<bool>().unwrap_or(false)) {
        return timed_out(task_id, process).map(Some);
    }
    let is_alive = || process.call_method0(intern!(py, "is_alive"))?.is_truthy();
    if !is_alive()? {
        let exit_code = process.getattr(intern!(py, "exitcode"))?;
        if exit_code.is_truthy()? {
            if let Some(text) = cancelled(process, task_id)? {
                return Ok(Some(("PROCESS_FAILURE", text)));
            }
            let text = format!("Task {task_id} died unexpectedly with exit code {exit_code}");
            return Ok(Some(("PROCESS_FAILURE", text)));
        }
        // One that left without a word, as `os._exit(0)` does: Luigi would wait for it for ever.
        if is_lost(process)? {
            let text = format!("Task {task_id} ended its process without a result");
            return Ok(Some(("PROCESS_FAILURE", text)));
        }
    }
    let deadline = process.getattr(intern!(py, "timeout_time"))?;
    if deadline.is_none() {
        return Ok(None);
    }
    let now = global(py, intern!(py, "time"))?.call_method0(intern!(py, "time"))?;
    if !now.gt(deadline.extract::<f64>()?)? || !is_alive()? {
        return Ok(None);
    }
    let has_gone = global(py, intern!(py, "end_overdue"))?.call1((process,))?;
    if !has_gone.is_truthy()? {
        disregard(&worker.getattr("_task_result_queue")?, process)?;
        return Ok(None);
    }
    timed_out(task_id, process).map(Some)
}

fn timed_out(
    task_id: &Bound<'_, PyAny>,
    process: &Bound<'_, PyAny>,
) -> PyResult<(&'static str, String)> {
    let seconds = process.getattr("worker_timeout")?;
    let text = format!("Task {task_id} timed out after {seconds} seconds and was terminated.");
    Ok(("TIMEOUT", text))
}

/// What is said of a run that was cancelled.
fn cancelled(process: &Bound<'_, PyAny>, task_id: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = process.py();
    let text = global(py, intern!(py, "cancelled"))?.call1((process, task_id))?;
    text.extract()
}

/// Sends what is left of what the run printed; what was noticed from outside is said there, too.
fn finish_output(
    worker: &Bound<'_, PyAny>,
    process: &Bound<'_, PyAny>,
    finished: &Finished<'_>,
) -> PyResult<()> {
    let py = worker.py();
    let output = process.getattr_opt(names(py).output.bind(py))?;
    let Some(output) = output.filter(|output| !output.is_none()) else {
        return Ok(());
    };
    let purged = worker.getattr(names(py).purged.bind(py))?;
    if purged
        .call_method1(names(py).get.bind(py), (&finished.0,))?
        .is(process)
    {
        let record = (40, "luigi-interface", &finished.2);
        output.call_method1(intern!(py, "record"), record)?;
    }
    output.call_method0(intern!(py, "finish"))?;
    Ok(())
}

/// Processes of other classes than `TaskProcess` need not know this.
fn is_lost(process: &Bound<'_, PyAny>) -> PyResult<bool> {
    match process.getattr_opt("is_lost")? {
        Some(is_lost) => is_lost.call0()?.is_truthy(),
        None => Ok(false),
    }
}

/// What a run puts on the queue when it ends.
#[derive(FromPyObject)]
struct Finished<'py>(
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// Waits a while for the end of a run, and deals with it. Ends that nobody waits for are passed over.
pub(super) fn handle_next_task(worker: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = worker.py();
    worker.setattr(names(py).idle_since.bind(py), py.None())?;
    loop {
        worker.call_method0(names(py).purge_children.bind(py))?;

        let Some(finished) = next_finished(worker)? else {
            return Ok(());
        };

        let scheduled = worker.getattr(names(py).scheduled_tasks.bind(py))?;
        let task = scheduled.get_item(&finished.0)?;
        if !task.is_truthy()? || !running(worker)?.contains(&finished.0)? {
            continue;
        }
        return settle(worker, &task, finished);
    }
}

fn next_finished<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Option<Finished<'py>>> {
    let py = worker.py();
    let seconds = setting_of(&config(worker)?, &names(py).wait_interval)?;
    let queue = worker.getattr(names(py).task_result_queue.bind(py))?;
    let watch = watch(worker)?;
    let watch = watch.as_ref().map(Bound::get);
    if let Some(found) = forks::next_of_queue(&queue, &seconds, watch)? {
        return found.map(|finished| finished.extract()).transpose();
    }
    let wait = PyDict::new(py);
    wait.set_item(intern!(py, "timeout"), seconds)?;
    match queue.call_method(names(py).get.bind(py), (), Some(&wait)) {
        Ok(finished) => Ok(Some(finished.extract()?)),
        Err(error) => {
            let empty = py.import("queue")?.getattr("Empty")?;
            if error.matches(py, empty)? {
                Ok(None)
            } else {
                Err(error)
            }
        }
    }
}

/// Who says that there may be work for a worker that could run more at a time; nobody where it has to ask.
fn watch<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, WorkWatch>>> {
    let py = worker.py();
    let names = names(py);
    if scheduler(worker)?.get_type().is(&built_in(py)?.scheduler) {
        return Ok(None);
    }
    let processes = worker.getattr(names.worker_processes.bind(py))?;
    let leaves = worker.getattr(names.stop_requesting_work.bind(py))?;
    if leaves.is_truthy()? || processes.le(running(worker)?.len()?)? {
        return Ok(None);
    }
    let watch = worker.call_method0(intern!(py, "_work_watch"))?;
    Ok(watch.cast_into().ok())
}

/// Reports a run's end and plans what it asked for.
fn settle(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    finished: Finished<'_>,
) -> PyResult<()> {
    let py = worker.py();
    let process = running(worker)?.get_item(&finished.0)?;
    finish_output(worker, &process, &finished)?;
    let Finished(task_id, status, mut expl, missing, requirements) = finished;
    let has_failed = status.eq(global(py, names(py).failed.bind(py))?)?;
    if has_failed && let Some(text) = cancelled(&process, &task_id)? {
        expl = text.into_pyobject(py)?.into_any();
    }
    if !expl.is_none() {
        expl = global(py, intern!(py, "hide_in_expl"))?.call1((task, expl))?;
    }
    if has_failed && !is_looked_for_again(worker, task)? {
        worker.call_method1("_email_task_failure", (task, &expl))?;
    }
    let done = status.eq(global(py, names(py).done.bind(py))?)?;
    let expl = as_json(expl)?;
    if done
        && !requirements.is_truthy()?
        && !missing.is_truthy()?
        && quick::report_done(worker, task, &task_id, &status, &expl)?
    {
        running(worker)?.call_method1(names(py).pop.bind(py), (task_id,))?;
        return Ok(());
    }
    let new_deps = add_requirements(worker, &requirements)?;

    let report = PyDict::new(py);
    report.set_item(intern!(py, "worker"), worker.getattr(intern!(py, "_id"))?)?;
    report.set_item(names(py).task_id.bind(py), &task_id)?;
    report.set_item(intern!(py, "status"), &status)?;
    report.set_item(intern!(py, "expl"), expl)?;
    report.set_item(intern!(py, "runnable"), py.None())?;
    describe(task, &report)?;
    report.set_item(intern!(py, "new_deps"), &new_deps)?;
    report.set_item(
        intern!(py, "assistant"),
        worker.getattr(intern!(py, "_assistant"))?,
    )?;

    worker.call_method(intern!(py, "_add_task"), (), Some(&report))?;

    running(worker)?.call_method1(names(py).pop.bind(py), (task_id,))?;
    if missing.is_truthy()? && may_reschedule(worker, &missing)? {
        worker.call_method1("add", (task,))?;
    }
    let run_succeeded = intern!(py, "run_succeeded");
    let before = worker.getattr(run_succeeded)?.is_truthy()?;
    worker.setattr(run_succeeded, before && (done || !new_deps.is_empty()))
}

/// What most runs say is nothing, for which Python's encoder need not be woken up.
fn as_json<'py>(expl: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = expl.py();
    if expl.is_none() {
        return Ok(names(py).null.bind(py).clone().into_any());
    }
    global(py, intern!(py, "json"))?.call_method1(intern!(py, "dumps"), (expl,))
}

/// An external task that is looked for again has not failed for good.
fn is_looked_for_again(worker: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = worker.py();
    let is_external = global(py, intern!(py, "_is_external"))?.call1((task,))?;
    Ok(is_external.is_truthy()? && setting(worker, "retry_external_tasks")?)
}

/// Plans what a run asked for. Returns the ids.
fn add_requirements<'py>(
    worker: &Bound<'py, PyAny>,
    requirements: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = worker.py();
    if !requirements.is_truthy()? {
        return Ok(PyList::empty(py));
    }
    let load_task = global(py, intern!(py, "load_task"))?;
    let recipes = requirements.try_iter()?;
    let tasks = recipes
        .map(|recipe| load_task.call1(recipe?.cast::<PyTuple>()?.clone()))
        .collect::<PyResult<Vec<_>>>()?;
    for task in &tasks {
        worker.call_method1("add", (task,))?;
    }
    let ids = tasks
        .iter()
        .map(|task| task.getattr(names(py).task_id.bind(py)));
    PyList::new(py, ids.collect::<PyResult<Vec<_>>>()?)
}

/// Keeps a task whose dependency is missing again and again from being announced for ever.
fn may_reschedule(worker: &Bound<'_, PyAny>, missing: &Bound<'_, PyAny>) -> PyResult<bool> {
    let counts = worker.getattr("unfulfilled_counts")?;
    let limit = config(worker)?.getattr("max_reschedules")?;
    let mut reschedule = true;
    for dependency in missing.try_iter()? {
        let dependency = dependency?;
        let count = counts.get_item(&dependency)?.add(1)?;
        counts.set_item(dependency, &count)?;
        reschedule &= !count.gt(&limit)?;
    }
    Ok(reschedule)
}
