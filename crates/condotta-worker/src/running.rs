//! A run, from its start to what came of it.

use condotta_scheduler::{Recipe, Status};

use crate::{TaskHandle, task_table::TaskIndex};

/// A task that runs now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// Tells runs of one task apart.
    pub(crate) run: u64,
    /// The scheduler's number of the run, to be sent back.
    pub(crate) attempt: Option<u64>,
    pub(crate) place: Place,
}

/// Where a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a thread of the worker, which cannot be stopped.
    Thread,
    /// In a process of its own.
    Child,
    /// On another machine.
    Elsewhere,
}

impl Place {
    /// Whether a run there can be ended from outside.
    pub(crate) fn can_be_ended(self) -> bool {
        self != Self::Thread
    }
}

/// A run ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) index: TaskIndex,
    pub(crate) run: u64,
    pub(crate) outcome: Outcome,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    /// The error or message for people.
    pub(crate) expl: Option<String>,
    /// Dependencies that were missing when it started.
    pub(crate) missing: Vec<String>,
    /// What has to be complete before it can go on.
    pub(crate) requirements: Requirements,
    pub(crate) end: End,
}

/// Tasks that a run needs.
#[derive(Debug)]
pub(crate) enum Requirements {
    Tasks(Vec<TaskHandle>),
    /// From a child process, where the tasks themselves stayed.
    Recipes(Vec<Recipe>),
}

impl Requirements {
    pub(crate) fn none() -> Self {
        Self::Tasks(Vec::new())
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It said so itself.
    Normal,
    /// It took too long.
    TimedOut,
    /// Its process died.
    Died,
    /// The program is to stop.
    Stopped,
    /// An operator wanted that.
    Cancelled,
}

impl Outcome {
    pub(crate) fn failed(expl: String, end: End) -> Self {
        Self {
            status: Status::Failed,
            expl: Some(expl),
            missing: Vec::new(),
            requirements: Requirements::none(),
            end,
        }
    }

    pub(crate) fn timed_out(task_id: &str, timeout_secs: f64) -> Self {
        let text =
            format!("Task {task_id} timed out after {timeout_secs} seconds and was terminated.");
        Self::failed(text, End::TimedOut)
    }

    pub(crate) fn stopped(task_id: &str) -> Self {
        let text = format!("Task {task_id} was stopped because the worker had to stop.");
        Self::failed(text, End::Stopped)
    }

    pub(crate) fn cancelled(task_id: &str, by: &str) -> Self {
        Self::failed(
            format!("Task {task_id} was cancelled by {by}."),
            End::Cancelled,
        )
    }
}
