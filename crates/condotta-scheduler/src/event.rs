//! What happened, for whoever shows, stores or mails it.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{Now, Param, Status};

/// Something that happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A task's status changed.
    Status {
        /// When.
        now: Now,
        /// The task.
        task_id: Arc<str>,
        /// Its family; empty when nobody announced it yet.
        family: Arc<str>,
        /// What it was before; `None` for a task that is new.
        from: Option<Status>,
        /// What it is now.
        to: Status,
        /// The worker that runs it or ran it last.
        worker: Option<Arc<str>>,
        /// The number of its current or last run.
        attempt: u64,
    },
    /// A task was dropped: no worker has had a stake in it for long.
    Removed {
        /// When.
        now: Now,
        /// The task.
        task_id: Arc<str>,
    },
    /// A record for the task history, at the moments at which Luigi makes one.
    History {
        /// When.
        now: Now,
        /// What happened to the task.
        moment: HistoryMoment,
        /// The task.
        task_id: Arc<str>,
        /// Its family.
        family: Arc<str>,
        /// All its parameters.
        params: Vec<Param>,
        /// The worker that runs it or ran it last.
        worker: Option<Arc<str>>,
        /// The number of its current or last run.
        attempt: u64,
    },
    /// Something that people asked to be told of by mail.
    Email {
        /// When.
        now: Now,
        /// What to tell.
        kind: EmailKind,
        /// The task's display name.
        task_name: String,
        /// Its family.
        family: String,
        /// Its parameters without those that batches vary, in name order.
        unbatched_params: Vec<(String, String)>,
        /// The error, as the worker encoded it.
        expl: Option<String>,
        /// Addresses to tell besides the configured ones.
        owners: Vec<String>,
    },
    /// A task failed too often and is not run until it is enabled again or time passes. This one
    /// comes at once and whether or not mails are batched.
    DisabledByFailures {
        /// When.
        now: Now,
        /// The task.
        task_id: Arc<str>,
        /// The number of failures that were allowed.
        retry_count: u64,
        /// Seconds within which they counted.
        disable_window: f64,
        /// Seconds for which the task stays disabled.
        disable_persist: f64,
    },
    /// A worker was heard of for the first time, or again after it was lost.
    WorkerAttached {
        /// When.
        now: Now,
        /// The worker.
        worker: Arc<str>,
        /// Whether it was lost before.
        again: bool,
    },
    /// A worker was silent for too long.
    WorkerLost {
        /// When.
        now: Now,
        /// The worker.
        worker: Arc<str>,
    },
    /// An operator disabled a worker.
    WorkerDisabled {
        /// When.
        now: Now,
        /// The worker.
        worker: Arc<str>,
    },
    /// Figures that a run reported, as it encoded them.
    Statistics {
        /// When.
        now: Now,
        /// The task.
        task_id: Arc<str>,
        /// Its family.
        family: Arc<str>,
        /// All its parameters.
        params: Vec<Param>,
        /// The figures.
        statistics: String,
    },
    /// A pending task can never run as things are.
    DeadEnd {
        /// When it was noticed.
        now: Now,
        /// The task; of a cycle, the oldest.
        task_id: Arc<str>,
        /// Why.
        reason: DeadEnd,
    },
}

/// What happened to a task in its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryMoment {
    /// A worker announced it as pending.
    Scheduled,
    /// A worker began to run it.
    Started {
        /// The host of that worker, when it said so.
        host: Option<String>,
    },
    /// It ended.
    Finished {
        /// Whether it is complete.
        successful: bool,
    },
}

/// What a mail would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailKind {
    /// A run failed.
    Failure,
    /// That failure disabled the task.
    Disable,
    /// A worker could not even announce the task.
    SchedulingFailure,
}

/// Why a pending task can never run as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadEnd {
    /// It depends on itself.
    Cycle {
        /// The ids from the oldest task along dependencies, without the return to the first.
        path: Arc<[Arc<str>]>,
    },
    /// A dependency was only ever mentioned: no worker announced it.
    MissingDependency {
        /// The dependency.
        task_id: Arc<str>,
    },
    /// It needs more of a resource than there is.
    NeedAboveLimit {
        /// The resource.
        resource: Arc<str>,
        /// What a run takes.
        need: u64,
        /// What there is.
        limit: u64,
    },
}
