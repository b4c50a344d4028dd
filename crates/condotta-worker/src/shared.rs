//! What the threads of a worker share.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use condotta_scheduler::Recipe;

use crate::{
    BoxError, ChildCommand, LoadError, LogAnswer, LogBatch, LogSink, Notifier, Observer, Private,
    RunLog, RunLogs, Runnable, Scheduler, StopLevel, StopSignal, TaskHandle, TaskLoader,
    WorkerConfig, WorkerEvents,
    cancel::Cancels,
    claims::Claims,
    elsewhere::{Engine, Engines},
    messages::MessageRoutes,
    panic::guard,
    running::{End, Finished, Outcome},
};

/// What reaches the main loop from other threads.
pub(crate) enum Incoming {
    /// A run ended.
    Finished(Box<Finished>),
    /// Something may have changed: look again.
    Wake,
}

pub(crate) struct Shared {
    pub(crate) id: String,
    pub(crate) scheduler: Arc<dyn Scheduler>,
    pub(crate) config: WorkerConfig,
    pub(crate) assistant: bool,
    pub(crate) processes: AtomicUsize,
    pub(crate) loader: Option<Arc<dyn TaskLoader>>,
    pub(crate) events: WorkerEvents,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) notifier: Option<Arc<dyn Notifier>>,
    pub(crate) stop: StopSignal,
    /// The worker itself has gone: what it left running in child processes is stopped.
    pub(crate) gone: StopSignal,
    pub(crate) child_command: ChildCommand,
    /// Where tasks of some families run, if not here.
    pub(crate) engines: Option<Arc<dyn Engines>>,
    pub(crate) kill_grace: Duration,
    pub(crate) routes: MessageRoutes,
    pub(crate) mailbox: Sender<Incoming>,
    /// Counts what may have changed.
    pub(crate) changes: AtomicU64,
    /// The main loop waits, so that a change is worth a message.
    pub(crate) waiting: AtomicBool,
    pub(crate) known_complete: Option<Mutex<HashSet<String>>>,
    pub(crate) claims: Claims,
    pub(crate) cancels: Cancels,
    /// None where nobody takes them. Found out when the first run begins.
    pub(crate) logs: OnceLock<Option<RunLogs>>,
}

/// So long the end of a run waits until what it printed was sent.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// Sends what runs print to the worker's scheduler.
struct ToScheduler {
    scheduler: Arc<dyn Scheduler>,
    worker: String,
}

impl LogSink for ToScheduler {
    fn send(&self, batch: &LogBatch<'_>) -> LogAnswer {
        self.scheduler.send_log(&self.worker, batch)
    }
}

impl Shared {
    /// Whether what runs is to stop at once.
    pub(crate) fn is_to_stop(&self) -> bool {
        [&self.stop, &self.gone]
            .iter()
            .any(|signal| signal.level() == StopLevel::Now)
    }

    fn logs(&self) -> Option<&RunLogs> {
        let start = || {
            if !(self.config.send_logs && self.scheduler.takes_logs(&self.id)) {
                return None;
            }
            let sink = ToScheduler {
                scheduler: Arc::clone(&self.scheduler),
                worker: self.id.clone(),
            };
            RunLogs::start(Arc::new(sink)).ok()
        };
        self.logs.get_or_init(start).as_ref()
    }

    /// Whether what runs print goes to the scheduler.
    pub(crate) fn sends_logs(&self) -> bool {
        self.logs().is_some()
    }

    /// A run begins: where what it prints goes, if anywhere.
    pub(crate) fn begin_log(
        &self,
        task_id: &str,
        attempt: Option<u64>,
        private: &Private,
    ) -> Option<RunLog> {
        Some(self.logs()?.begin(task_id, attempt, private.clone()))
    }

    /// A run ended. What was noticed from outside is said in its log, too.
    pub(crate) fn finish_log(&self, log: Option<&RunLog>, outcome: &Outcome) {
        let (Some(logs), Some(log)) = (self.logs(), log) else {
            return;
        };
        if outcome.end != End::Normal
            && let Some(text) = &outcome.expl
        {
            log.record(40, "luigi-interface", text);
        }
        logs.finish(log, FLUSH_PATIENCE);
    }

    /// Where the task runs, if not here. What others make is looked for here.
    pub(crate) fn engine(&self, task: &dyn Runnable) -> Option<&dyn Engine> {
        let engine = self.engines.as_ref()?.engine(task.family())?;
        (!task.is_external()).then_some(engine)
    }

    pub(crate) fn processes(&self) -> usize {
        self.processes.load(Ordering::Relaxed)
    }

    /// Something may have changed: makes a main loop that waits look again.
    pub(crate) fn wake(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        if self.waiting.swap(false, Ordering::SeqCst) {
            // The main loop may be gone by now.
            let _ = self.mailbox.send(Incoming::Wake);
        }
    }

    /// Whether a task is complete; positive answers are kept when the configuration says so.
    pub(crate) fn check_complete(&self, task: &dyn Runnable) -> Result<bool, BoxError> {
        if let Some(known) = &self.known_complete
            && known
                .lock()
                .expect("nobody panics with this lock")
                .contains(task.task_id())
        {
            return Ok(true);
        }
        let complete = guard(|| task.complete())??;
        if complete {
            self.remember_complete(task.task_id());
        }
        Ok(complete)
    }

    pub(crate) fn remember_complete(&self, task_id: &str) {
        if let Some(known) = &self.known_complete {
            known
                .lock()
                .expect("nobody panics with this lock")
                .insert(task_id.to_owned());
        }
    }

    /// Has people told of a failure of the task's, unless the settings say no.
    pub(crate) fn tell_failure(&self, tell: impl FnOnce(&dyn Notifier)) {
        if self.config.send_failure_email {
            self.tell(tell);
        }
    }

    /// Has people told. What the task's own code does wrong meanwhile is logged.
    pub(crate) fn tell(&self, tell: impl FnOnce(&dyn Notifier)) {
        let Some(notifier) = &self.notifier else {
            return;
        };
        if let Err(panic) = guard(|| tell(&**notifier)) {
            tracing::error!(target: "luigi-interface", "nobody can be told of a failure: {panic}");
        }
    }

    /// Builds a task, or says why that is impossible.
    pub(crate) fn load(&self, recipe: &Recipe) -> Result<TaskHandle, LoadError> {
        let Some(loader) = &self.loader else {
            return Err(LoadError::NoLoader(recipe.family.clone()));
        };
        guard(|| loader.load(recipe)).unwrap_or_else(|panic| {
            Err(LoadError::Invalid {
                family: recipe.family.clone(),
                source: panic.into(),
            })
        })
    }
}
