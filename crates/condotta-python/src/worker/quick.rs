//! The short way through a step where nobody replaced any part of it: the scheduler in this process is
//! asked and told without Python in between.
//!
//! After each fork all memory that is written to has to be copied, and Python writes to each object that it
//! looks at. With a process for each task that is most of what the worker does.

use condotta_scheduler::{AddTask, Assignment, GetWork, Status, Work, WorkerState};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PyString},
};

use super::{
    Step, global, log,
    main_loop::{running, scheduler},
};
use crate::{
    built_in::{built_in, has, of_module, setting, step},
    forks,
    names::names,
    scheduler::Scheduler,
};

/// What the scheduler handed out.
pub(super) enum Asked<'py> {
    /// A task that the worker has planned.
    Task {
        task_id: Bound<'py, PyAny>,
        pending: u64,
    },
    /// Something else, as the scheduler's own answer.
    Other(Bound<'py, PyAny>),
}

/// Asks the scheduler for work. `None` where a part of that is not the package's own.
pub(super) fn ask<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Option<Asked<'py>>> {
    let _step = Step::enter("_get_work");
    let py = worker.py();
    let (names, ours) = (names(py), built_in(py)?);
    let is_ours = step(worker, &names.get_work, &ours.worker_get_work)?
        && step(
            worker,
            &names.get_work_task_id,
            &ours.worker_get_work_task_id,
        )?
        && has(worker, &names.note_attempt, &ours.worker_note_attempt)?;
    if !is_ours
        || worker
            .getattr(names.stop_requesting_work.bind(py))?
            .is_truthy()?
    {
        return Ok(None);
    }
    let processes = worker.getattr(names.worker_processes.bind(py))?;
    let Some(engine) = engine(
        worker,
        &names.of_scheduler_get_work,
        &ours.scheduler_get_work,
    )?
    else {
        return Ok(None);
    };
    let settings = scheduler(worker)?.getattr(names.config.bind(py))?;
    let prunes = setting(&settings, &names.prune_on_get_work)?.is_truthy()?;
    if !processes.gt(0)?
        || engine.get().wants_metrics()?
        || prunes && !may_prune(worker, &settings)?
    {
        return Ok(None);
    }
    log::debug(py, (names.line_asking.bind(py),))?;
    let current = running(worker)?.cast_into::<PyDict>()?;
    let text =
        |name: &Py<PyString>| -> PyResult<String> { worker.getattr(name.bind(py))?.extract() };
    let request = GetWork {
        worker: text(&names.id)?,
        host: Some(text(&names.host)?),
        assistant: worker.getattr(names.assistant.bind(py))?.is_truthy()?,
        current_tasks: Some(current.keys().extract()?),
    };
    if prunes {
        engine.get().prune(now(py)?)?;
        tell(worker, &engine)?;
    }
    let work = engine.get().hand_out(now(py)?, request)?;
    tell(worker, &engine)?;
    planned(worker, &work)?.map_or_else(
        || Ok(Some(Asked::Other(Scheduler::answer(py, &work)?.into_any()))),
        |task| Ok(Some(task)),
    )
}

/// Whether all that the scheduler does when it prunes is in the engine.
fn may_prune(worker: &Bound<'_, PyAny>, settings: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (names, ours) = (names(worker.py()), built_in(worker.py())?);
    Ok(
        has(&scheduler(worker)?, &names.prune, &ours.scheduler_prune)?
            && !setting(settings, &names.batch_emails)?.is_truthy()?,
    )
}

/// What was handed out, if it is a task that the worker has planned. Notes it for the summary.
fn planned<'py>(worker: &Bound<'py, PyAny>, work: &Work) -> PyResult<Option<Asked<'py>>> {
    let py = worker.py();
    let names = names(py);
    let Assignment::Task { task_id, .. } = &work.assignment else {
        return Ok(None);
    };
    if work.counts.worker_state == WorkerState::Disabled {
        return Ok(None);
    }
    let scheduled = worker.getattr(names.scheduled_tasks.bind(py))?;
    let task_id = PyString::new(py, task_id).into_any();
    if !scheduled.contains(&task_id)? {
        return Ok(None);
    }
    let entry = PyDict::new(py);
    entry.set_item(names.task_id.bind(py), &task_id)?;
    entry.set_item(
        names.running_tasks.bind(py),
        Scheduler::running_tasks(py, work)?,
    )?;
    let history = worker.getattr(names.get_work_response_history.bind(py))?;
    match history.cast::<PyList>() {
        Ok(history) => history.append(entry)?,
        Err(_) => history
            .call_method1(names.append.bind(py), (entry,))
            .map(drop)?,
    }
    Ok(Some(Asked::Task {
        task_id,
        pending: work.counts.n_pending_tasks,
    }))
}

/// Reports a run that ended well, and asked for nothing. Returns whether it did: not where a part of that is
/// not the package's own.
pub(super) fn report_done(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    task_id: &Bound<'_, PyAny>,
    status: &Bound<'_, PyAny>,
    expl: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let _step = Step::enter("_add_task");
    let py = worker.py();
    let (names, ours) = (names(py), built_in(py)?);
    if !step(worker, &names.add_task, &ours.worker_add_task)? || !forks::is_described(task)? {
        return Ok(false);
    }
    let Some(engine) = engine(
        worker,
        &names.of_scheduler_add_task,
        &ours.scheduler_add_task,
    )?
    else {
        return Ok(false);
    };
    let batches = worker.getattr(names.batch_running_tasks.bind(py))?;
    if batches.is_truthy()? || !global(py, names.retry_policy.bind(py))?.is(&ours.retry_policy) {
        return Ok(false);
    }
    let id: String = task_id.extract()?;
    if !engine.get().is_described(&id)? {
        return Ok(false);
    }
    let resources = task.getattr(names.resources.bind(py))?;
    let Ok(resources) = resources.cast::<PyDict>() else {
        return Ok(false);
    };
    let history = worker.getattr(names.add_task_history.bind(py))?;
    history.call_method1(names.append.bind(py), ((task, status, py.None()),))?;
    let request = AddTask {
        status: Status::Done,
        runnable: None,
        new_deps: Some(Vec::new()),
        expl: expl.extract()?,
        resources: Some(Scheduler::amounts(&id, resources)?),
        assistant: worker.getattr(names.assistant.bind(py))?.is_truthy()?,
        ..AddTask::new(
            &worker.getattr(names.id.bind(py))?.extract::<String>()?,
            &id,
        )
    };
    engine.get().report(now(py)?, request)?;
    tell(worker, &engine)?;
    log::info(py, (names.line_informed.bind(py), task_id, status))?;
    Ok(true)
}

/// The engine of the worker's scheduler, if that is in this process and has its own method of this name.
fn engine<'py>(
    worker: &Bound<'py, PyAny>,
    name: &Py<PyString>,
    function: &Py<PyAny>,
) -> PyResult<Option<Bound<'py, Scheduler>>> {
    let py = worker.py();
    let scheduler = scheduler(worker)?;
    if !scheduler.get_type().is(&built_in(py)?.scheduler) || !has(&scheduler, name, function)? {
        return Ok(None);
    }
    let engine = scheduler.getattr(names(py).engine.bind(py))?;
    Ok(engine.cast_into::<Scheduler>().ok())
}

/// Tells history, metrics and people what happened, if there is something to tell.
fn tell(worker: &Bound<'_, PyAny>, engine: &Bound<'_, Scheduler>) -> PyResult<()> {
    if engine.get().noted() {
        let name = names(worker.py()).tell.bind(worker.py());
        scheduler(worker)?.call_method0(name)?;
    }
    Ok(())
}

/// The time, as the scheduler has it: whoever put a clock there is asked.
fn now(py: Python<'_>) -> PyResult<f64> {
    static SCHEDULER: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let module = SCHEDULER.get_or_try_init(py, || {
        let module = py.import("luigi.scheduler")?;
        PyResult::Ok(module.dict().unbind())
    })?;
    let time = &names(py).time;
    of_module(module.bind(py), time)?
        .call_method0(time.bind(py))?
        .extract()
}
