//! Planning: what is complete, what must run, and what it needs first.
//!
//! In Luigi's order: a task is checked when it is first mentioned, and announced after its
//! dependencies were; what was mentioned last is looked at first. Nothing here recurses.

use pyo3::{
    exceptions::{PyException, PyKeyboardInterrupt},
    intern,
    prelude::*,
    types::{PyDict, PyList, PySet},
};

use super::{
    call_handling, global, log,
    main_loop::{config, scheduler, setting},
    traceback,
};

/// Plans `task` with all that it needs.
///
/// `pool` checks tasks for completeness and puts them on `queue` with what it found.
#[pyfunction]
pub(crate) fn plan_graph(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    pool: &Bound<'_, PyAny>,
    queue: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = worker.py();
    let cache = worker.getattr(intern!(py, "_task_completion_cache"))?;
    let submit = |task: &Bound<'_, PyAny>| -> PyResult<()> {
        let check = global(py, intern!(py, "check_complete"))?;
        let arguments = PyList::new(py, [task, queue, &cache])?;
        pool.call_method1(intern!(py, "apply_async"), (check, arguments))?;
        Ok(())
    };
    let seen = PySet::new(py, [task.getattr(intern!(py, "task_id"))?])?;
    submit(task)?;
    let mut checks = 1_usize;
    while checks > 0 {
        let (item, is_complete): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            queue.call_method0(intern!(py, "get"))?.extract()?;
        checks -= 1;
        let additions = worker.call_method1(intern!(py, "_add"), (item, is_complete))?;
        for next in additions.try_iter()? {
            let next = next?;
            let task_id = next.getattr(intern!(py, "task_id"))?;
            if seen.contains(&task_id)? {
                continue;
            }
            worker.call_method1(intern!(py, "_validate_task"), (&next,))?;
            seen.add(task_id)?;
            submit(&next)?;
            checks += 1;
        }
    }
    Ok(())
}

/// What planning found out about a task.
struct Plan {
    status: Status,
    runnable: bool,
    deps: Option<Vec<Py<PyAny>>>,
}

/// The statuses that planning gives, by their names in `luigi.worker`.
#[derive(Clone, Copy)]
enum Status {
    Done,
    Pending,
    Disabled,
    Unknown,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Pending => "PENDING",
            Self::Disabled => "DISABLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Plan {
    fn new(status: Status, runnable: bool) -> Self {
        Self {
            status,
            runnable,
            deps: None,
        }
    }

    /// Nothing is known of a task over which planning failed.
    fn unknown() -> Self {
        Self::new(Status::Unknown, false)
    }
}

/// The tasks that a task requires. After the last one it announces the task.
#[pyclass(module = "condotta._engine")]
pub(crate) struct Additions {
    worker: Py<PyAny>,
    task: Py<PyAny>,
    is_complete: Py<PyAny>,
    plan: Option<Plan>,
    next: usize,
    announced: bool,
}

impl Additions {
    pub(super) fn new(
        worker: &Bound<'_, PyAny>,
        task: Bound<'_, PyAny>,
        is_complete: Bound<'_, PyAny>,
    ) -> Self {
        Self {
            worker: worker.clone().unbind(),
            task: task.unbind(),
            is_complete: is_complete.unbind(),
            plan: None,
            next: 0,
            announced: false,
        }
    }
}

#[pymethods]
impl Additions {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let _step = log::Step::enter("_add");
        let worker = self.worker.bind(py);
        let task = self.task.bind(py);
        if self.plan.is_none() {
            self.plan = Some(judge(worker, task, self.is_complete.bind(py))?);
        }
        let plan = self.plan.as_ref().expect("it was made before");
        let deps = plan.deps.as_deref().unwrap_or_default();
        if let Some(dep) = deps.get(self.next) {
            self.next += 1;
            let dep = dep.bind(py).clone();
            worker.call_method1(intern!(py, "_validate_dependency"), (&dep,))?;
            let discovered = event(py, "DEPENDENCY_DISCOVERED")?;
            task.call_method1(intern!(py, "trigger_event"), (discovered, task, &dep))?;
            return Ok(Some(dep));
        }
        if !self.announced {
            self.announced = true;
            announce(worker, task, plan)?;
        }
        Ok(None)
    }
}

fn event<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    global(py, intern!(py, "Event"))?.getattr(name)
}

/// The table of planning outcomes.
fn judge(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    is_complete: &Bound<'_, PyAny>,
) -> PyResult<Plan> {
    let py = worker.py();
    let limit = config(worker)?.getattr(intern!(py, "task_limit"))?;
    if !limit.is_none() {
        let scheduled = worker.getattr(intern!(py, "_scheduled_tasks"))?.len()?;
        if scheduled >= limit.extract::<usize>()? {
            let line = "Will not run %s or any dependencies due to exceeded task-limit of %d";
            log::warning(py, (line, task, limit))?;
            return Ok(Plan::unknown());
        }
    }
    let mut plan = judge_by_completeness(worker, task, is_complete)?;
    if task.getattr(intern!(py, "disabled"))?.is_truthy()? {
        plan.status = Status::Disabled;
    }
    Ok(plan)
}

fn judge_by_completeness(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    is_complete: &Bound<'_, PyAny>,
) -> PyResult<Plan> {
    let py = worker.py();
    let checked = worker.call_method1(intern!(py, "_check_complete_value"), (is_complete,));
    if let Err(error) = checked {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            return Err(error);
        }
        completeness_failed(worker, task, &error)?;
        return Ok(Plan::unknown());
    }
    let trigger = intern!(py, "trigger_event");
    if is_complete.is_truthy()? {
        task.call_method1(trigger, (event(py, "DEPENDENCY_PRESENT")?, task))?;
        return Ok(Plan::new(Status::Done, false));
    }
    let is_external = global(py, intern!(py, "_is_external"))?.call1((task,))?;
    if is_external.is_truthy()? {
        task.call_method1(trigger, (event(py, "DEPENDENCY_MISSING")?, task))?;
        let line = "Data for %s does not exist (yet?). The task is an external data dependency, so it cannot be run from this luigi process.";
        log::warning(py, (line, task))?;
        return Ok(Plan::new(
            Status::Pending,
            setting(worker, "retry_external_tasks")?,
        ));
    }
    match dependencies(worker, task) {
        Ok(deps) => Ok(Plan {
            deps: Some(deps),
            ..Plan::new(Status::Pending, true)
        }),
        Err(error) if error.is_instance_of::<PyException>(py) => {
            dependencies_failed(worker, task, &error)?;
            Ok(Plan::unknown())
        }
        Err(error) => Err(error),
    }
}

fn dependencies(worker: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
    let py = worker.py();
    let deps = task.call_method0(intern!(py, "deps"))?;
    worker.call_method1(intern!(py, "_add_task_batcher"), (task,))?;
    deps.try_iter()?.map(|dep| dep.map(Bound::unbind)).collect()
}

/// The task's `complete()` failed, or said neither yes nor no.
fn completeness_failed(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    error: &PyErr,
) -> PyResult<()> {
    let py = worker.py();
    let elsewhere = global(py, intern!(py, "AsyncCompletionException"))?;
    let text = if error.matches(py, elsewhere)? {
        error.value(py).getattr("trace")?.extract()?
    } else {
        traceback(py, error)?
    };
    worker.setattr("add_succeeded", false)?;
    worker.call_method1("_log_complete_error", (task, &text))?;
    task.call_method1("trigger_event", (event(py, "DEPENDENCY_MISSING")?, task))?;
    worker.call_method1("_email_complete_error", (task, text))?;
    Ok(())
}

/// The task could not say what it requires.
fn dependencies_failed(
    worker: &Bound<'_, PyAny>,
    task: &Bound<'_, PyAny>,
    error: &PyErr,
) -> PyResult<()> {
    let py = worker.py();
    let text = traceback(py, error)?;
    worker.setattr("add_succeeded", false)?;
    call_handling(error, worker, "_log_dependency_error", (task, &text))?;
    let broken = (event(py, "BROKEN_TASK")?, task, error.value(py));
    call_handling(error, task, "trigger_event", broken)?;
    call_handling(error, worker, "_email_dependency_error", (task, text)).map(drop)
}

fn announce(worker: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>, plan: &Plan) -> PyResult<()> {
    let py = worker.py();
    let task_id = task.getattr(intern!(py, "task_id"))?;
    let scheduled = worker.getattr(intern!(py, "_scheduled_tasks"))?;
    scheduled.set_item(&task_id, task)?;
    // Luigi tells of an empty list as it got it; only what has tasks in it becomes ids.
    let deps = match &plan.deps {
        None => None,
        Some(deps) => {
            let ids = deps
                .iter()
                .map(|dep| dep.bind(py).getattr(intern!(py, "task_id")));
            Some(PyList::new(py, ids.collect::<PyResult<Vec<_>>>()?)?)
        }
    };
    let report = PyDict::new(py);
    report.set_item(intern!(py, "worker"), worker.getattr(intern!(py, "_id"))?)?;
    report.set_item(intern!(py, "task_id"), task_id)?;
    let status = pyo3::types::PyString::intern(py, plan.status.name());
    report.set_item(intern!(py, "status"), status)?;
    report.set_item(intern!(py, "deps"), deps)?;
    report.set_item(intern!(py, "runnable"), plan.runnable)?;
    report.set_item(
        intern!(py, "priority"),
        task.getattr(intern!(py, "priority"))?,
    )?;
    describe(task, &report)?;
    report.set_item(
        intern!(py, "batchable"),
        task.getattr(intern!(py, "batchable"))?,
    )?;
    let accepts_messages = intern!(py, "accepts_messages");
    report.set_item(accepts_messages, task.getattr(accepts_messages)?)?;
    worker.call_method(intern!(py, "_add_task"), (), Some(&report))?;
    Ok(())
}

/// What a task says of itself, for announcements and for reports.
pub(super) fn describe(task: &Bound<'_, PyAny>, report: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = task.py();
    let resources = task.call_method0(intern!(py, "process_resources"))?;
    report.set_item(intern!(py, "resources"), resources)?;
    let params = task.call_method0(intern!(py, "to_str_params"))?;
    report.set_item(intern!(py, "params"), params)?;
    report.set_item(
        intern!(py, "family"),
        task.getattr(intern!(py, "task_family"))?,
    )?;
    report.set_item(
        intern!(py, "module"),
        task.getattr(intern!(py, "task_module"))?,
    )?;
    let policy = global(py, intern!(py, "_get_retry_policy_dict"))?.call1((task,))?;
    report.set_item(intern!(py, "retry_policy_dict"), policy)
}

pub(super) fn add_task_batcher(worker: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = worker.py();
    let family = task.getattr(intern!(py, "task_family"))?;
    let sent = worker.getattr(intern!(py, "_batch_families_sent"))?;
    if sent.contains(&family)? {
        return Ok(());
    }
    let batched_args = task.get_type().call_method0("batch_param_names")?;
    if batched_args.is_truthy()? {
        let batcher = PyDict::new(py);
        batcher.set_item("worker", worker.getattr("_id")?)?;
        batcher.set_item("task_family", &family)?;
        batcher.set_item("batched_args", batched_args)?;
        batcher.set_item("max_batch_size", task.getattr("max_batch_size")?)?;
        scheduler(worker)?.call_method("add_task_batcher", (), Some(&batcher))?;
    }
    sent.call_method1("add", (family,))?;
    Ok(())
}
