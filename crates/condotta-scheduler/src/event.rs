//! What happened, for history, e-mail, live views and logs. Fetched with `poll_event`.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{SchedulingFailure, Status, Timestamp};

/// Something that happened. Times are wall-clock.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A task's status changed.
    StatusChanged {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// Its status before; `None` when it is new.
        from: Option<Status>,
        /// Its status now; `None` when it was removed.
        to: Option<Status>,
        /// The worker that runs or ran it.
        worker: Option<String>,
        /// The number of its current or last run; 0 before the first.
        attempt: u64,
    },
    /// A worker was handed a task, or said that it runs one.
    AttemptBegan {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The number of the attempt, of which each task has its own count.
        attempt: u64,
        /// The worker.
        worker: Option<String>,
        /// The worker's host, as far as it said.
        host: Option<String>,
        /// The batch in which it runs.
        batch_id: Option<String>,
        /// Since when nothing but resources and workers kept it from running; `None` when it did not
        /// wait.
        ready: Option<Timestamp>,
    },
    /// The worker was told of the attempt once more, since it had not heard: it counts as begun now.
    AttemptToldAgain {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The number of the attempt, which stays.
        attempt: u64,
        /// When it counted as begun until now.
        began: Timestamp,
    },
    /// An attempt is over.
    AttemptEnded {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The number of the attempt.
        attempt: u64,
        /// When it began.
        began: Timestamp,
        /// How it ended.
        end: AttemptEnd,
        /// What the worker said of its failure, as it encoded it.
        expl: Option<String>,
    },
    /// A moment that Luigi writes to its task history: a task was scheduled, started or finished.
    History {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// `Pending`, `Running`, `Done` or `Failed`.
        status: Status,
        /// The host of the worker that starts it.
        host: Option<String>,
    },
    /// A worker failed at a task, and owners want to know.
    Failure {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The worker.
        worker: String,
        /// What the worker said.
        expl: Option<String>,
        /// Whom to tell.
        owners: Vec<String>,
        /// Whether the failure disabled the task.
        disabled: bool,
    },
    /// A task failed too often and is disabled.
    DisabledByFailures {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// So many failures disable it.
        retry_count: u64,
        /// Seconds within which they count.
        disable_window: f64,
        /// Seconds for which it stays disabled.
        disable_persist: f64,
    },
    /// A task could not be scheduled by its worker.
    SchedulingFailure {
        /// When.
        at: Timestamp,
        /// What the worker said.
        failure: SchedulingFailure,
    },
    /// A worker was silent for too long.
    WorkerLost {
        /// When.
        at: Timestamp,
        /// The worker.
        worker: String,
        /// How many tasks it ran.
        runs: usize,
        /// For how many seconds nothing was heard of it.
        silent_secs: f64,
    },
    /// A worker went in good order.
    WorkerReleased {
        /// When.
        at: Timestamp,
        /// The worker.
        worker: String,
    },
    /// A worker came, or came back.
    WorkerAttached {
        /// When.
        at: Timestamp,
        /// The worker.
        worker: String,
    },
    /// A task's own measurements, as its worker sent them.
    Statistics {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// JSON text.
        statistics: String,
    },
    /// An operator wants a run ended, and its worker is told so.
    CancelAsked {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The number of the run.
        attempt: u64,
        /// The worker.
        worker: String,
        /// Who wants that.
        by: String,
    },
    /// A worker cannot end a run that an operator wants ended: it goes on.
    CancelRefused {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// The number of the run.
        attempt: u64,
        /// The worker.
        worker: String,
        /// Why, as the worker says it.
        answer: String,
    },
    /// A run said how far it is, or what it does.
    Progress {
        /// When.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// How far the run is, in percent.
        percentage: Option<f64>,
        /// What it said last; the beginning, if that is long.
        message: Option<String>,
    },
    /// From now on nothing is handed out, or something is again.
    Paused {
        /// When.
        at: Timestamp,
        /// Whether nothing is handed out.
        paused: bool,
    },
    /// A resource has another limit.
    LimitChanged {
        /// When.
        at: Timestamp,
        /// The resource.
        resource: String,
        /// Its limit now.
        limit: u64,
    },
    /// An operator disabled a worker: it finishes what it runs and goes.
    WorkerDisabled {
        /// When.
        at: Timestamp,
        /// The worker.
        worker: String,
    },
    /// A task can never run as things are.
    DeadEnd {
        /// When it was found.
        at: Timestamp,
        /// The task.
        task_id: String,
        /// Why.
        reason: DeadEnd,
    },
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptEnd {
    /// The task is complete.
    Done,
    /// Its worker reported a failure.
    Failed,
    /// Its worker was silent for too long.
    Lost,
    /// The task asked for further tasks, and starts again when they are complete.
    Suspended,
    /// Its worker gave the task back: it went, or knows nothing of it.
    Returned,
    /// An operator took the task for done.
    MarkedDone,
    /// An operator had it ended.
    Cancelled,
}

/// Why a task can never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadEnd {
    /// It waits for itself, along this path of task ids; the first is also the last.
    Cycle(Vec<String>),
    /// Something depends on it, but nobody announced it, or it was removed since.
    NeverAnnounced,
    /// It needs more of a resource than there is.
    NeedAboveLimit {
        /// The resource.
        resource: String,
        /// What a run takes.
        amount: u64,
        /// The limit.
        limit: u64,
    },
}

/// In words that go on from "the task can never run:".
impl fmt::Display for DeadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle(path) => write!(f, "it waits for itself: {}", path.join(" -> ")),
            Self::NeverAnnounced => f.write_str(
                "something depends on it, but no worker announced it, or it was removed",
            ),
            Self::NeedAboveLimit {
                resource,
                amount,
                limit,
            } => write!(
                f,
                "it needs {amount} of resource {resource}, of which there is {limit}"
            ),
        }
    }
}
