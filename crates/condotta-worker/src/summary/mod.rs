//! Luigi's execution summary: what became of the tasks that a worker planned.
//!
//! Categories, their quirks and the text are Luigi's, to the letter; `tests/golden` holds what Luigi
//! itself prints.

mod format;
mod sets;

use std::fmt;

pub use sets::Sorting;

use crate::{ParamInfo, TaskHandle, history::History, task_table::TaskTable};

/// `summary_length`'s default: so many families are listed in a category.
const SUMMARY_LENGTH: usize = 5;

/// What the summary's text says of a task.
pub trait Summarized {
    /// The family, with its namespace.
    fn family(&self) -> &str;

    /// `Family(name=value, …)` over significant parameters in declaration order.
    fn display_name(&self) -> String;

    /// All parameters in declaration order, with the values that may be shown.
    fn params(&self) -> Vec<ParamInfo>;

    /// The serialised value that follows `value` in this parameter's natural order.
    fn next_in_enumeration(&self, param: &str, value: &str) -> Option<String>;
}

impl Summarized for TaskHandle {
    fn family(&self) -> &str {
        (**self).family()
    }

    fn display_name(&self) -> String {
        (**self).display_name()
    }

    fn params(&self) -> Vec<ParamInfo> {
        let params = (**self).params().into_iter();
        let shown = params.map(|param| ParamInfo {
            value: param.shown().to_owned(),
            ..param
        });
        shown.collect()
    }

    fn next_in_enumeration(&self, param: &str, value: &str) -> Option<String> {
        (**self).next_in_enumeration(param, value)
    }
}

/// What became of a task. A task can be in several categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Complete before anything ran.
    AlreadyDone,
    /// Ran, and is done.
    Completed,
    /// Failed at least once.
    EverFailed,
    /// Failed, and did not succeed later.
    Failed,
    /// Could not be scheduled.
    SchedulingError,
    /// Pending; this worker cannot run it, as with an external task.
    StillPendingExt,
    /// Pending, though this worker could run it.
    StillPendingNotExt,
    /// Run by another worker.
    RunByOtherWorker,
    /// Pending for a dependency that failed.
    UpstreamFailure,
    /// Pending for a dependency that is missing.
    UpstreamMissingDependency,
    /// Pending for a dependency that another worker runs.
    UpstreamRunByOtherWorker,
    /// Pending for a dependency that could not be scheduled.
    UpstreamSchedulingError,
    /// Pending for no reason seen here: the scheduler did not hand it out.
    NotRun,
}

impl Category {
    /// Every category, in the order of the text.
    pub const ALL: [Self; 13] = [
        Self::AlreadyDone,
        Self::Completed,
        Self::EverFailed,
        Self::Failed,
        Self::SchedulingError,
        Self::StillPendingExt,
        Self::StillPendingNotExt,
        Self::RunByOtherWorker,
        Self::UpstreamFailure,
        Self::UpstreamMissingDependency,
        Self::UpstreamRunByOtherWorker,
        Self::UpstreamSchedulingError,
        Self::NotRun,
    ];
}

/// How it all went, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusCode {
    /// No failed tasks, no missing dependencies.
    Success,
    /// Tasks failed, but all of them succeeded in a retry.
    SuccessWithRetry,
    /// Tasks failed.
    Failed,
    /// Tasks failed, and others could not be scheduled.
    FailedAndSchedulingFailed,
    /// Tasks could not be scheduled.
    SchedulingFailed,
    /// The scheduler did not hand out tasks.
    NotRun,
    /// External tasks are missing.
    MissingExt,
}

impl StatusCode {
    /// Luigi's name of the code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::SuccessWithRetry => "SUCCESS_WITH_RETRY",
            Self::Failed => "FAILED",
            Self::FailedAndSchedulingFailed => "FAILED_AND_SCHEDULING_FAILED",
            Self::SchedulingFailed => "SCHEDULING_FAILED",
            Self::NotRun => "NOT_RUN",
            Self::MissingExt => "MISSING_EXT",
        }
    }

    /// The face that Luigi makes.
    #[must_use]
    pub const fn face(self) -> &'static str {
        match self {
            Self::Success | Self::SuccessWithRetry => ":)",
            Self::Failed | Self::FailedAndSchedulingFailed | Self::SchedulingFailed => ":(",
            Self::NotRun | Self::MissingExt => ":|",
        }
    }

    /// The reason, as the summary's last line has it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Success => "there were no failed tasks or missing dependencies",
            Self::SuccessWithRetry => "there were failed tasks but they all succeeded in a retry",
            Self::Failed => "there were failed tasks",
            Self::FailedAndSchedulingFailed => {
                "there were failed tasks and tasks whose scheduling failed"
            }
            Self::SchedulingFailed => "there were tasks whose scheduling failed",
            Self::NotRun => {
                "there were tasks that were not granted run permission by the scheduler"
            }
            Self::MissingExt => "there were missing external dependencies",
        }
    }
}

/// What became of a worker's tasks. `Display` is Luigi's text.
pub struct Summary<T = TaskHandle> {
    sets: [Vec<T>; Category::ALL.len()],
    /// Other workers, with how many of this worker's tasks they ran.
    others: Vec<(String, usize)>,
}

impl Summary {
    pub(crate) fn new(tasks: &TaskTable, history: &History, worker_id: &str) -> Self {
        sets::sort_out(tasks, history, worker_id)
    }

    /// Whether a task is in a category.
    #[must_use]
    pub fn contains(&self, category: Category, task_id: &str) -> bool {
        self.tasks(category)
            .iter()
            .any(|task| task.task_id() == task_id)
    }
}

impl<T> Summary<T> {
    /// A summary of these tasks by category, and of other workers with the numbers of tasks that
    /// they ran.
    #[must_use]
    pub fn of(sets: [Vec<T>; Category::ALL.len()], others: Vec<(String, usize)>) -> Self {
        Self { sets, others }
    }

    /// The tasks in a category, in the order in which they were announced.
    #[must_use]
    pub fn tasks(&self, category: Category) -> &[T] {
        &self.sets[category as usize]
    }

    /// How it all went.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let any = |category| !self.tasks(category).is_empty();
        let scheduling_error = any(Category::SchedulingError);
        if any(Category::EverFailed) {
            match (any(Category::Failed), scheduling_error) {
                (false, _) => StatusCode::SuccessWithRetry,
                (true, true) => StatusCode::FailedAndSchedulingFailed,
                (true, false) => StatusCode::Failed,
            }
        } else if scheduling_error {
            StatusCode::SchedulingFailed
        } else if any(Category::NotRun) {
            StatusCode::NotRun
        } else if any(Category::StillPendingExt) {
            StatusCode::MissingExt
        } else {
            StatusCode::Success
        }
    }

    /// `This progress looks :) because …`
    #[must_use]
    pub fn one_line(&self) -> String {
        let status = self.status();
        format!(
            "This progress looks {} because {}",
            status.face(),
            status.reason()
        )
    }
}

impl<T: Summarized> Summary<T> {
    /// What the text says within its frame, with another last line.
    #[must_use]
    pub fn body(&self, summary_length: usize, one_line: &str) -> String {
        format::body(self, summary_length, one_line)
    }

    /// The text, with at most `summary_length` families in a category (`[execution_summary]
    /// summary_length`); 0 is all of them.
    #[must_use]
    pub fn text(&self, summary_length: usize) -> String {
        format::text(self, summary_length)
    }
}

impl<T: Summarized> fmt::Display for Summary<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(SUMMARY_LENGTH))
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets = Category::ALL.map(|category| (category, self.tasks(category)));
        f.debug_map()
            .entries(sets.into_iter().filter(|(_, tasks)| !tasks.is_empty()))
            .finish()
    }
}
