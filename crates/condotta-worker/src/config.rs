//! The worker's settings: the section `[worker]` of the configuration, and what the command line adds.
//!
//! Names and defaults are Luigi's. Reading files and flags is somebody else's work.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{Notifier, Observer, StopSignal, TaskLoader, WorkerEvents, elsewhere::Engines};

/// The smallest `wait_interval`.
const WAIT_INTERVAL_MIN_SECS: f64 = 1e-5;

/// The keys of section `[worker]`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerConfig {
    /// The worker's id; empty for one made of host, user, process and a random number.
    pub id: String,
    /// Seconds between two pings.
    pub ping_interval: f64,
    /// Stay while there are pending tasks, also when none can run now.
    pub keep_alive: bool,
    /// With `keep_alive`: stay only for pending tasks that no other worker can run.
    pub count_uniques: bool,
    /// With `keep_alive`: stay only for pending tasks that this worker was the last to announce.
    pub count_last_scheduled: bool,
    /// Seconds to wait before asking for work again.
    pub wait_interval: f64,
    /// Up to so many seconds, chosen at random, are added to `wait_interval`.
    pub wait_jitter: f64,
    /// With `keep_alive`: leave after being idle for this long. Zero is never.
    pub max_keep_alive_idle_duration: Duration,
    /// How often a task is announced again because the same dependency was missing when it ran.
    pub max_reschedules: u64,
    /// Seconds after which a run is stopped, for tasks that do not say; 0 is never.
    pub timeout: u64,
    /// The most tasks to schedule.
    pub task_limit: Option<u64>,
    /// Look for the output of incomplete external tasks again while running.
    pub retry_external_tasks: bool,
    /// Send e-mails on failure from the worker.
    pub send_failure_email: bool,
    /// Do not answer SIGUSR1.
    pub no_install_shutdown_handler: bool,
    /// Before a task runs, see that its dependencies are complete.
    pub check_unfulfilled_deps: bool,
    /// A task that ran is done only if it says that it is complete.
    pub check_complete_on_run: bool,
    /// Run each task in a process of its own, also where a thread would do.
    pub force_multiprocessing: bool,
    /// A Python class around each run; means nothing to tasks that are not Python's.
    pub task_process_context: Option<String>,
    /// Ask no task again that once said to be complete.
    pub cache_task_completion: bool,
    /// Send what runs print to a scheduler that keeps it.
    pub send_logs: bool,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            id: String::new(),
            ping_interval: 1.0,
            keep_alive: false,
            count_uniques: false,
            count_last_scheduled: false,
            wait_interval: 1.0,
            wait_jitter: 5.0,
            max_keep_alive_idle_duration: Duration::ZERO,
            max_reschedules: 1,
            timeout: 0,
            task_limit: None,
            retry_external_tasks: false,
            send_failure_email: true,
            no_install_shutdown_handler: false,
            check_unfulfilled_deps: true,
            check_complete_on_run: false,
            force_multiprocessing: false,
            task_process_context: None,
            cache_task_completion: false,
            send_logs: true,
        }
    }
}

/// A setting that a worker cannot work with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// `wait_interval` is too small or not a number.
    #[error("[worker] wait_interval must be positive (at least 0.00001), not {0}")]
    WaitInterval(f64),
    /// `wait_jitter` is negative or not a number.
    #[error("[worker] wait_jitter must be equal or greater than zero, not {0}")]
    WaitJitter(f64),
    /// `ping_interval` is negative or not a number.
    #[error("[worker] ping_interval must be equal or greater than zero, not {0}")]
    PingInterval(f64),
}

impl WorkerConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let at_least =
            |secs: f64, least: f64| secs >= least && Duration::try_from_secs_f64(secs).is_ok();
        if !at_least(self.wait_interval, WAIT_INTERVAL_MIN_SECS) {
            return Err(ConfigError::WaitInterval(self.wait_interval));
        }
        if !at_least(self.wait_jitter, 0.0) {
            return Err(ConfigError::WaitJitter(self.wait_jitter));
        }
        if !at_least(self.ping_interval, 0.0) {
            return Err(ConfigError::PingInterval(self.ping_interval));
        }
        Ok(())
    }
}

/// What a worker is given beside its `[worker]` section.
#[derive(Clone)]
pub struct WorkerOptions {
    /// How many tasks run at a time (`--workers`). 0 only watches what is pending.
    pub processes: usize,
    /// Take tasks that only others announced (`--assistant`).
    pub assistant: bool,
    /// The worker's id, before that of the configuration.
    pub worker_id: Option<String>,
    /// Check many tasks for completeness at once (`--parallel-scheduling`).
    pub parallel_scheduling: bool,
    /// How many at once; 0 is one for each processor.
    pub parallel_scheduling_processes: usize,
    /// The program whose tasks this worker can run, if that is not Python: see
    /// [`Runnable::module`](crate::Runnable::module).
    pub program: Option<String>,
    /// Builds tasks from text: for batches, tasks of others, and child processes.
    pub loader: Option<Arc<dyn TaskLoader>>,
    /// Who wants to know of events.
    pub events: WorkerEvents,
    /// A live display.
    pub observer: Option<Arc<dyn Observer>>,
    /// Who tells people of failures.
    pub notifier: Option<Arc<dyn Notifier>>,
    /// How the worker is told to stop.
    pub stop: StopSignal,
    /// The program that runs a task in a child process.
    pub child_command: ChildCommand,
    /// Where tasks of some families run, if not here.
    pub engines: Option<Arc<dyn Engines>>,
    /// How long a child process has between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            processes: 1,
            assistant: false,
            worker_id: None,
            program: None,
            parallel_scheduling: false,
            parallel_scheduling_processes: 0,
            loader: None,
            events: WorkerEvents::default(),
            observer: None,
            notifier: None,
            stop: StopSignal::default(),
            child_command: ChildCommand::ThisProgram,
            engines: None,
            kill_grace: Duration::from_secs(5),
        }
    }
}

/// The program that runs a task in a child process. It has to call
/// [`child::maybe_run`](crate::child::maybe_run) before anything else.
#[derive(Clone, Debug, Default)]
pub enum ChildCommand {
    /// This very program with the arguments that it was started with.
    #[default]
    ThisProgram,
    /// Another one.
    Program {
        /// Its path.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
}
