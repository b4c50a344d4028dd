//! Asking for work: what the scheduler hands out is found among the planned tasks, or loaded.

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList},
};

use super::{
    call_handling, global, log,
    main_loop::{running, scheduler},
};

/// Asks, and gives a `GetWorkResponse`.
pub(super) fn get_work<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = worker.py();
    let response = global(py, intern!(py, "GetWorkResponse"))?;
    if worker
        .getattr(intern!(py, "_stop_requesting_work"))?
        .is_truthy()?
    {
        let disabled = global(py, intern!(py, "WORKER_STATE_DISABLED"))?;
        return response.call1((py.None(), 0, 0, 0, 0, disabled));
    }
    taken(worker, &ask(worker)?)
}

/// Finds what the scheduler handed out, and gives a `GetWorkResponse`.
pub(super) fn taken<'py>(
    worker: &Bound<'py, PyAny>,
    answer: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = worker.py();
    let response = global(py, intern!(py, "GetWorkResponse"))?;
    let running_tasks = answer.get_item(intern!(py, "running_tasks"))?;
    let mut task_id: Option<Bound<'py, PyAny>> = worker
        .call_method1(intern!(py, "_get_work_task_id"), (answer,))?
        .extract()?;
    let entry = PyDict::new(py);
    entry.set_item(intern!(py, "task_id"), &task_id)?;
    entry.set_item(intern!(py, "running_tasks"), &running_tasks)?;
    let history = worker.getattr(intern!(py, "_get_work_response_history"))?;
    history.call_method1(intern!(py, "append"), (entry,))?;
    if let Some(id) = &task_id {
        let attempt = answer.call_method1(intern!(py, "get"), (intern!(py, "attempt"),))?;
        worker.call_method1(intern!(py, "_note_attempt"), (id, attempt))?;
    }
    if let Some(id) = task_id.take()
        && load(worker, answer, &id)?
    {
        note_batch(worker, answer, &id)?;
        task_id = Some(id);
    }
    let get = |name: &str, otherwise: Bound<'py, PyAny>| {
        answer.call_method1(intern!(py, "get"), (name, otherwise))
    };
    let nothing = 0_u8.into_pyobject(py)?.into_any();
    let active = global(py, intern!(py, "WORKER_STATE_ACTIVE"))?;
    response.call1((
        task_id,
        running_tasks,
        answer.get_item(intern!(py, "n_pending_tasks"))?,
        answer.get_item(intern!(py, "n_unique_pending"))?,
        get("n_pending_last_scheduled", nothing)?,
        get("worker_state", active)?,
    ))
}

fn ask<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = worker.py();
    let request = PyDict::new(py);
    request.set_item(intern!(py, "worker"), worker.getattr(intern!(py, "_id"))?)?;
    let processes = worker.getattr(intern!(py, "worker_processes"))?;
    if !processes.gt(0)? {
        log::debug(py, (intern!(py, "Checking if tasks are still pending"),))?;
        return scheduler(worker)?.call_method("count_pending", (), Some(&request));
    }
    log::debug(py, (intern!(py, "Asking scheduler for work..."),))?;
    request.set_item(intern!(py, "host"), worker.getattr(intern!(py, "host"))?)?;
    request.set_item(
        intern!(py, "assistant"),
        worker.getattr(intern!(py, "_assistant"))?,
    )?;
    let current = running(worker)?.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    request.set_item(intern!(py, "current_tasks"), PyList::new(py, current)?)?;
    scheduler(worker)?.call_method(intern!(py, "get_work"), (), Some(&request))
}

/// Sees that the task is among those of the worker. Returns whether it is.
fn load(
    worker: &Bound<'_, PyAny>,
    answer: &Bound<'_, PyAny>,
    task_id: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = worker.py();
    let scheduled = worker.getattr(intern!(py, "_scheduled_tasks"))?;
    if scheduled.contains(task_id)? {
        return Ok(true);
    }
    log::info(
        py,
        ("Did not schedule %s, will load it dynamically", task_id),
    )?;
    match load_task(answer) {
        Ok(task) => {
            scheduled.set_item(task_id, task)?;
            Ok(true)
        }
        Err(error) if error.matches(py, global(py, intern!(py, "TaskClassException"))?)? => {
            let failed = (error.value(py), PyList::new(py, [task_id])?);
            call_handling(&error, worker, "_handle_task_load_error", failed)?;
            worker.setattr("run_succeeded", false)?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn load_task<'py>(answer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = answer.py();
    let recipe = PyDict::new(py);
    recipe.set_item("module", answer.call_method1("get", ("task_module",))?)?;
    recipe.set_item("task_name", answer.get_item("task_family")?)?;
    recipe.set_item("params_str", answer.get_item("task_params")?)?;
    global(py, intern!(py, "load_task"))?.call((), Some(&recipe))
}

/// Remembers who is in the batch: what becomes of the combined task became of them.
fn note_batch(
    worker: &Bound<'_, PyAny>,
    answer: &Bound<'_, PyAny>,
    task_id: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = worker.py();
    if !answer.contains(intern!(py, "batch_task_ids"))? {
        return Ok(());
    }
    let scheduled = worker.getattr("_scheduled_tasks")?;
    let members = PyList::empty(py);
    for id in answer.get_item("batch_task_ids")?.try_iter()? {
        let member = scheduled.call_method1("get", (id?,))?;
        if !member.is_none() {
            members.append(member)?;
        }
    }
    worker
        .getattr("_batch_running_tasks")?
        .set_item(task_id, members)
}

/// The id of what was handed out. A batch's combined task is built, and claimed for this worker.
pub(super) fn task_id<'py>(
    worker: &Bound<'py, PyAny>,
    answer: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = worker.py();
    let task_id = answer.call_method1(intern!(py, "get"), (intern!(py, "task_id"),))?;
    if !task_id.is_none() {
        return Ok(Some(task_id));
    }
    if !answer.contains(intern!(py, "batch_id"))? {
        return Ok(None);
    }
    let task = match load_task(answer) {
        Ok(task) => task,
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyException>(py) => {
            let failed = (error.value(py), answer.get_item("batch_task_ids")?);
            call_handling(&error, worker, "_handle_task_load_error", failed)?;
            worker.setattr("run_succeeded", false)?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let task_id = task.getattr("task_id")?;
    let claim = PyDict::new(py);
    claim.set_item("worker", worker.getattr("_id")?)?;
    claim.set_item("task_id", &task_id)?;
    claim.set_item("module", answer.call_method1("get", ("task_module",))?)?;
    claim.set_item("family", answer.get_item("task_family")?)?;
    claim.set_item("params", task.call_method0("to_str_params")?)?;
    claim.set_item("status", global(py, intern!(py, "RUNNING"))?)?;
    claim.set_item("batch_id", answer.get_item("batch_id")?)?;
    scheduler(worker)?.call_method("add_task", (), Some(&claim))?;
    Ok(Some(task_id))
}
