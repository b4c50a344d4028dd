//! What holds a task up: the answer to "why does it not run?", down to the root cause.
//!
//! Looks at the task, at what it waits for (a bounded number of tasks) and at the choice that workers
//! would get now. Changes nothing, and knows no clock: moments are told on the wall clock of `now`.

mod read;
mod ready;
mod ring;
mod walk;
mod words;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

pub use self::{read::WhyRead, words::Word};
use crate::{
    Now, RetryPolicy, Scheduler, ShownTask, Status, Timestamp,
    task::{Slot, Task},
};

/// So many examples are named of what may be many.
const NAMED: usize = 8;

/// What holds a task up, or that nothing does.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The task.
    pub task: TaskName,
    /// Its status; `None` when others depend on it and nobody announced it.
    pub status: Option<Status>,
    /// What holds it up itself.
    pub hold: Hold,
    /// Whether the scheduler hands nothing out just now, whatever else there is.
    pub paused: bool,
}

/// A task by its id and by the name that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskName {
    /// Its id.
    pub task_id: String,
    /// Its family with its public parameters; the id where these are not known.
    pub name: String,
}

/// What holds one task up.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    /// Nothing: it is done.
    Done {
        /// Since when (wall clock).
        since: Timestamp,
    },
    /// Nothing: it runs.
    Running(Run),
    /// Something depends on it, and nobody announced it, or it was removed since.
    NotAnnounced {
        /// Workers that may announce it, because they are still looking for tasks.
        planning: Vec<String>,
    },
    /// It waits for itself, along these tasks; the first is also the last. It can never run so.
    Cycle {
        /// The way around, shortened.
        path: Path,
    },
    /// It needs more of a resource than there is, so that it can never run as things are.
    NeedAboveLimit {
        /// The resource.
        resource: String,
        /// What a run takes.
        amount: u64,
        /// The limit.
        limit: u64,
    },
    /// A worker could not tell whether it is complete (status UNKNOWN), so nobody is given it.
    Unknown {
        /// Since when (wall clock).
        since: Timestamp,
    },
    /// It is disabled.
    Disabled(Disabled),
    /// It failed, and is not tried again yet.
    Failed(Failed),
    /// Dependencies are not done.
    Dependencies(Waiting),
    /// No worker is there that can run it.
    NoWorker(NoWorker),
    /// The scheduler is paused, and nothing else holds it up.
    Paused,
    /// Resources that it needs are in use.
    Resources {
        /// Those of which there is not enough.
        lacking: Vec<Lacking>,
    },
    /// What it needs is free, but kept for tasks that rank higher and that other workers can start.
    Reserved {
        /// The resources of which not enough remains.
        resources: Vec<String>,
        /// The tasks for which they are kept, as far as named here; best first.
        kept_for: Vec<TaskName>,
    },
    /// It is ready, and whoever may run it is given other tasks before it.
    Behind {
        /// How many ready tasks of higher rank there are that these workers may run.
        ahead: usize,
        /// Whether `ahead` was counted to the end.
        is_exact: bool,
        /// Workers that may run it.
        workers: Vec<Candidate>,
    },
    /// It is ready: the first of these workers that asks for work is given it.
    Ready {
        /// The workers, those with a free process first.
        workers: Vec<Candidate>,
    },
}

/// A run that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Who runs it.
    pub worker: Option<String>,
    /// Since when (wall clock).
    pub since: Option<Timestamp>,
    /// The number of the run; 0 when it was never handed out.
    pub attempt: u64,
    /// The batch that it is in.
    pub batch_id: Option<String>,
    /// When the worker was last heard of (wall clock).
    pub last_contact: Option<Timestamp>,
    /// How far it is, in percent.
    pub progress_percentage: Option<f64>,
}

/// Why a task is disabled, and how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Disabled {
    /// Since when (wall clock).
    pub since: Timestamp,
    /// Who did it.
    pub by: DisabledBy,
    /// The operator who had its run ended, if it is disabled for that.
    pub cancelled_by: Option<String>,
    /// Failures that count.
    pub failures: u64,
    /// When the scheduler lets it be tried again (wall clock); `None` is not by itself.
    pub until: Option<Timestamp>,
    /// The policy that it failed by.
    pub policy: RetryPolicy,
}

/// Who disabled a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledBy {
    /// The scheduler, because it failed too often.
    Failures,
    /// An operator.
    Operator,
    /// A worker, which announced it so.
    Worker,
}

/// A failure that waits for its next try.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// When it failed (wall clock).
    pub since: Timestamp,
    /// How often it failed within the window of its policy.
    pub failures: u64,
    /// When it is pending again (wall clock); `None` is not by itself.
    pub retry_at: Option<Timestamp>,
    /// How many failures, and in what time, disable it.
    pub policy: RetryPolicy,
    /// The worker that ran it last, as far as known.
    pub worker: Option<String>,
    /// Whether that worker was silent for too long over it, and said nothing of a failure.
    pub is_lost: bool,
}

/// What a task waits for upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Dependencies of the task itself that are not done.
    pub unmet: usize,
    /// All of its dependencies.
    pub dependencies: usize,
    /// Root causes, one for each kind, the most telling first.
    pub causes: Vec<Cause>,
    /// Whether everything upstream was looked at. A task may wait for more than is looked at.
    pub is_exact: bool,
}

/// What a task waits for in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// How many root causes of this kind were found, this one included.
    pub count: usize,
    /// From the task's own dependency to the root cause, shortened.
    pub path: Path,
    /// The status of the last task of the path; `None` when nobody announced it.
    pub status: Option<Status>,
    /// What holds the last task of the path up. Never [`Hold::Dependencies`].
    pub hold: Hold,
}

/// A row of tasks each of which waits for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The tasks that are named: those at the beginning and those at the end.
    pub tasks: Vec<TaskName>,
    /// How many are left out, in the middle.
    pub omitted: usize,
}

/// Why nobody can run a task.
#[derive(Clone, Debug, PartialEq)]
pub struct NoWorker {
    /// Whether any worker ever said that it can run it. Nobody does of an external task.
    pub runnable: bool,
    /// Workers that announced it, as far as named here, and why they do not run it.
    pub workers: Vec<(String, Absence)>,
    /// Where its code is: a Python module, or `rust:` with the program's name.
    pub module: Option<String>,
    /// Assistants that are there and lack that code, as far as named here.
    pub other_assistants: Vec<String>,
}

/// Why a worker does not run what it announced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Absence {
    /// It was silent for too long.
    Silent {
        /// When it was last heard of (wall clock).
        since: Timestamp,
    },
    /// It went in good order.
    Left {
        /// When it was last heard of (wall clock).
        since: Timestamp,
    },
    /// An operator disabled it.
    Disabled,
    /// It is there and announced the task, but cannot run it.
    CannotRun,
}

/// A resource of which there is not enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Lacking {
    /// Its name.
    pub resource: String,
    /// What a run takes.
    pub amount: u64,
    /// What is in use.
    pub used: u64,
    /// The limit.
    pub limit: u64,
    /// Running tasks that use it, with how much, as far as named here; best rank first.
    pub users: Vec<(TaskName, u64)>,
}

/// A worker that may run a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub worker: String,
    /// How many tasks it runs.
    pub running: usize,
    /// How many it can run at a time, as far as it said so.
    pub processes: i64,
}

impl Candidate {
    /// Whether it runs as much as it can.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        usize::try_from(self.processes).unwrap_or(0) <= self.running
    }
}

impl Scheduler {
    /// What holds a task up, down to the root cause. `None` when nothing is known of the task.
    ///
    /// Looks at a bounded number of tasks and workers, and says where there are more. [`WhyRead`] does so
    /// in steps.
    #[must_use]
    pub fn why(&self, now: Now, task_id: &str) -> Option<Why> {
        let mut read = WhyRead::new(task_id.to_string());
        while !read.step(self, now, usize::MAX) {}
        read.finish()
    }

    /// What holds up a task that waits for no dependency. `dependant` is one that waits for it.
    fn own_hold(&self, now: Now, slot: Slot, dependant: Option<Slot>) -> Hold {
        let task = &self.tasks[slot];
        if task.is_missing() {
            let planning = self.may_announce(slot, dependant);
            return Hold::NotAnnounced { planning };
        }
        match task.status {
            Status::Done => Hold::Done {
                since: task.updated,
            },
            Status::Running | Status::BatchRunning => Hold::Running(self.run_of(task)),
            Status::Unknown => Hold::Unknown {
                since: task.updated,
            },
            Status::Disabled => Hold::Disabled(self.disabled(now, task)),
            Status::Failed => Hold::Failed(self.failed(now, task)),
            Status::Pending => self.ready_hold(now, slot),
        }
    }

    fn run_of(&self, task: &Task) -> Run {
        let worker = task.worker_running.map(|worker| &self.workers[worker]);
        let rare = task.rare.as_deref();
        Run {
            worker: worker.map(|worker| worker.id.to_string()),
            since: task.time_running,
            attempt: u64::from(task.attempt),
            batch_id: task.batch_id().map(Into::into),
            last_contact: worker.map(|worker| worker.last_active_wall),
            progress_percentage: rare.and_then(|rare| rare.progress_percentage),
        }
    }

    fn disabled(&self, now: Now, task: &Task) -> Disabled {
        let at = task.scheduler_disabled();
        let by = match at {
            None => DisabledBy::Worker,
            Some(_) if task.operator_disabled() => DisabledBy::Operator,
            Some(_) => DisabledBy::Failures,
        };
        let until = at.filter(|_| by == DisabledBy::Failures);
        let until = until.map(|at| at.after(self.config.disable_persist));
        Disabled {
            since: task.updated,
            by,
            cancelled_by: task.cancelled().map(Into::into),
            failures: self.failures(now, task),
            until: until.and_then(|until| on_wall(now, until)),
            policy: self.policy_of(task),
        }
    }

    fn failed(&self, now: Now, task: &Task) -> Failed {
        let retry = task.rare.as_deref().and_then(|rare| rare.retry);
        let retry = retry.filter(|_| self.config.retry_delay >= 0.0);
        let lost_with = task
            .rare
            .as_deref()
            .and_then(|rare| rare.lost_with.as_deref());
        let worker = task.worker_running.map(|worker| &*self.workers[worker].id);
        Failed {
            since: task.updated,
            failures: self.failures(now, task),
            retry_at: retry.and_then(|retry| on_wall(now, retry)),
            policy: self.policy_of(task),
            worker: lost_with.or(worker).map(ToString::to_string),
            is_lost: lost_with.is_some(),
        }
    }

    fn failures(&self, now: Now, task: &Task) -> u64 {
        let window = self.policies.value(task.policy).disable_window;
        let failures = task.rare.iter().flat_map(|rare| &rare.failures);
        let counts = failures.filter(|failure| failure.after(window) >= now.monotonic);
        counts.count() as u64
    }

    fn policy_of(&self, task: &Task) -> RetryPolicy {
        let policy = self.policies.value(task.policy);
        RetryPolicy {
            retry_count: Some(policy.retry_count),
            disable_hard_timeout: Some(policy.disable_hard_timeout),
            disable_window: Some(policy.disable_window),
        }
    }

    /// Workers that may still announce the task: they know of it, or of one that waits for it, and
    /// are still looking for tasks.
    fn may_announce(&self, slot: Slot, dependant: Option<Slot>) -> Vec<String> {
        let mut known: Vec<_> = Vec::new();
        for slot in core::iter::once(slot).chain(dependant) {
            let task = &self.tasks[slot];
            known.extend(&self.workers.stake(task.stake).members);
            known.extend(&self.workers.team(task.team).members);
        }
        known.sort_unstable();
        known.dedup();
        let workers = known.into_iter().map(|worker| &self.workers[worker]);
        let planning = workers.filter(|worker| worker.connected && worker.planning);
        let ids = planning.map(|worker| worker.id.to_string());
        ids.take(NAMED).collect()
    }

    fn task_name(&self, slot: Slot) -> TaskName {
        let task = &self.tasks[slot];
        let is_named = !task.ghost && task.family != crate::names::Name::EMPTY;
        let name = is_named.then(|| ShownTask::new(self, slot).display_name().to_string());
        TaskName {
            task_id: task.id.to_string(),
            name: name.unwrap_or_else(|| task.id.to_string()),
        }
    }

    fn amount_of(&self, need: crate::resource::NeedId, resource: crate::resource::Resource) -> u64 {
        let mut amounts = self.needs.amounts(need).iter();
        let found = amounts.find(|(name, _)| *name == resource);
        found.map_or(0, |(_, amount)| *amount)
    }
}

/// A moment of the monotonic clock on the wall clock; `None` when it never comes.
fn on_wall(now: Now, at: Timestamp) -> Option<Timestamp> {
    let at = now.wall.after(at.since(now.monotonic));
    at.0.is_finite().then_some(at)
}
