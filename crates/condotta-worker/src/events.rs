//! Luigi's events: what happens to tasks, for listeners in the program.
//!
//! Listeners hear of tasks of every kind; who wants only one family looks at the task.

use std::{
    fmt,
    sync::{Arc, RwLock},
};

use crate::{BoxError, Runnable, panic::guard};

/// The kinds of events, with [Luigi's names](EventKind::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `event.core.dependency.discovered`
    DependencyDiscovered,
    /// `event.core.dependency.missing`
    DependencyMissing,
    /// `event.core.dependency.present`
    DependencyPresent,
    /// `event.core.task.broken`
    BrokenTask,
    /// `event.core.start`
    Start,
    /// `event.core.progress`
    Progress,
    /// `event.core.failure`
    Failure,
    /// `event.core.success`
    Success,
    /// `event.core.processing_time`
    ProcessingTime,
    /// `event.core.timeout`
    Timeout,
    /// `event.core.process_failure`
    ProcessFailure,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::DependencyDiscovered,
        Self::DependencyMissing,
        Self::DependencyPresent,
        Self::BrokenTask,
        Self::Start,
        Self::Progress,
        Self::Failure,
        Self::Success,
        Self::ProcessingTime,
        Self::Timeout,
        Self::ProcessFailure,
    ];

    /// Luigi's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DependencyDiscovered => "event.core.dependency.discovered",
            Self::DependencyMissing => "event.core.dependency.missing",
            Self::DependencyPresent => "event.core.dependency.present",
            Self::BrokenTask => "event.core.task.broken",
            Self::Start => "event.core.start",
            Self::Progress => "event.core.progress",
            Self::Failure => "event.core.failure",
            Self::Success => "event.core.success",
            Self::ProcessingTime => "event.core.processing_time",
            Self::Timeout => "event.core.timeout",
            Self::ProcessFailure => "event.core.process_failure",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that happened to `task`, with what Luigi's listeners are given.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// The task.
    pub task: &'a dyn Runnable,
    /// What happened.
    pub detail: EventDetail<'a>,
}

/// What happened.
#[derive(Clone, Copy)]
pub enum EventDetail<'a> {
    /// While planning: the task depends on this one.
    DependencyDiscovered {
        /// The dependency.
        dependency: &'a dyn Runnable,
    },
    /// While planning: an external task is incomplete, or completeness could not be found out.
    DependencyMissing,
    /// While planning: the task is complete.
    DependencyPresent,
    /// While planning: the task's dependencies could not be found out, or planning it failed.
    BrokenTask {
        /// Why.
        error: &'a BoxError,
    },
    /// The run starts.
    Start,
    /// The run says something of its own choice.
    Progress {
        /// What it says.
        message: &'a str,
    },
    /// The run failed.
    Failure {
        /// Why. Of a run in a child process only the text is known.
        error: &'a BoxError,
    },
    /// The run succeeded.
    Success,
    /// The run succeeded in this time.
    ProcessingTime {
        /// Seconds.
        secs: f64,
    },
    /// The run took too long and was stopped.
    Timeout {
        /// As the log has it.
        message: &'a str,
    },
    /// The child process died.
    ProcessFailure {
        /// As the log has it.
        message: &'a str,
    },
}

impl Event<'_> {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self.detail {
            EventDetail::DependencyDiscovered { .. } => EventKind::DependencyDiscovered,
            EventDetail::DependencyMissing => EventKind::DependencyMissing,
            EventDetail::DependencyPresent => EventKind::DependencyPresent,
            EventDetail::BrokenTask { .. } => EventKind::BrokenTask,
            EventDetail::Start => EventKind::Start,
            EventDetail::Progress { .. } => EventKind::Progress,
            EventDetail::Failure { .. } => EventKind::Failure,
            EventDetail::Success => EventKind::Success,
            EventDetail::ProcessingTime { .. } => EventKind::ProcessingTime,
            EventDetail::Timeout { .. } => EventKind::Timeout,
            EventDetail::ProcessFailure { .. } => EventKind::ProcessFailure,
        }
    }
}

type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// With the kind that it is for; `None` is every kind.
type Listeners = Vec<(Option<EventKind>, Listener)>;

/// The listeners of a worker. Clones share them.
///
/// A listener is called on the thread where the event happens, also from several threads at once.
/// One that panics is logged and does not disturb the worker.
#[derive(Clone, Default)]
pub struct WorkerEvents {
    listeners: Arc<RwLock<Listeners>>,
}

impl WorkerEvents {
    /// Without listeners.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `listener` for each event of `kind`.
    pub fn on(&self, kind: EventKind, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        self.add(Some(kind), Arc::new(listener));
    }

    /// Calls `listener` for every event.
    pub fn on_any(&self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        self.add(None, Arc::new(listener));
    }

    fn add(&self, kind: Option<EventKind>, listener: Listener) {
        self.listeners
            .write()
            .expect("listeners are called without the lock, so nobody panics with it")
            .push((kind, listener));
    }

    pub(crate) fn trigger(&self, task: &dyn Runnable, detail: EventDetail<'_>) {
        let listeners = self
            .listeners
            .read()
            .expect("listeners are called without the lock, so nobody panics with it");
        if listeners.is_empty() {
            return;
        }
        let event = Event { task, detail };
        let kind = event.kind();
        let concerned: Vec<Listener> = listeners
            .iter()
            .filter(|(wanted, _)| wanted.is_none_or(|wanted| wanted == kind))
            .map(|(_, listener)| Arc::clone(listener))
            .collect();
        drop(listeners);
        for listener in concerned {
            if let Err(error) = guard(|| listener(&event)) {
                tracing::error!(target: "luigi-interface", "Error in event callback for {:?}: {error}", kind.name());
            }
        }
    }
}

impl fmt::Debug for WorkerEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerEvents")
    }
}
