//! What can be asked of the scheduler. Names and defaults are those of Luigi's remote procedure calls.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString as _},
    vec::Vec,
};

/// Amounts of named resources.
pub type Resources = BTreeMap<String, u64>;

/// A task's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Waits to be run: for its dependencies, for resources, or just for a worker.
    Pending,
    /// Handed out to a worker, which has not reported yet.
    Running,
    /// Runs as a member of a batch, under the id of the batch's combined task.
    BatchRunning,
    /// Complete.
    Done,
    /// Failed, and waits for its retry delay to pass.
    Failed,
    /// Not to be run: it failed too often, or its author or worker said so.
    Disabled,
    /// Only mentioned so far, or could not be scheduled.
    Unknown,
}

impl Status {
    /// Every status, in the order in which they are listed to people.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::BatchRunning,
        Self::Done,
        Self::Failed,
        Self::Disabled,
        Self::Unknown,
    ];

    /// The name on the wire, as in `"BATCH_RUNNING"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::BatchRunning => "BATCH_RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Disabled => "DISABLED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The status of this name. `SUSPENDED`, which old workers send, is `PENDING`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "SUSPENDED" {
            return Some(Self::Pending);
        }
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Who may see a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// Shown everywhere and part of the task id.
    #[default]
    Public,
    /// Sent to the scheduler, but not shown.
    Hidden,
    /// Never leaves the worker.
    Private,
}

/// One parameter of a task as the scheduler keeps it: a name and a serialised value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The parameter's name.
    pub name: String,
    /// Its serialised value.
    pub value: String,
    /// Who may see it.
    pub visibility: Visibility,
}

/// How failures of a task are answered. `None` takes the scheduler's configured value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryPolicy {
    /// This many failures within the window disable the task.
    pub retry_count: Option<u64>,
    /// A failure this many seconds or more after the first one disables the task.
    pub disable_hard_timeout: Option<f64>,
    /// Seconds for which a failure counts.
    pub disable_window: Option<f64>,
}

/// The request `add_task`: announces a task, or reports on it.
#[derive(Clone, Debug, PartialEq)]
pub struct AddTask {
    /// The task's stable id.
    pub task_id: String,
    /// The worker that speaks.
    pub worker: String,
    /// The status that the worker claims.
    pub status: Status,
    /// Whether this worker can run the task. `None` on a report.
    pub runnable: Option<bool>,
    /// The ids of all dependencies, replacing what was known; `None` leaves them.
    pub deps: Option<Vec<String>>,
    /// Dependencies found while running, in addition.
    pub new_deps: Option<Vec<String>>,
    /// The error or message of the last run, as the worker encoded it.
    pub expl: Option<String>,
    /// What a run takes of each resource. `None` means nothing.
    pub resources: Option<Resources>,
    /// Higher runs first. Never NaN.
    pub priority: f64,
    /// The task's family; empty when not said.
    pub family: String,
    /// Where the task's code is: a Python module, or `rust:` and the name of a program.
    pub module: Option<String>,
    /// Parameters; `None` when not said.
    pub params: Option<Vec<Param>>,
    /// Whether a run reads messages; `None` leaves what was known.
    pub accepts_messages: Option<bool>,
    /// The worker is an assistant: it runs the task but has no stake in it.
    pub assistant: bool,
    /// Where the run can be watched.
    pub tracking_url: Option<String>,
    /// Whether the task may be run in a batch with others of its family.
    pub batchable: Option<bool>,
    /// The batch that this is the combined task of.
    pub batch_id: Option<String>,
    /// How failures are answered.
    pub retry_policy: RetryPolicy,
    /// Addresses to tell of failures.
    pub owners: Vec<String>,
    /// The attempt that the report is about, from [`Work`](crate::Work). Workers that know no
    /// attempts leave it out; for them the worker id is the fence.
    pub attempt: Option<u64>,
}

impl AddTask {
    /// A request with Luigi's defaults: a runnable, pending task without dependencies.
    #[must_use]
    pub fn new(worker: &str, task_id: &str) -> Self {
        Self {
            task_id: task_id.to_string(),
            worker: worker.to_string(),
            status: Status::Pending,
            runnable: Some(true),
            deps: None,
            new_deps: None,
            expl: None,
            resources: None,
            priority: 0.0,
            family: String::new(),
            module: None,
            params: None,
            accepts_messages: None,
            assistant: false,
            tracking_url: None,
            batchable: None,
            batch_id: None,
            retry_policy: RetryPolicy::default(),
            owners: Vec::new(),
            attempt: None,
        }
    }
}

/// The request `add_task_batcher`: this worker can run tasks of a family together.
#[derive(Clone, Debug, PartialEq)]
pub struct AddTaskBatcher {
    /// The worker that speaks.
    pub worker: String,
    /// The family.
    pub task_family: String,
    /// The parameters that may differ within a batch.
    pub batched_args: Vec<String>,
    /// The most tasks in one batch; `None` is no limit.
    pub max_batch_size: Option<u64>,
}

/// A value in what a worker says of itself, such as its host, its process id or a flag.
#[derive(Clone, Debug, PartialEq)]
pub enum InfoValue {
    /// Nothing.
    Null,
    /// A flag.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list or an object, kept as JSON text and shown as it came.
    Json(String),
}

/// The request `add_worker`: what a worker says of itself, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct AddWorker {
    /// The worker that speaks.
    pub worker: String,
    /// Merged into what is known. `workers` is the number of its processes.
    pub info: Vec<(String, InfoValue)>,
}

/// The request `get_work`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetWork {
    /// The worker that asks.
    pub worker: String,
    /// The host that it runs on.
    pub host: Option<String>,
    /// Whether it takes tasks that only others announced.
    pub assistant: bool,
    /// What it runs now. A task that the scheduler thinks it runs and that is not listed was lost
    /// on the way and is handed out again. `None` leaves that out.
    pub current_tasks: Option<Vec<String>>,
}

/// The request `announce_scheduling_failure`: a worker could not find out what a task needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchedulingFailure {
    /// The worker that speaks.
    pub worker: String,
    /// The task's display name.
    pub task_name: String,
    /// Its family.
    pub family: String,
    /// Its parameters.
    pub params: Vec<(String, String)>,
    /// The error, as the worker encoded it.
    pub expl: String,
    /// Addresses to tell.
    pub owners: Vec<String>,
}

/// The question `task_list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskListQuery {
    /// Only tasks of this status.
    pub status: Option<Status>,
    /// Of pending tasks only those with this upstream status, by its name; empty is any.
    pub upstream_status: String,
    /// Whether too many tasks are counted instead of shown.
    pub limit: bool,
    /// Words that the display name has to contain, whatever their case.
    pub search: Option<String>,
    /// The most tasks to show, when not the configured number.
    pub max_shown_tasks: Option<u64>,
}

impl Default for TaskListQuery {
    fn default() -> Self {
        Self {
            status: None,
            upstream_status: String::new(),
            limit: true,
            search: None,
            max_shown_tasks: None,
        }
    }
}

/// What a worker says to being asked to end a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelAnswer {
    /// In words.
    pub text: String,
    /// Whether it cannot.
    pub refused: bool,
}
