//! The steps of `luigi.worker.Worker`.
//!
//! What a worker holds are attributes of the Python object, since its subclasses and the projects
//! around it look into them. Each step is a method that the others look up when they call it, so that
//! a subclass, or whoever assigns to the class, replaces it. The order of the steps is `condotta-worker`'s.

mod get_work;
pub(crate) mod log;
mod main_loop;
mod plan;
mod quick;
mod report;

pub(crate) use log::{Step, plain_handler};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple},
};

pub(crate) use plan::{Additions, plan_graph};

/// The built-in steps of a worker. `luigi.worker.Worker` adds what a worker holds.
#[pyclass(subclass, dict, module = "condotta._engine")]
pub(crate) struct WorkerSteps;

#[pymethods]
impl WorkerSteps {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self
    }

    /// Asks for work and runs it until nothing is left that this worker can do.
    ///
    /// Returns True if all that ran here ended well.
    fn run<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let _step = Step::enter("run");
        main_loop::run(slf.as_any())
    }

    /// Says what kind of worker this is.
    fn _add_worker(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _step = Step::enter("_add_worker");
        main_loop::add_worker(slf.as_any())
    }

    /// Logs who runs what is left.
    fn _log_remote_tasks(
        slf: &Bound<'_, Self>,
        get_work_response: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let _step = Step::enter("_log_remote_tasks");
        main_loop::log_remote_tasks(slf.py(), get_work_response)
    }

    /// Whether a worker without anything to run stays.
    fn _keep_alive(slf: &Bound<'_, Self>, get_work_response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let _step = Step::enter("_keep_alive");
        main_loop::keep_alive(slf.as_any(), get_work_response)
    }

    /// Asks for no more work, and leaves when what runs has finished.
    fn _start_phasing_out(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _step = Step::enter("_start_phasing_out");
        main_loop::start_phasing_out(slf.as_any())
    }

    /// Starts a run; or runs the task to its end if it needs no process of its own.
    fn _run_task(slf: &Bound<'_, Self>, task_id: &Bound<'_, PyAny>) -> PyResult<()> {
        let _step = Step::enter("_run_task");
        main_loop::run_task(slf.as_any(), task_id)
    }

    /// Plans one task of which is known whether it is complete. Iterates over the tasks that it
    /// requires, and announces the task after the last of them.
    fn _add(
        slf: &Bound<'_, Self>,
        task: Bound<'_, PyAny>,
        is_complete: Bound<'_, PyAny>,
    ) -> Additions {
        Additions::new(slf.as_any(), task, is_complete)
    }

    /// Says once for each family which of its tasks may run together.
    fn _add_task_batcher(slf: &Bound<'_, Self>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let _step = Step::enter("_add_task_batcher");
        plan::add_task_batcher(slf.as_any(), task)
    }

    /// Tells the scheduler of a task, and notes it for the execution summary.
    #[pyo3(signature = (*args, **kwargs))]
    fn _add_task(
        slf: &Bound<'_, Self>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let _step = Step::enter("_add_task");
        report::add_task(slf.as_any(), args, kwargs)
    }

    /// Asks the scheduler for something to run, or only for what is left if this worker runs nothing.
    fn _get_work<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let _step = Step::enter("_get_work");
        get_work::get_work(slf.as_any())
    }

    /// The id of what was handed out; builds the combined task of a batch.
    fn _get_work_task_id<'py>(
        slf: &Bound<'py, Self>,
        get_work_response: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let _step = Step::enter("_get_work_task_id");
        get_work::task_id(slf.as_any(), get_work_response)
    }

    /// Waits a while for the end of a run, and deals with it.
    fn _handle_next_task(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _step = Step::enter("_handle_next_task");
        report::handle_next_task(slf.as_any())
    }

    /// Notices runs whose process died, or that took too long.
    fn _purge_children(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _step = Step::enter("_purge_children");
        report::purge_children(slf.as_any())
    }
}

/// A name of the module `luigi.worker`, as it is now: somebody may have put something else there.
pub(crate) fn global<'py>(
    py: Python<'py>,
    name: &Bound<'py, pyo3::types::PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<(Py<PyModule>, Py<PyDict>)> = PyOnceLock::new();
    let (module, names) = MODULE.get_or_try_init(py, || {
        let module = py.import("luigi.worker")?;
        let names = module.dict().unbind();
        PyResult::Ok((module.unbind(), names))
    })?;
    match names.bind(py).get_item(name)? {
        Some(found) => Ok(found),
        None => module.bind(py).getattr(name),
    }
}

/// Calls a method as an `except` block does: what fails in it has the error as its context.
pub(crate) fn call_handling<'py>(
    error: &PyErr,
    object: &Bound<'py, PyAny>,
    method: &str,
    args: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<Bound<'py, PyAny>> {
    static CALL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    let call = CALL.import(py, "luigi._worker_parts", "call_handling")?;
    error
        .value(py)
        .setattr(intern!(py, "__traceback__"), error.traceback(py))?;
    call.call1((
        error.value(py),
        object.getattr(method)?,
        args.into_pyobject(py)?,
    ))
}

/// The text of an exception as Python prints it.
fn traceback(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let lines = py.import("traceback")?.call_method1(
        "format_exception",
        (error.get_type(py), error.value(py), error.traceback(py)),
    )?;
    lines
        .try_iter()?
        .map(|line| line?.extract::<String>())
        .collect()
}
