//! What is kept of a scheduler between two lives of its process.
//!
//! A record says what one thing *is* now, never what happened to it, so that records may be applied
//! twice and only the last of each kind counts. A task's record comes in three parts, since what
//! changes often is small. Nothing here knows how records are written down.
//!
//! Times are on the scheduler's monotonic clock where the name says so, and on the wall otherwise.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};

use crate::{InfoValue, Param, Resources, RetryPolicy, Status, Timestamp, WorkerMessage};

/// One thing, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A task, or those parts of it that changed.
    Task(Box<TaskRecord>),
    /// There is no such task any more. A later record of that id is of a new task.
    TaskRemoved(String),
    /// A worker.
    Worker(WorkerRecord),
    /// There is no worker with this serial number any more.
    WorkerRemoved(u64),
    /// Which tasks of a family a worker runs together.
    Batcher(BatcherRecord),
    /// This worker runs none together any more.
    BatchersRemoved {
        /// The worker's id.
        worker: String,
    },
    /// Whether work is handed out.
    Paused(bool),
    /// A limit that was changed while the scheduler ran.
    Limit {
        /// The resource.
        resource: String,
        /// How much there is of it.
        amount: u64,
    },
}

/// A task. A part that is `None` is as it was; a new task has all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskRecord {
    /// The task's id.
    pub task_id: String,
    /// What it is.
    pub identity: Option<TaskIdentity>,
    /// What it depends on, and who deals with it.
    pub links: Option<TaskLinks>,
    /// How it is.
    pub state: Option<TaskState>,
}

/// What a task is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskIdentity {
    /// Its family; empty when not known.
    pub family: String,
    /// Where its code is.
    pub module: Option<String>,
    /// Its parameters in name order.
    pub params: Vec<Param>,
    /// Its place in the order of age among tasks of equal priority.
    pub age: u64,
    /// When it was made.
    pub created: Timestamp,
}

/// What a task depends on, and who deals with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskLinks {
    /// The ids of its dependencies, in id order.
    pub deps: Vec<String>,
    /// The [team serial numbers](WorkerRecord::team_serial) of the workers that can run it, in the
    /// order in which they said so. Those that no worker has any more mean nothing.
    pub workers: Vec<u64>,
    /// The [serial numbers](WorkerRecord::serial) of the workers with a stake in it, ascending.
    /// Those that no worker has any more mean nothing.
    pub stakeholders: Vec<u64>,
}

/// How a task is. The default is a new one that nobody announced.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskState {
    /// Its status.
    pub status: Status,
    /// When the status changed last.
    pub updated: Timestamp,
    /// The same on the monotonic clock.
    pub updated_monotonic: Timestamp,
    /// Whether a worker announced it, rather than something that depends on it.
    pub announced: bool,
    /// Whether some worker can run it.
    pub runnable: bool,
    /// Whether it may run in a batch.
    pub batchable: bool,
    /// Whether a run reads messages.
    pub accepts_messages: bool,
    /// Higher runs first. Never NaN; may be infinite.
    pub priority: f64,
    /// What a run takes.
    pub resources: Resources,
    /// What the current or last run takes; `None` before the first.
    pub resources_running: Option<Resources>,
    /// The id of the worker that runs it, or ran it last.
    pub worker_running: Option<String>,
    /// When that run started.
    pub time_running: Option<Timestamp>,
    /// The number of the current or last attempt.
    pub attempt: u64,
    /// How failures are answered. The scheduler sets every field.
    pub retry_policy: RetryPolicy,
    /// The error or message of the last run, as the worker encoded it.
    pub expl: Option<String>,
    /// Where the run can be watched.
    pub tracking_url: Option<String>,
    /// What the run said last.
    pub status_message: Option<String>,
    /// How far the run is, in percent.
    pub progress_percentage: Option<f64>,
    /// The batch that it is in.
    pub batch_id: Option<String>,
    /// Answers to messages, by message id.
    pub responses: BTreeMap<String, String>,
    /// When it failed within the window (monotonic).
    pub failures: Vec<Timestamp>,
    /// When it failed first (monotonic).
    pub first_failure: Option<Timestamp>,
    /// When the scheduler disabled it (monotonic).
    pub scheduler_disabled: Option<Timestamp>,
    /// Whether it did so because an operator wanted it: then it stays so until somebody enables it.
    pub operator_disabled: bool,
    /// When FAILED becomes PENDING (monotonic).
    pub retry: Option<Timestamp>,
    /// When it is dropped (monotonic).
    pub remove: Option<Timestamp>,
    /// Whether it is to be dropped only because nobody has a stake in it.
    pub orphan: bool,
    /// Whether a worker that looked found it complete while another one runs it.
    pub seen_done: bool,
    /// An operator wants the current run ended.
    pub cancel: Option<CancelAsk>,
    /// Who had its last run ended. It is disabled for that, until somebody enables it.
    pub cancelled: Option<String>,
    /// The worker that fell silent over its last run, which failed for that.
    pub lost_with: Option<String>,
}

/// An operator wants a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CancelAsk {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What the worker said to that.
    pub answer: Option<String>,
    /// It said that it cannot: the run goes on, and nothing follows from this any more.
    pub refused: bool,
}

impl Default for TaskState {
    fn default() -> Self {
        Self {
            status: Status::Unknown,
            updated: Timestamp::default(),
            updated_monotonic: Timestamp::default(),
            announced: false,
            runnable: false,
            batchable: false,
            accepts_messages: false,
            priority: 0.0,
            resources: Resources::new(),
            resources_running: None,
            worker_running: None,
            time_running: None,
            attempt: 0,
            retry_policy: RetryPolicy::default(),
            expl: None,
            tracking_url: None,
            status_message: None,
            progress_percentage: None,
            batch_id: None,
            responses: BTreeMap::new(),
            failures: Vec::new(),
            first_failure: None,
            scheduler_disabled: None,
            operator_disabled: false,
            retry: None,
            remove: None,
            orphan: false,
            seen_done: false,
            cancel: None,
            cancelled: None,
            lost_with: None,
        }
    }
}

/// A worker that was not forgotten. When one that is there was heard from is not kept: leases start anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerRecord {
    /// Never given to another worker, nor to this one after it was forgotten.
    pub serial: u64,
    /// As which it counts among the workers that can run a task. It gets a new one when an operator
    /// disables it, which takes it out of all teams at once; no two workers ever have the same.
    pub team_serial: u64,
    /// The worker's id.
    pub id: String,
    /// Its host.
    pub host: Option<String>,
    /// When it came.
    pub started: Timestamp,
    /// What it said of itself, in the order in which it said so.
    pub info: Vec<(String, InfoValue)>,
    /// Whether it is an assistant.
    pub assistant: bool,
    /// How many tasks it runs at once, as far as it said so.
    pub processes: i64,
    /// Whether an operator disabled it.
    pub disabled: bool,
    /// Not silent for too long.
    pub connected: bool,
    /// It went in good order, and did not come back to announce or to ask.
    pub left: bool,
    /// When it was last heard of, if it is not there any more.
    pub last_contact: Option<Timestamp>,
    /// Messages that it has not fetched.
    pub messages: Vec<WorkerMessage>,
}

/// Which tasks of a family a worker runs together.
#[derive(Clone, Debug, PartialEq)]
pub struct BatcherRecord {
    /// The worker's id.
    pub worker: String,
    /// The family.
    pub family: String,
    /// The parameters whose values are run together.
    pub batched_args: Vec<String>,
    /// The most tasks of one batch; `None` is any number.
    pub max_size: Option<u64>,
}
