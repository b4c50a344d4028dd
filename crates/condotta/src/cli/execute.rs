//! Runs tasks as settings say: lock, scheduler, worker, display, summary.

use std::sync::Arc;

use condotta_worker::{
    Notifier, Observer, Scheduler, StopSignal, Summary, TaskHandle, TaskLoader, Worker,
    WorkerError, WorkerEvents, WorkerOptions,
    elsewhere::Engines,
    pid_lock::{self, PidLockError, PidLockOptions},
};

use super::{
    connect::{self, ConnectError},
    engines::{Elsewhere, EnginesError},
    mail::{MailError, Mailer},
    options::{self, Core, OptionsError},
    settings::{SettingError, Settings},
};
use crate::{
    console::{self, Display},
    event, program, registry,
};

/// What to run, and what the program adds to the settings.
pub(crate) struct Request {
    pub(crate) tasks: Vec<TaskHandle>,
    /// Instead of the scheduler that the settings name.
    pub(crate) scheduler: Option<Arc<dyn Scheduler>>,
    pub(crate) loader: Option<Arc<dyn TaskLoader>>,
    pub(crate) events: WorkerEvents,
    pub(crate) stop: StopSignal,
    /// The program's arguments, of which the first is its name.
    pub(crate) arguments: Vec<String>,
}

impl Request {
    pub(crate) fn new(tasks: Vec<TaskHandle>) -> Self {
        Self {
            tasks,
            scheduler: None,
            loader: None,
            events: event::listeners(),
            stop: StopSignal::new(),
            arguments: Vec::new(),
        }
    }
}

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) summary: Summary,
    /// The summary as it was logged.
    pub(crate) summary_text: String,
    /// All tasks were scheduled without errors, and every run ended well.
    pub(crate) succeeded: bool,
}

/// Tasks could not be run at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecuteError {
    #[error("the same command runs already; see --no-lock, --lock-size and --take-lock")]
    Locked,
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Engines(#[from] EnginesError),
    #[error(transparent)]
    Lock(#[from] PidLockError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

impl From<SettingError> for ExecuteError {
    fn from(error: SettingError) -> Self {
        Self::Options(error.into())
    }
}

/// Runs tasks with what they require.
pub(crate) fn execute(request: Request, settings: &Settings) -> Result<Outcome, ExecuteError> {
    let core = Core::new(settings)?;
    let config = options::worker_config(settings)?;
    let summary_length = settings.require("execution_summary", "summary_length")?;
    let engines = Elsewhere::new(settings, &registry::all(), request.arguments)?;
    take_lock(&core)?;
    let scheduler = match request.scheduler {
        Some(scheduler) => scheduler,
        None => connect::scheduler(&core.place, settings, &request.stop)?,
    };
    let mailer = Mailer::start(settings)?;
    let display = open_display();
    let options = WorkerOptions {
        processes: core.workers,
        assistant: core.assistant,
        program: Some(program::name().to_owned()),
        parallel_scheduling: core.parallel_scheduling,
        parallel_scheduling_processes: core.parallel_scheduling_processes,
        loader: request.loader,
        events: request.events,
        notifier: Some(Arc::clone(&mailer) as Arc<dyn Notifier>),
        observer: display.clone().map(|display| display as Arc<dyn Observer>),
        stop: request.stop,
        engines: engines.map(|engines| Arc::new(engines) as Arc<dyn Engines>),
        ..WorkerOptions::default()
    };
    let mut worker = Worker::new(scheduler, config, options)?;
    let result = work(&mut worker, request.tasks);
    mailer.finish();
    if let Some(display) = display {
        display.close();
    }
    let succeeded = result?;
    let summary = worker.summary();
    let summary_text = summary.text(summary_length);
    tracing::info!(target: "luigi-interface", "{summary_text}");
    Ok(Outcome {
        summary,
        summary_text,
        succeeded,
    })
}

/// Enters this process among those that run its command, or leaves it at that.
fn take_lock(core: &Core) -> Result<(), ExecuteError> {
    let Some(lock_size) = core.lock_size else {
        return Ok(());
    };
    let answer = pid_lock::acquire(&PidLockOptions {
        dir: core.lock_pid_dir.clone(),
        lock_size,
        take_lock: core.take_lock,
    })?;
    for message in answer.messages {
        console::write_stdout(&format!("{message}\n"));
    }
    if answer.acquired {
        Ok(())
    } else {
        Err(ExecuteError::Locked)
    }
}

fn work(worker: &mut Worker, tasks: Vec<TaskHandle>) -> Result<bool, WorkerError> {
    let mut scheduled = true;
    for task in tasks {
        scheduled &= worker.add(task)?;
    }
    tracing::info!(target: "luigi-interface", "Done scheduling tasks");
    Ok(worker.run()? && scheduled)
}

/// A display where somebody can see it. Tasks run as well without one.
fn open_display() -> Option<Arc<Display>> {
    if !console::is_live() {
        return None;
    }
    match Display::open() {
        Ok(display) => Some(Arc::new(display)),
        Err(error) => {
            tracing::warn!("no live display: {error}");
            None
        }
    }
}
