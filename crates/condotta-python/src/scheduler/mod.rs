//! The class `Scheduler`: the engine's scheduler, called in the process that uses it.
//!
//! Each call brings the time, which Python reads. What happened leaves by `take_events`, so that
//! Python can tell history, metrics and people. No Python object is made or asked while the lock is
//! held: that could run other Python code, which may come back here.

mod arguments;
mod events;
mod replies;
mod settings;
mod views;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use condotta_protocol::{Object, RpcError, dispatch};
use condotta_scheduler::{
    AddTask, Event, GetWork, Now, Record, RecordCursor, Refusal, Resources, SavedState,
    Scheduler as Engine, Work,
};
use condotta_server::state::{read_export, write_export};
use pyo3::{
    exceptions::{PyIndexError, PyKeyError, PyRuntimeError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyTuple},
};

use crate::convert;

/// A clock that goes back by less than this many seconds was corrected, and is taken to stand.
const STANDS_SECS: f64 = 1.0;

/// The scheduler of the engine, in this process.
///
/// Times are seconds since the epoch, as `time.time()` gives them.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct Scheduler {
    inner: Mutex<Inner>,
    /// Whether there is something for `take_events`.
    noted: AtomicBool,
    /// The object that the settings came from.
    config: Py<PyAny>,
}

/// What the lock guards.
struct Inner {
    engine: Engine,
    events: Vec<Event>,
    /// Which events Python wants to hear of.
    wants: events::Wants,
    /// The limits that were configured.
    limits: Resources,
    /// The latest time that was given.
    latest: f64,
}

impl Inner {
    /// The time of a request. Someone who sets the clock far back, as tests do, wants all that is
    /// to come to be seen from there: then the reminders are made anew, and leases start again.
    fn at(&mut self, now: f64) -> Now {
        if now < self.latest - STANDS_SECS {
            let (records, _) = self
                .engine
                .read_records(RecordCursor::default(), usize::MAX);
            let mut saved = SavedState::default();
            records.into_iter().for_each(|record| saved.apply(record));
            self.restore(now, saved);
        }
        self.latest = if now < self.latest - STANDS_SECS {
            now
        } else {
            now.max(self.latest)
        };
        Now::at(self.latest)
    }

    fn restore(&mut self, now: f64, saved: SavedState) {
        self.engine = Engine::restore(
            self.engine.config().clone(),
            self.limits.clone(),
            fastrand::u64(..),
            Now::at(now),
            saved,
        );
    }
}

impl Scheduler {
    fn lock(&self) -> PyResult<MutexGuard<'_, Inner>> {
        self.inner
            .lock()
            .map_err(|_| PyRuntimeError::new_err("the scheduler failed at an earlier request"))
    }

    /// Lets the engine do something, and notes what happened by that.
    fn ask<T>(&self, now: f64, request: impl FnOnce(&mut Engine, Now) -> T) -> PyResult<T> {
        let mut inner = self.lock()?;
        let inner = &mut *inner;
        let now = inner.at(now);
        let answer = request(&mut inner.engine, now);
        while let Some(event) = inner.engine.poll_event() {
            if inner.wants.event(&event) {
                inner.events.push(event);
            }
        }
        if !inner.events.is_empty() {
            self.noted.store(true, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// Looks at the engine.
    fn look<T>(&self, view: impl FnOnce(&Engine) -> T) -> PyResult<T> {
        Ok(view(&self.lock()?.engine))
    }
}

/// What the worker's steps ask of the scheduler without Python in between.
impl Scheduler {
    /// Hands out work.
    pub(crate) fn hand_out(&self, now: f64, request: GetWork) -> PyResult<Work> {
        self.ask(now, |engine, now| engine.get_work(now, request))?
            .map_err(|refusal| refused(&refusal))
    }

    /// The answer about work, as Python gets it.
    pub(crate) fn answer<'py>(py: Python<'py>, work: &Work) -> PyResult<Bound<'py, PyDict>> {
        replies::work(py, work, false)
    }

    /// The tasks that the worker runs, as Python gets them with an answer about work.
    pub(crate) fn running_tasks<'py>(py: Python<'py>, work: &Work) -> PyResult<Bound<'py, PyList>> {
        replies::running_tasks(py, &work.counts)
    }

    /// Takes a report.
    pub(crate) fn report(&self, now: f64, report: AddTask) -> PyResult<()> {
        self.ask(now, |engine, now| engine.add_task(now, report))?
            .map_err(|refusal| refused(&refusal))
    }

    /// Whether a report need not say what the task is.
    pub(crate) fn is_described(&self, task_id: &str) -> PyResult<bool> {
        self.look(|engine| {
            let task = engine.shown_task(task_id);
            task.is_some_and(|task| !task.family().is_empty())
        })
    }

    /// Whether somebody counts what tasks do.
    pub(crate) fn wants_metrics(&self) -> PyResult<bool> {
        Ok(self.lock()?.wants.metrics)
    }

    /// What a run of the task takes of each resource.
    pub(crate) fn amounts(task_id: &str, resources: &Bound<'_, PyDict>) -> PyResult<Resources> {
        arguments::amounts(resources, arguments::amount)
            .map_err(|error| arguments::of_task(task_id, resources, error))
    }
}

/// The exception that Luigi's own scheduler ends with where there is one, else `ValueError`.
fn refused(refusal: &Refusal) -> PyErr {
    match refusal {
        Refusal::NoSuchBatch { .. } => PyIndexError::new_err(refusal.to_string()),
        _ => PyValueError::new_err(refusal.to_string()),
    }
}

fn failed(error: &RpcError) -> PyErr {
    match error {
        RpcError::Refused(refusal) => refused(refusal),
        RpcError::UnknownMethod { .. } => PyKeyError::new_err(error.to_string()),
        RpcError::MissingArgument { .. } => PyTypeError::new_err(error.to_string()),
        RpcError::BadArgument { .. } => PyValueError::new_err(error.to_string()),
    }
}

#[pymethods]
impl Scheduler {
    /// A scheduler with the settings that `config` has as attributes, and with these limits of
    /// resources. `saved` is what `dump` gave.
    #[new]
    #[pyo3(signature = (config, resources, saved = None))]
    fn new(
        config: Bound<'_, PyAny>,
        resources: &Bound<'_, PyDict>,
        saved: Option<&[u8]>,
    ) -> PyResult<Self> {
        let limits = settings::limits(resources)?;
        let settings = settings::config(&config)?;
        let scheduler = Self {
            inner: Mutex::new(Inner {
                engine: Engine::new(settings, limits.clone(), fastrand::u64(..)),
                events: Vec::new(),
                wants: events::Wants::default(),
                limits,
                latest: 0.0,
            }),
            noted: AtomicBool::new(false),
            config: config.unbind(),
        };
        if let Some(saved) = saved {
            scheduler.load(f64::MIN, saved)?;
        }
        Ok(scheduler)
    }

    /// Says whether `take_events` is to tell what a task history and metrics want to know.
    fn want(&self, history: bool, metrics: bool) -> PyResult<()> {
        self.lock()?.wants = events::Wants { history, metrics };
        Ok(())
    }

    /// A copy, for another process.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let this = slf.get();
        let (now, limits) = {
            let inner = this.lock()?;
            (inner.latest, inner.limits.clone())
        };
        let saved = this.dump(py, now)?;
        let arguments = (this.config.clone_ref(py), limits, saved);
        (slf.get_type(), arguments).into_pyobject(py)
    }

    /// Announces a task or reports on it: Luigi's arguments in their order, after the time.
    #[pyo3(signature = (now, *args))]
    fn add_task(&self, now: f64, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        let request = arguments::add_task(args)?;
        self.ask(now, |engine, now| engine.add_task(now, request))?
            .map_err(|refusal| refused(&refusal))
    }

    /// Work for a worker, as Luigi answers; with `attempts` also the number of the attempt.
    #[pyo3(signature = (now, host, assistant, current_tasks, worker, attempts = false))]
    fn get_work<'py>(
        &self,
        now: f64,
        host: Option<String>,
        assistant: bool,
        current_tasks: &Bound<'_, PyAny>,
        worker: &Bound<'py, PyAny>,
        attempts: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let request = arguments::get_work(host, assistant, current_tasks, worker)?;
        let work = self
            .ask(now, |engine, now| engine.get_work(now, request))?
            .map_err(|refusal| refused(&refusal))?;
        replies::work(worker.py(), &work, attempts)
    }

    /// Does what is due.
    pub(crate) fn prune(&self, now: f64) -> PyResult<()> {
        self.ask(now, Engine::prune)
    }

    /// Any method by its name, with its keyword arguments.
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        now: f64,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments: Object = convert::object(arguments)?;
        let reply = self
            .ask(now, |engine, now| dispatch(engine, now, method, arguments))?
            .map_err(|error| failed(&error))?;
        convert::python(py, &reply)
    }

    /// Sets limits of resources.
    fn update_resources(&self, now: f64, resources: &Bound<'_, PyDict>) -> PyResult<()> {
        let limits = settings::limits(resources)?;
        self.ask(now, |engine, now| engine.update_resources(now, limits))?
            .map_err(|refusal| refused(&refusal))
    }

    /// Whether `take_events` has something to tell.
    #[getter]
    pub(crate) fn noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// What happened since this was last asked, oldest first: tuples that begin with a name.
    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.noted.store(false, Ordering::Relaxed);
        let events = std::mem::take(&mut self.lock()?.events);
        let tuples = events.into_iter().map(|event| events::tuple(py, event));
        tuples.filter_map(Result::transpose).collect()
    }

    /// Whether there is such a task.
    fn has_task(&self, task_id: &str) -> PyResult<bool> {
        self.look(|engine| engine.shown_task(task_id).is_some())
    }

    /// All that is known of a task, by Luigi's names of its attributes; `None` when there is none.
    fn task<'py>(&self, py: Python<'py>, task_id: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let seen = self.look(|engine| views::SeenTask::of(engine, task_id))?;
        seen.map(|seen| seen.attributes(py)).transpose()
    }

    /// How many tasks have this status, or how many there are.
    #[pyo3(signature = (status = None))]
    fn task_count(&self, status: Option<&str>) -> PyResult<usize> {
        let status = status.map(arguments::named_status).transpose()?;
        self.look(|engine| match status {
            Some(status) => engine.task_count_of(status),
            None => engine.task_count(),
        })
    }

    /// The worst that a task waits for, by its name; empty for nothing of note.
    fn upstream_status(&self, task_id: &str) -> PyResult<&'static str> {
        self.look(|engine| engine.upstream_status(task_id))
    }

    /// Forgets all tasks but these.
    fn keep_tasks(&self, task_ids: Vec<String>) -> PyResult<()> {
        let kept: BTreeSet<String> = task_ids.into_iter().collect();
        let mut inner = self.lock()?;
        let (records, _) = inner
            .engine
            .read_records(RecordCursor::default(), usize::MAX);
        let mut saved = SavedState::default();
        for record in records {
            let is_kept = match &record {
                Record::Task(task) => kept.contains(&task.task_id),
                _ => true,
            };
            if is_kept {
                saved.apply(record);
            }
        }
        let now = inner.latest;
        inner.restore(now, saved);
        Ok(())
    }

    /// The ids of the tasks of these statuses, or of all, in the order in which they came.
    #[pyo3(signature = (*statuses))]
    fn task_ids(&self, statuses: Vec<String>) -> PyResult<Vec<String>> {
        let statuses = arguments::statuses(&statuses)?;
        self.look(|engine| views::task_ids(engine, &statuses))
    }

    /// The ids of the tasks that a worker can run.
    fn tasks_of(&self, worker: &str) -> PyResult<Vec<String>> {
        self.look(|engine| views::tasks_of(engine, worker))
    }

    /// All that is known of a worker, by Luigi's names of its attributes; `None` when there is none.
    fn worker<'py>(&self, py: Python<'py>, worker: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let seen = self.look(|engine| views::SeenWorker::of(engine, worker))?;
        seen.map(|seen| seen.attributes(py)).transpose()
    }

    /// The ids of the connected workers.
    fn worker_ids(&self) -> PyResult<Vec<String>> {
        self.look(|engine| {
            let workers = engine.worker_list(false).into_iter().rev();
            workers.map(|worker| worker.name).collect()
        })
    }

    /// The parameters that a worker runs together in a family, and the most tasks of one batch;
    /// `None` when it never said so.
    fn batcher(&self, worker: &str, family: &str) -> PyResult<Option<(Vec<String>, Option<u64>)>> {
        let batcher = self.look(|engine| engine.kept_batcher(worker, family))?;
        Ok(batcher.map(|batcher| (batcher.batched_args, batcher.max_size)))
    }

    /// All that is known, to be written to a file: lines of JSON.
    fn dump<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyBytes>> {
        let (records, _) =
            self.look(|engine| engine.read_records(RecordCursor::default(), usize::MAX))?;
        let mut out = Vec::new();
        write_export(Now::at(now), records, &mut out)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &out))
    }

    /// Takes up what `dump` wrote, in place of all that is known. `ValueError` for anything else:
    /// then nothing has changed.
    fn load(&self, now: f64, saved: &[u8]) -> PyResult<()> {
        let (at, saved) = read_export(&mut &saved[..])
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        // Times that count go on from those that were kept, also when the clock was set back.
        let now = now.max(at.monotonic.0);
        let mut inner = self.lock()?;
        inner.restore(now, saved);
        inner.latest = now;
        Ok(())
    }

    /// The limits of resources.
    #[getter]
    fn limits(&self) -> PyResult<Resources> {
        let list = self.look(Engine::resource_list)?;
        let limits: BTreeMap<_, _> = list
            .into_iter()
            .map(|resource| (resource.name, resource.num_total))
            .collect();
        Ok(limits)
    }
}
