//! What the threads of a worker share.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use condotta_scheduler::Recipe;

use crate::{
    BoxError, ChildCommand, LoadError, Notifier, Observer, Runnable, Scheduler, StopSignal,
    TaskHandle, TaskLoader, WorkerConfig, WorkerEvents, claims::Claims, messages::MessageRoutes,
    panic::guard, running::Finished,
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
    pub(crate) kill_grace: Duration,
    pub(crate) routes: MessageRoutes,
    pub(crate) mailbox: Sender<Incoming>,
    /// Counts what may have changed.
    pub(crate) changes: AtomicU64,
    /// The main loop waits, so that a change is worth a message.
    pub(crate) waiting: AtomicBool,
    pub(crate) known_complete: Option<Mutex<HashSet<String>>>,
    pub(crate) claims: Claims,
}

impl Shared {
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
