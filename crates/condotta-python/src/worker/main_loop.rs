//! The main loop's steps: which hooks of the Python object they call.

use condotta_worker::steps::{self, Left, StayPolicy, Steps};
use pyo3::{intern, prelude::*};

use super::{
    get_work, global, log,
    quick::{self, Asked},
};
use crate::{forks, names::names};

/// Runs the worker. Returns its `run_succeeded`.
pub(super) fn run<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = worker.py();
    log::look_again();
    forks::look_at_handlers(py);
    let processes = worker.getattr(names(py).worker_processes.bind(py))?;
    log::info(py, ("Running Worker with %d processes", processes))?;
    let sleeper = worker.call_method0(intern!(py, "_sleeper"))?;
    worker.setattr(intern!(py, "run_succeeded"), true)?;
    worker.call_method0(intern!(py, "_add_worker"))?;
    steps::run(&mut PythonSteps { worker, sleeper })?;
    worker.getattr(intern!(py, "run_succeeded"))
}

/// What the scheduler answered.
enum Answer<'py> {
    /// A task that the worker has planned, and how many tasks wait.
    Task {
        task_id: Bound<'py, PyAny>,
        pending: u64,
    },
    /// A `GetWorkResponse`.
    Response(Bound<'py, PyAny>),
}

/// A Python worker while it runs.
struct PythonSteps<'a, 'py> {
    worker: &'a Bound<'py, PyAny>,
    sleeper: Bound<'py, PyAny>,
}

impl<'py> Steps for PythonSteps<'_, 'py> {
    type Answer = Answer<'py>;
    type Work = Bound<'py, PyAny>;
    type Error = PyErr;

    fn running(&mut self) -> PyResult<usize> {
        running(self.worker)?.len()
    }

    fn max_running(&mut self) -> PyResult<usize> {
        let processes = self.worker.getattr(
            names(self.worker.py())
                .worker_processes
                .bind(self.worker.py()),
        )?;
        Ok(usize::try_from(processes.extract::<i64>()?).unwrap_or(0))
    }

    fn get_work(&mut self) -> PyResult<Self::Answer> {
        let py = self.worker.py();
        // Here signals are seen also by a worker that has nothing else to do.
        py.check_signals()?;
        Ok(match quick::ask(self.worker)? {
            Some(Asked::Task { task_id, pending }) => Answer::Task { task_id, pending },
            Some(Asked::Other(answer)) => Answer::Response(get_work::taken(self.worker, &answer)?),
            None => {
                let response = self.worker.call_method0(intern!(py, "_get_work"))?;
                Answer::Response(response)
            }
        })
    }

    fn is_disabled(&mut self, answer: &Self::Answer) -> PyResult<bool> {
        let Answer::Response(response) = answer else {
            return Ok(false);
        };
        let py = self.worker.py();
        let disabled = global(py, intern!(py, "WORKER_STATE_DISABLED"))?;
        response.getattr(intern!(py, "worker_state"))?.eq(disabled)
    }

    fn take_work(&mut self, answer: &mut Self::Answer) -> PyResult<Option<Self::Work>> {
        let task_id = match answer {
            Answer::Task { task_id, .. } => task_id.clone(),
            Answer::Response(response) => {
                response.getattr(names(response.py()).task_id.bind(response.py()))?
            }
        };
        Ok((!task_id.is_none()).then_some(task_id))
    }

    fn run_task(&mut self, answer: &Self::Answer, task_id: Self::Work) -> PyResult<()> {
        let py = self.worker.py();
        let pending = match answer {
            Answer::Task { pending, .. } => pending.into_pyobject(py)?.into_any(),
            Answer::Response(response) => response.getattr(intern!(py, "n_pending_tasks"))?,
        };
        log::debug(py, ("Pending tasks: %s", pending))?;
        self.worker
            .call_method1(names(py).run_task.bind(py), (task_id,))?;
        Ok(())
    }

    fn handle_next_task(&mut self) -> PyResult<()> {
        let py = self.worker.py();
        let queue = self.worker.getattr(names(py).task_result_queue.bind(py))?;
        for _ in 0..self.running()?.max(1) {
            py.check_signals()?;

            self.worker
                .call_method0(names(py).handle_next_task.bind(py))?;

            // What else is there is told before more work is asked for. The memory that this writes to is
            // copied once then, and not once for each process that is forked in between.
            if !forks::has_come(&queue)? {
                break;
            }
        }
        Ok(())
    }

    fn say_waiting(&mut self, running: usize, leaves: bool) -> PyResult<()> {
        let line = if leaves {
            "Shut down Worker, %d more tasks to go"
        } else {
            "%d running tasks, waiting for next task to finish"
        };
        log::debug(self.worker.py(), (line, running))
    }

    fn start_phasing_out(&mut self) -> PyResult<()> {
        self.worker
            .call_method0(intern!(self.worker.py(), "_start_phasing_out"))?;
        Ok(())
    }

    fn say_nothing_to_do(&mut self, answer: &Self::Answer) -> PyResult<()> {
        let py = self.worker.py();
        let Answer::Response(answer) = answer else {
            return Ok(());
        };
        if !self
            .worker
            .getattr(intern!(py, "_stop_requesting_work"))?
            .is_truthy()?
        {
            self.worker
                .call_method1(intern!(py, "_log_remote_tasks"), (answer,))?;
        }
        Ok(())
    }

    fn stays_alive(&mut self, answer: &Self::Answer) -> PyResult<bool> {
        let py = self.worker.py();
        let Answer::Response(answer) = answer else {
            return Ok(true);
        };
        let idle_since = names(py).idle_since.bind(py);
        if !self.worker.getattr(idle_since)?.is_truthy()? {
            self.worker.setattr(idle_since, now(py)?)?;
        }
        let stays = self
            .worker
            .call_method1(intern!(py, "_keep_alive"), (answer,))?;
        stays.is_truthy()
    }

    fn sleep(&mut self) -> PyResult<()> {
        self.sleeper
            .call_method0(intern!(self.worker.py(), "__next__"))?;
        Ok(())
    }
}

/// The runs that have not ended, by task id.
pub(super) fn running<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    worker.getattr(names(worker.py()).of_worker_running.bind(worker.py()))
}

fn now(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let datetime = global(py, intern!(py, "datetime"))?;
    datetime
        .getattr(intern!(py, "datetime"))?
        .call_method0(intern!(py, "now"))
}

pub(super) fn add_worker(worker: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = worker.py();
    let info = worker.getattr(intern!(py, "_worker_info"))?;
    let first_task = worker.getattr(intern!(py, "_first_task"))?;
    info.call_method1(names(py).append.bind(py), (("first_task", first_task),))?;
    let abilities = worker.call_method0(intern!(py, "_abilities"))?;
    info.call_method1(intern!(py, "extend"), (abilities,))?;
    let id = worker.getattr(intern!(py, "_id"))?;
    scheduler(worker)?.call_method1(intern!(py, "add_worker"), (id, info))?;
    Ok(())
}

pub(super) fn scheduler<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    worker.getattr(names(worker.py()).scheduler_of.bind(worker.py()))
}

pub(super) fn config<'py>(worker: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    worker.getattr(names(worker.py()).config.bind(worker.py()))
}

/// Whether a setting of section `[worker]` is on.
pub(super) fn setting(worker: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
    config(worker)?.getattr(name)?.is_truthy()
}

pub(super) fn log_remote_tasks(py: Python<'_>, answer: &Bound<'_, PyAny>) -> PyResult<()> {
    log::debug(py, ("Done",))?;
    log::debug(py, ("There are no more tasks to run at this time",))?;
    let running = answer.getattr("running_tasks")?;
    if running.is_truthy()? {
        for task in running.try_iter()? {
            let task = task?;
            let (task_id, worker) = (task.get_item("task_id")?, task.get_item("worker")?);
            log::debug(py, ("%s is currently run by worker %s", task_id, worker))?;
        }
        return Ok(());
    }
    let pending = answer.getattr("n_pending_tasks")?;
    if !pending.is_truthy()? {
        return Ok(());
    }
    log::debug(
        py,
        (
            "There are %s pending tasks possibly being run by other workers",
            pending,
        ),
    )?;
    let unique = answer.getattr("n_unique_pending")?;
    if unique.is_truthy()? {
        log::debug(
            py,
            ("There are %i pending tasks unique to this worker", unique),
        )?;
    }
    let last_scheduled = answer.getattr("n_pending_last_scheduled")?;
    if last_scheduled.is_truthy()? {
        log::debug(
            py,
            (
                "There are %i pending tasks last scheduled by this worker",
                last_scheduled,
            ),
        )?;
    }
    Ok(())
}

pub(super) fn keep_alive(worker: &Bound<'_, PyAny>, answer: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = worker.py();
    let policy = StayPolicy {
        keep_alive: setting(worker, "keep_alive")?,
        assistant: worker.getattr("_assistant")?.is_truthy()?,
        count_last_scheduled: setting(worker, "count_last_scheduled")?,
        count_uniques: setting(worker, "count_uniques")?,
    };
    if !policy.keep_alive || policy.assistant {
        return Ok(policy.keep_alive);
    }
    let count = |name: &str| answer.getattr(name)?.extract::<u64>();
    let left = Left {
        pending: count("n_pending_tasks")?,
        unique: count("n_unique_pending")?,
        last_scheduled: count("n_pending_last_scheduled")?,
    };
    policy.stays(left, || {
        let limit = config(worker)?.getattr("max_keep_alive_idle_duration")?;
        let idle_since = worker.getattr("_idle_since")?;
        if !limit.is_truthy()? || !idle_since.is_truthy()? {
            return Ok(true);
        }
        let time_left = idle_since.add(limit)?.sub(now(py)?)?;
        let id = worker.getattr("_id")?;
        log::debug(py, ("[%s] %s until shutdown", id, &time_left))?;
        let nothing = global(py, intern!(py, "datetime"))?.call_method1("timedelta", (0,))?;
        time_left.gt(nothing)
    })
}

pub(super) fn start_phasing_out(worker: &Bound<'_, PyAny>) -> PyResult<()> {
    config(worker)?.setattr("keep_alive", false)?;
    worker.setattr("_stop_requesting_work", true)
}

pub(super) fn run_task(worker: &Bound<'_, PyAny>, task_id: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = worker.py();
    let running = running(worker)?;
    if running.contains(task_id)? {
        let line = format!(
            "Got already running task id {} from scheduler, taking a break",
            task_id.str()?
        );
        log::debug(py, (line,))?;
        let sleeper = worker.call_method0("_sleeper")?;
        sleeper.call_method0("__next__")?;
        return Ok(());
    }
    let task = worker
        .getattr(names(py).scheduled_tasks.bind(py))?
        .get_item(task_id)?;

    let process = match forks::create(worker, &task)? {
        Some(process) => process,
        None => worker.call_method1(intern!(py, "_create_task_process"), (task,))?,
    };

    running.set_item(task_id, &process)?;
    if process
        .getattr(names(py).use_multiprocessing.bind(py))?
        .is_truthy()?
    {
        let lock = global(py, names(py).fork_lock.bind(py))?;
        lock.call_method0(names(py).acquire.bind(py))?;
        let at_the_server = at_the_server(worker);
        for each in &at_the_server {
            each.call_method0(intern!(py, "pause"))?;
        }
        let started = match forks::start(&process, &lock) {
            Ok(true) => Ok(()),
            Ok(false) => process.call_method0(intern!(py, "start")).map(drop),
            Err(error) => Err(error),
        };
        for each in &at_the_server {
            each.call_method0(intern!(py, "resume"))?;
        }
        lock.call_method0(names(py).release.bind(py))?;
        started?;
        return Ok(());
    }
    let output = process.getattr_opt(names(py).output.bind(py))?;
    match output.filter(|output| !output.is_none()) {
        None => process.call_method0(intern!(py, "run"))?,
        Some(output) => {
            let listening = output.call_method0(intern!(py, "listening"))?;
            listening.call_method0(intern!(py, "__enter__"))?;
            let ran = process.call_method0(intern!(py, "run"));
            let nothing = py.None();
            listening.call_method1(intern!(py, "__exit__"), (&nothing, &nothing, &nothing))?;
            ran?
        }
    };
    Ok(())
}

/// What has threads of the engine that speak to the server.
fn at_the_server<'py>(worker: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let py = worker.py();
    let found =
        [names(py).logs.bind(py), names(py).watch.bind(py)].map(|name| worker.getattr(name).ok());
    let there = found.into_iter().flatten();
    there.filter(|each| !each.is_none()).collect()
}
