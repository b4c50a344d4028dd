//! Which steps are the package's own, and which somebody replaced.
//!
//! Steps are attributes of Python classes and modules, looked up when they are called. What is still as the
//! package made it can be done here without calling it, with less of Python's memory written to.

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString},
};

use crate::names::names;

macro_rules! built_in {
    ($($field:ident = $module:literal $(. $attribute:literal)+,)*) => {
        /// What the package made, by where it is found.
        pub(crate) struct BuiltIn {
            $(pub(crate) $field: Py<PyAny>,)*
        }

        impl BuiltIn {
            fn find(py: Python<'_>) -> PyResult<Self> {
                Ok(Self {
                    $($field: py.import($module)?.into_any()$(.getattr($attribute)?)+.unbind(),)*
                })
            }
        }
    };
}

built_in! {
    base_process = "multiprocessing.process"."BaseProcess",
    base_process_init = "multiprocessing.process"."BaseProcess"."__init__",
    formatter = "logging"."Formatter",
    fork_lock = "luigi._keep_alive"."fork_lock",
    forward_attributes = "luigi.worker"."TaskProcess"."_forward_attributes",
    is_external = "luigi.worker"."_is_external",
    keep_alive_run = "luigi._keep_alive"."KeepAliveThread"."run",
    log_record = "logging"."LogRecord",
    logger = "luigi._interface_logger"."InterfaceLogger",
    logger_debug = "luigi._interface_logger"."InterfaceLogger"."debug",
    logger_info = "luigi._interface_logger"."InterfaceLogger"."info",
    logger_is_enabled_for = "luigi._interface_logger"."InterfaceLogger"."isEnabledFor",
    logger_log = "luigi._interface_logger"."InterfaceLogger"."_log",
    logger_plain_handler = "luigi._interface_logger"."InterfaceLogger"."_plain_handler",
    logging = "logging"."__dict__",
    managed_init = "luigi.worker"."ContextManagedTaskProcess"."__init__",
    managed_process = "luigi.worker"."ContextManagedTaskProcess",
    managed_run = "luigi.worker"."ContextManagedTaskProcess"."run",
    missing_dependencies = "luigi.worker"."TaskProcess"."_missing_dependencies",
    object_getattribute = "builtins"."object"."__getattribute__",
    object_str = "builtins"."object"."__str__",
    parameter_serialize = "luigi.parameter"."Parameter"."serialize",
    percent_style = "logging"."PercentStyle",
    private_of = "luigi._private"."private_of",
    process_bootstrap = "multiprocessing.process"."BaseProcess"."_bootstrap",
    process_init = "luigi.worker"."TaskProcess"."__init__",
    process_is_alive = "multiprocessing.process"."BaseProcess"."is_alive",
    process_popen = "luigi.worker"."TaskProcess"."_Popen",
    process_run = "luigi.worker"."TaskProcess"."run",
    process_start = "luigi.worker"."TaskProcess"."start",
    reporter = "luigi.worker"."TaskStatusReporter",
    reporter_init = "luigi.worker"."TaskStatusReporter"."__init__",
    result_queue = "luigi._results"."ResultQueue",
    result_queue_for_process = "luigi._results"."ResultQueue"."for_process",
    result_queue_get = "luigi._results"."ResultQueue"."get",
    retry_policy = "luigi.worker"."_get_retry_policy_dict",
    public = "luigi.parameter"."ParameterVisibility"."PUBLIC",
    root_logger = "logging"."root",
    run_get_new_deps = "luigi.worker"."TaskProcess"."_run_get_new_deps",
    scheduler = "luigi.scheduler"."Scheduler",
    scheduler_add_task = "luigi.scheduler"."Scheduler"."add_task",
    scheduler_get_work = "luigi.scheduler"."Scheduler"."get_work",
    scheduler_prune = "luigi.scheduler"."Scheduler"."prune",
    scheduler_settings = "luigi.scheduler"."scheduler",
    status_after_run = "luigi.worker"."TaskProcess"."_status_after_run",
    stream_handler = "logging"."StreamHandler",
    task_accepts_messages = "luigi.task"."Task"."accepts_messages",
    task_deps = "luigi.task"."Task"."deps",
    task_disable_hard_timeout = "luigi.task"."Task"."disable_hard_timeout",
    task_disable_window = "luigi.task"."Task"."disable_window",
    task_get_param_visibilities = "luigi.task"."Task"."_get_param_visibilities",
    task_on_success = "luigi.task"."Task"."on_success",
    task_owner_email = "luigi.task"."Task"."owner_email",
    task_owner_list = "luigi.task"."Task"."_owner_list",
    task_process = "luigi.worker"."TaskProcess",
    task_process_resources = "luigi.task"."Task"."process_resources",
    task_repr = "luigi.task"."Task"."__repr__",
    task_requires = "luigi.task"."Task"."requires",
    task_requires_with_bases = "luigi.task"."Task"."_requires",
    task_retry_count = "luigi.task"."Task"."retry_count",
    task_to_str_params = "luigi.task"."Task"."to_str_params",
    task_trigger_event = "luigi.task"."Task"."trigger_event",
    worker_add_task = "condotta._engine"."WorkerSteps"."_add_task",
    worker_begin_output = "luigi._worker_operated"."Operated"."_begin_output",
    worker_create_task_process = "luigi.worker"."Worker"."_create_task_process",
    worker_get_work = "condotta._engine"."WorkerSteps"."_get_work",
    worker_get_work_task_id = "condotta._engine"."WorkerSteps"."_get_work_task_id",
    worker_note_attempt = "luigi._worker_operated"."Operated"."_note_attempt",
    worker_settings = "luigi._worker_config"."worker",
}

static BUILT_IN: PyOnceLock<BuiltIn> = PyOnceLock::new();

/// Takes what there is now for what the package made. `luigi.worker` calls it when it is loaded.
#[pyfunction]
pub(crate) fn remember_built_in(py: Python<'_>) -> PyResult<()> {
    BUILT_IN.get_or_try_init(py, || BuiltIn::find(py)).map(drop)
}

/// What the package made.
pub(crate) fn built_in(py: Python<'_>) -> PyResult<&'static BuiltIn> {
    BUILT_IN.get_or_try_init(py, || BuiltIn::find(py))
}

/// Whether a method of this object is that function: neither its class nor the object has another one.
pub(crate) fn has(
    object: &Bound<'_, PyAny>,
    name: &Py<PyString>,
    function: &Py<PyAny>,
) -> PyResult<bool> {
    let py = object.py();
    let Some(found) = object.getattr_opt(name.bind(py))? else {
        return Ok(false);
    };
    let behind = found.getattr_opt(names(py).func.bind(py))?;
    Ok(behind.is_some_and(|behind| behind.is(function)))
}

/// Whether a step of a worker is the built-in one.
pub(crate) fn step(
    worker: &Bound<'_, PyAny>,
    name: &Py<PyString>,
    function: &Py<PyAny>,
) -> PyResult<bool> {
    let py = worker.py();
    if !of_class(worker, name, function)? {
        return Ok(false);
    }
    let own = worker.getattr(names(py).dict.bind(py))?;
    Ok(!own.contains(name.bind(py))?)
}

/// A setting of a section of the configuration. Its descriptor is Python's, and finds it where it is.
pub(crate) fn setting<'py>(
    settings: &Bound<'py, PyAny>,
    name: &Py<PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = settings.py();
    let ours = built_in(py)?;
    let kind = settings.get_type();
    if kind.is(&ours.worker_settings) || kind.is(&ours.scheduler_settings) {
        let own = settings.getattr(names(py).dict.bind(py))?;
        if let Some(value) = own.cast::<PyDict>()?.get_item(name.bind(py))? {
            return Ok(value);
        }
    }
    settings.getattr(name.bind(py))
}

/// Whether an attribute of this object's class is that one, such as a property or a special method.
pub(crate) fn of_class(
    object: &Bound<'_, PyAny>,
    name: &Py<PyString>,
    attribute: &Py<PyAny>,
) -> PyResult<bool> {
    let found = object.get_type().getattr(name.bind(object.py()))?;
    Ok(found.is(attribute))
}

/// What a module holds under this name now.
pub(crate) fn of_module<'py>(
    module: &Bound<'py, PyDict>,
    name: &Py<PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let found = module.get_item(name.bind(module.py()))?;
    found.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(name.to_string()))
}
