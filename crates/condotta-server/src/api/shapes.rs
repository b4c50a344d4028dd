//! Shapes that several topics answer with: statuses, counts, rows of tasks. They copy what is seen in
//! the scheduler, cut to a length that a list can bear.

use std::{borrow::Cow, collections::BTreeMap};

use condotta_scheduler::{Neighbour, Now, Scheduler, ShownTask, Status, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::attempt_id::AttemptId;

/// The longest text of a kind that tasks make, in a list, in characters.
const LONGEST_IN_LIST: usize = 300;

/// A task's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TaskStatus {
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
    /// Not to be run: it failed too often, or somebody said so.
    Disabled,
    /// Only mentioned so far, or could not be scheduled.
    Unknown,
}

impl From<Status> for TaskStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Running => Self::Running,
            Status::BatchRunning => Self::BatchRunning,
            Status::Done => Self::Done,
            Status::Failed => Self::Failed,
            Status::Disabled => Self::Disabled,
            Status::Unknown => Self::Unknown,
        }
    }
}

/// The worst that a pending task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(clippy::enum_variant_names, reason = "these are Luigi's words")]
pub(crate) enum UpstreamStatus {
    /// Something upstream runs.
    UpstreamRunning,
    /// Something upstream has not run yet.
    UpstreamMissingInput,
    /// Something upstream failed.
    UpstreamFailed,
    /// Something upstream is disabled.
    UpstreamDisabled,
}

impl UpstreamStatus {
    /// The status of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "UPSTREAM_RUNNING" => Some(Self::UpstreamRunning),
            "UPSTREAM_MISSING_INPUT" => Some(Self::UpstreamMissingInput),
            "UPSTREAM_FAILED" => Some(Self::UpstreamFailed),
            "UPSTREAM_DISABLED" => Some(Self::UpstreamDisabled),
            _ => None,
        }
    }
}

/// How many tasks there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct Counts {
    pending: u64,
    running: u64,
    batch_running: u64,
    done: u64,
    failed: u64,
    disabled: u64,
    unknown: u64,
}

impl Counts {
    /// How many there are now.
    pub(crate) fn of(scheduler: &Scheduler) -> Self {
        let mut counts = Self::default();
        for status in Status::ALL {
            counts.add(status, scheduler.task_count_of(status) as u64);
        }
        counts
    }

    /// So many more of this status.
    pub(crate) fn add(&mut self, status: Status, count: u64) {
        let counter = match status {
            Status::Pending => &mut self.pending,
            Status::Running => &mut self.running,
            Status::BatchRunning => &mut self.batch_running,
            Status::Done => &mut self.done,
            Status::Failed => &mut self.failed,
            Status::Disabled => &mut self.disabled,
            Status::Unknown => &mut self.unknown,
        };
        *counter += count;
    }

    /// So many more as `other` says.
    pub(crate) fn add_all(&mut self, other: Self) {
        self.pending += other.pending;
        self.running += other.running;
        self.batch_running += other.batch_running;
        self.done += other.done;
        self.failed += other.failed;
        self.disabled += other.disabled;
        self.unknown += other.unknown;
    }

    /// All of them together.
    pub(crate) fn total(&self) -> u64 {
        let some = self.pending + self.running + self.batch_running + self.done;
        some + self.failed + self.disabled + self.unknown
    }
}

/// A task in a list. Long texts are cut, and end with `…` then.
#[derive(Serialize, ToSchema)]
pub(crate) struct TaskRow {
    /// The task's id.
    pub(crate) id: String,
    /// Its class, with the namespace in front.
    pub(crate) family: String,
    /// The namespace; empty for none.
    pub(crate) namespace: String,
    /// `Family(name=value, …)`, over public parameters; the id, where the family is not known.
    pub(crate) display_name: String,
    /// Whether a worker announced it; else it is only what others depend on.
    pub(crate) is_announced: bool,
    /// Its public parameters.
    pub(crate) params: BTreeMap<String, String>,
    /// Its status.
    pub(crate) status: TaskStatus,
    /// The worst that it waits for, if it is pending and waits for other tasks.
    pub(crate) upstream_status: Option<UpstreamStatus>,
    /// Higher runs first; raised by what depends on it.
    pub(crate) priority: f64,
    /// What a run takes.
    pub(crate) resources: BTreeMap<String, u64>,
    /// The worker that runs it or ran it last.
    pub(crate) worker: Option<String>,
    /// The number of its current or last attempt; 0 before the first.
    pub(crate) attempt: u64,
    /// The name of that attempt.
    pub(crate) attempt_id: Option<String>,
    /// When it was first announced.
    pub(crate) created: f64,
    /// When it was last handed out.
    pub(crate) started: Option<f64>,
    /// When its status changed last.
    pub(crate) updated: f64,
    /// When a failed task is tried again.
    pub(crate) retry_at: Option<f64>,
    /// Until when it is disabled, if it is not for ever.
    pub(crate) disabled_until: Option<f64>,
    /// How far the run is, in percent.
    pub(crate) progress: Option<f64>,
    /// What the run said last.
    pub(crate) status_message: Option<String>,
    /// Where the run can be watched; only addresses with http or https.
    pub(crate) tracking_url: Option<String>,
    /// How many tasks it depends on.
    pub(crate) dependencies: usize,
    /// How many tasks depend on it.
    pub(crate) dependants: usize,
}

impl TaskRow {
    /// The task as it is now.
    pub(crate) fn new(task: ShownTask<'_>, upstream: Option<&str>, now: Now) -> Self {
        let params = task.params();
        let params = params.map(|(name, value)| (name.to_owned(), cut(value).into_owned()));
        let params: BTreeMap<_, _> = params.collect();
        Self {
            id: task.id().to_owned(),
            family: task.family().to_owned(),
            namespace: namespace(task.family()).to_owned(),
            display_name: named(task, &params),
            is_announced: task.is_announced(),
            params,
            status: task.status().into(),
            upstream_status: upstream.and_then(UpstreamStatus::named),
            priority: finite(task.priority()),
            resources: task.resources(),
            worker: task.worker_running().map(str::to_owned),
            attempt: task.attempt(),
            attempt_id: attempt_id(task).map(|id| id.to_string()),
            created: task.start_time().0,
            started: task.time_running().map(|time| time.0),
            updated: task.last_updated().0,
            retry_at: task.retry_at().map(|at| wall(now, at)),
            disabled_until: task.disabled_until().map(|at| wall(now, at)),
            progress: task.progress_percentage(),
            status_message: task.status_message().map(|text| cut(text).into_owned()),
            tracking_url: tracking_url(task).map(str::to_owned),
            dependencies: task.dep_count(),
            dependants: task.dependant_count(),
        }
    }
}

/// Another task as a task's neighbour shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TaskLink {
    /// Its id.
    pub(crate) id: String,
    /// `Family(name=value, …)`, cut where it is long; the id, where the family is not known.
    pub(crate) display_name: String,
    /// Its status; nothing if it was dropped.
    pub(crate) status: Option<TaskStatus>,
}

impl TaskLink {
    pub(crate) fn new(neighbour: Neighbour<'_>) -> Self {
        let name = neighbour.task.map(display_name);
        Self {
            id: neighbour.id.to_owned(),
            display_name: name.unwrap_or_else(|| cut(neighbour.id).into_owned()),
            status: neighbour.task.map(|task| task.status().into()),
        }
    }
}

/// The name of the current or last attempt.
pub(crate) fn attempt_id(task: ShownTask<'_>) -> Option<AttemptId> {
    let began = task.time_running()?;
    (task.attempt() > 0).then(|| AttemptId::new(task.id(), task.attempt(), began))
}

/// The display name, of which long values are cut.
pub(crate) fn display_name(task: ShownTask<'_>) -> String {
    let params = task.params();
    let params = params.map(|(name, value)| (name.to_owned(), cut(value).into_owned()));
    named(task, &params.collect())
}

fn named(task: ShownTask<'_>, params: &BTreeMap<String, String>) -> String {
    let family = task.family();
    if family.is_empty() && params.is_empty() {
        return cut(task.id()).into_owned();
    }
    let params = params.iter().map(|(name, value)| format!("{name}={value}"));
    let name = format!("{family}({})", params.collect::<Vec<_>>().join(", "));
    cut(&name).into_owned()
}

/// The namespace of a family; empty for none.
pub(crate) fn namespace(family: &str) -> &str {
    family
        .rsplit_once('.')
        .map_or("", |(namespace, _)| namespace)
}

/// At most as much of a text as a list can bear.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    cut_to(text, LONGEST_IN_LIST)
}

/// At most so many characters of a text, with `…` where something is missing.
pub(crate) fn cut_to(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The address at which a run can be watched, if it is one that a page may link to.
pub(crate) fn tracking_url(task: ShownTask<'_>) -> Option<&str> {
    let url = task.tracking_url()?;
    let starts_with = |scheme: &str| {
        let start = url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (starts_with("http://") || starts_with("https://")).then_some(url)
}

/// What the wall's clock shows when the scheduler's shows `at`.
pub(crate) fn wall(now: Now, at: Timestamp) -> f64 {
    now.wall.0 + at.since(now.monotonic)
}

/// JSON has no infinite numbers.
pub(crate) fn finite(number: f64) -> f64 {
    number.clamp(f64::MIN, f64::MAX)
}
