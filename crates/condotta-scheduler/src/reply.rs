//! What the scheduler answers.

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};

use crate::{CancelAsk, InfoValue, Resources, Status, Timestamp};

/// The answer to `count_pending`, and the first part of the answer to `get_work`.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingCounts {
    /// Tasks of this worker that are pending or failed and not held up by a disabled one.
    pub n_pending_tasks: u64,
    /// Those of them that no other worker can run.
    pub n_unique_pending: u64,
    /// Those of them that this worker announced last.
    pub n_pending_last_scheduled: u64,
    /// Whether the worker may get work at all.
    pub worker_state: WorkerState,
    /// This worker's tasks that run now, wherever that is.
    pub running_tasks: Vec<RunningTask>,
}

/// A running task in [`PendingCounts`].
#[derive(Clone, Debug, PartialEq)]
pub struct RunningTask {
    /// The task.
    pub task_id: String,
    /// The worker that runs it.
    pub worker: String,
    /// What that worker said of itself; shared, since it goes out with each answer.
    pub worker_info: Arc<Vec<(String, InfoValue)>>,
}

/// Whether a worker gets work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// It does.
    Active,
    /// An operator disabled it: it finishes what it runs and goes.
    Disabled,
}

impl WorkerState {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// The answer to `get_work`.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Counted before what is handed out here changed its status, as Luigi does.
    pub counts: PendingCounts,
    /// What to run.
    pub assignment: Assignment,
}

/// What a worker is to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Assignment {
    /// Nothing now.
    Nothing,
    /// One task.
    Task {
        /// Its id.
        task_id: String,
        /// How to build it when the worker does not know it.
        recipe: Recipe,
        /// The number of this run, to be sent back with reports.
        attempt: u64,
    },
    /// Several tasks of a family, run together as one combined task.
    Batch {
        /// The batch.
        batch_id: String,
        /// Its members, in their order.
        task_ids: Vec<String>,
        /// How to build the combined task.
        recipe: Recipe,
    },
}

/// How a task is built anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The task's family.
    pub family: String,
    /// Where its code is.
    pub module: Option<String>,
    /// Serialised parameters in name order.
    pub params: Vec<(String, ParamValue)>,
}

/// A parameter in a [`Recipe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamValue {
    /// One serialised value.
    One(String),
    /// The serialised values of a batch's members, in their order.
    Many(Vec<String>),
}

/// A message to a worker, fetched with `ping`.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkerMessage {
    /// Change the number of processes.
    SetWorkerProcesses {
        /// The new number.
        n: u64,
    },
    /// Give a running task a message.
    DispatchSchedulerMessage {
        /// The task.
        task_id: String,
        /// The message's id, for the answer.
        message_id: String,
        /// The text.
        content: String,
    },
    /// End a run.
    CancelTask {
        /// The task.
        task_id: String,
        /// The number of the run; another one is not meant.
        attempt: u64,
        /// Who wants that.
        by: String,
    },
}

/// How it stands with the end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancelling {
    /// The task; for the member of a batch that runs, the combined one.
    pub task_id: String,
    /// The number of its current or last run.
    pub attempt: u64,
    /// The worker that has or had that run.
    pub worker: Option<String>,
    /// The task's status.
    pub status: Status,
    /// Whether it runs, and its worker can end runs.
    pub can_be_cancelled: bool,
    /// Who wants the run ended; `None` if nobody does, or it is over.
    pub ask: Option<CancelAsk>,
    /// Who had the last run ended, if that is why the task is disabled.
    pub cancelled_by: Option<String>,
}

/// A task as the read-only answers show it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    /// `Family(name=value, …)` over public parameters.
    pub display_name: String,
    /// Its status.
    pub status: Status,
    /// The workers that can run it, in the order in which they said so.
    pub workers: Vec<String>,
    /// The worker that runs it or ran it last.
    pub worker_running: Option<String>,
    /// When it was last handed out (wall clock).
    pub time_running: Option<Timestamp>,
    /// When it was first announced (wall clock).
    pub start_time: Timestamp,
    /// When its status changed last (wall clock).
    pub last_updated: Timestamp,
    /// Public parameters in name order.
    pub params: Vec<(String, String)>,
    /// Its family.
    pub family: String,
    /// Its priority, raised by what depends on it.
    pub priority: f64,
    /// What a run takes.
    pub resources: Resources,
    /// What the current or last run takes.
    pub resources_running: Option<Resources>,
    /// Where the run can be watched.
    pub tracking_url: Option<String>,
    /// What the run last said.
    pub status_message: Option<String>,
    /// How far the run is, in percent.
    pub progress_percentage: Option<f64>,
    /// Disabled tasks: whether an operator can enable it again.
    pub re_enable_able: Option<bool>,
    /// Running tasks, when messages are enabled: whether it reads them.
    pub accepts_messages: Option<bool>,
    /// The ids of its dependencies, in id order.
    pub deps: Vec<String>,
}

/// What kind of task one is, for who counts or records what happens to tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskBrief {
    /// Its family.
    pub family: String,
    /// All parameters that the scheduler knows, in name order.
    pub params: Vec<(String, String)>,
    /// When it was last handed out (wall clock).
    pub time_running: Option<Timestamp>,
}

/// A node of `dep_graph` and `inverse_dep_graph`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every node is a task")]
pub enum GraphNode {
    /// A task that was announced. In an inverse graph its `deps` are what depends on it.
    Task(TaskView),
    /// Only mentioned by others.
    Placeholder {
        /// What the id seems to name.
        family: String,
    },
}

/// The answer to `task_list`.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskList {
    /// The tasks by id.
    Tasks(BTreeMap<String, TaskView>),
    /// Too many to show. `None` when a filter would have had to look at each of them.
    TooMany(Option<u64>),
}

/// A worker in `worker_list`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerView {
    /// Its id.
    pub name: String,
    /// Last contact (wall clock).
    pub last_active: Timestamp,
    /// First contact (wall clock).
    pub started: Timestamp,
    /// Whether it gets work.
    pub state: WorkerState,
    /// The display name of the first task that it announced, as far as known.
    pub first_task_display_name: String,
    /// Messages that it has not fetched.
    pub num_unread_rpc_messages: u64,
    /// What it said of itself.
    pub info: Vec<(String, InfoValue)>,
    /// What it runs and waits for; only when asked for.
    pub load: Option<WorkerLoad>,
}

/// What a worker has to do.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerLoad {
    /// Pending tasks that it can run.
    pub num_pending: u64,
    /// Those of them that nobody else can run.
    pub num_uniques: u64,
    /// What it runs now.
    pub running: BTreeMap<String, TaskView>,
}

/// A resource in `resource_list`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceView {
    /// Its name.
    pub name: String,
    /// Its limit.
    pub num_total: u64,
    /// What runs take of it now.
    pub num_used: u64,
    /// The running tasks that declare it.
    pub running: BTreeMap<String, TaskView>,
}

/// The answer to `fetch_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// The error or message of the last run, as the worker encoded it.
    pub expl: Option<String>,
    /// The task's display name.
    pub display_name: String,
    /// All parameters that the scheduler knows, in name order.
    pub params: Vec<(String, String)>,
    /// Where its code is.
    pub module: Option<String>,
    /// Its family.
    pub family: String,
}
