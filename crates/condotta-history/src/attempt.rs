//! What is kept of an attempt, as it is told and as it is read.

use std::{collections::BTreeMap, sync::Arc};

use condotta_scheduler::{AttemptEnd, Timestamp};

use crate::attempt_id::AttemptId;

/// How an attempt ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// The task is complete.
    Done,
    /// The worker reported a failure.
    Failed,
    /// The worker was silent for too long.
    Lost,
    /// The task asked for further tasks, and starts again when they are complete.
    Suspended,
    /// The worker gave the task back.
    Returned,
    /// An operator took the task for done while it ran.
    MarkedDone,
    /// It took longer than it may.
    TimedOut,
    /// Somebody stopped it.
    Cancelled,
    /// It ended while nobody wrote the history, and how is not known.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Lost,
        Self::Suspended,
        Self::Returned,
        Self::MarkedDone,
        Self::TimedOut,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The name in answers, such as `timed_out`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Suspended => "suspended",
            Self::Returned => "returned",
            Self::MarkedDone => "marked_done",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// The number under which it is stored. It never changes.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Running => 0,
            Self::Done => 1,
            Self::Failed => 2,
            Self::Lost => 3,
            Self::Suspended => 4,
            Self::Returned => 5,
            Self::MarkedDone => 6,
            Self::TimedOut => 7,
            Self::Cancelled => 8,
            Self::Unknown => 9,
        }
    }

    pub(crate) fn from_code(code: i64) -> Self {
        let known = Self::ALL.into_iter().find(|outcome| outcome.code() == code);
        known.unwrap_or(Self::Unknown)
    }

    /// What the scheduler and the worker's text say of the end.
    #[must_use]
    pub fn of(end: AttemptEnd, error: Option<&str>) -> Self {
        match end {
            AttemptEnd::Done => Self::Done,
            AttemptEnd::Failed if error.is_some_and(is_time_out) => Self::TimedOut,
            AttemptEnd::Failed => Self::Failed,
            AttemptEnd::Lost => Self::Lost,
            AttemptEnd::Suspended => Self::Suspended,
            AttemptEnd::Returned => Self::Returned,
            AttemptEnd::MarkedDone => Self::MarkedDone,
            AttemptEnd::Cancelled => Self::Cancelled,
        }
    }
}

/// What Luigi's workers and ours say of a task that took too long.
fn is_time_out(error: &str) -> bool {
    let sentence = error.trim_start().strip_prefix("Task ");
    let rest = sentence.and_then(|text| text.split_once(" timed out after "));
    rest.is_some_and(|(_, rest)| rest.contains(" seconds and was terminated."))
}

/// An attempt that began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Began {
    /// When it was handed out.
    pub began: Timestamp,
    /// The task.
    pub task_id: String,
    /// The task's family. This and other names that come again and again may be shared.
    pub family: Arc<str>,
    /// Where the task's code is.
    pub module: Option<Arc<str>>,
    /// Public parameters in name order.
    pub params: Vec<(String, String)>,
    /// Hidden parameters in name order. Private ones never come here.
    pub hidden_params: Vec<(String, String)>,
    /// The task's attempts are numbered.
    pub attempt: u64,
    /// Who runs it.
    pub worker: Option<Arc<str>>,
    /// Where.
    pub host: Option<Arc<str>>,
    /// When the task was announced first.
    pub scheduled: Option<Timestamp>,
    /// Since when nothing but resources and workers kept it from running.
    pub ready: Option<Timestamp>,
    /// The task's priority.
    pub priority: f64,
    /// What the run takes.
    pub resources: BTreeMap<String, u64>,
    /// The batch in which it runs.
    pub batch_id: Option<String>,
}

impl Began {
    /// The attempt's name.
    #[must_use]
    pub fn id(&self) -> AttemptId {
        AttemptId::new(&self.task_id, self.attempt, self.began)
    }
}

/// An attempt that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The attempt.
    pub id: AttemptId,
    /// When, as far as it is known.
    pub ended: Option<Timestamp>,
    /// How.
    pub outcome: Outcome,
    /// What the worker said of its failure.
    pub error: Option<String>,
}

/// How things are when somebody begins to tell what happens, or tells again after a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// What runs.
    pub running: Vec<Began>,
    /// What ended a short time before, and may not have been told.
    pub ended: Vec<(Began, Ended)>,
}

/// Something for the history.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An attempt began.
    Began(Box<Began>),
    /// An attempt counts as begun at another time, and so has another name.
    Renamed {
        /// Its name until now.
        from: AttemptId,
        /// Its name from now on.
        to: AttemptId,
    },
    /// An attempt ended.
    Ended(Ended),
    /// What a worker measured of an attempt.
    Statistics {
        /// The attempt.
        id: AttemptId,
        /// JSON text.
        statistics: String,
    },
    /// How things are: what else counts as running in the history does not run.
    Standing(Box<Standing>),
}

impl Entry {
    /// About how many bytes it takes while it waits to be written.
    pub(crate) fn size(&self) -> usize {
        const SELF: usize = 200;
        match self {
            Self::Began(began) => SELF + size_of_began(began),
            Self::Renamed { .. } => SELF,
            Self::Ended(ended) => SELF + ended.error.as_ref().map_or(0, String::len),
            Self::Statistics { statistics, .. } => SELF + statistics.len(),
            Self::Standing(standing) => {
                let running: usize = standing.running.iter().map(size_of_began).sum();
                let ended = standing.ended.iter();
                let ended: usize = ended.map(|(began, _)| size_of_began(began)).sum();
                SELF + running + ended
            }
        }
    }
}

fn size_of_began(began: &Began) -> usize {
    let params = began.params.iter().chain(&began.hidden_params);
    let params: usize = params
        .map(|(name, value)| name.len() + value.len() + 48)
        .sum();
    let shared = [&began.worker, &began.host, &began.module];
    let shared: usize = shared
        .iter()
        .map(|text| text.as_ref().map_or(0, |text| text.len()))
        .sum();
    let texts = began.task_id.len() + began.batch_id.as_ref().map_or(0, String::len);
    size_of::<Began>() + texts + began.family.len() + params + shared
}

/// An attempt as the history has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// What is known since it began. The module is the one last told of its family, until the attempt is packed.
    pub began: Began,
    /// When it ended, if it has and that is known.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the worker said of its failure, as a text.
    pub error: Option<String>,
    /// What the worker measured: JSON text.
    pub statistics: Option<String>,
}

impl Attempt {
    /// How long it took, in seconds.
    #[must_use]
    pub fn secs(&self) -> Option<f64> {
        Some(self.ended?.since(self.began.began))
    }

    /// How long it waited for resources and a worker, in seconds.
    #[must_use]
    pub fn waited_secs(&self) -> Option<f64> {
        Some(self.began.began.since(self.began.ready?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_by_name_and_stored_by_number() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
            assert_eq!(Outcome::from_code(outcome.code()), outcome);
        }
        assert_eq!(Outcome::from_name("DONE"), None);
        assert_eq!(Outcome::from_code(77), Outcome::Unknown);
    }

    #[test]
    fn a_time_out_is_told_from_other_failures_by_its_sentence() {
        let text = "Task A_1 timed out after 3 seconds and was terminated.";
        assert_eq!(
            Outcome::of(AttemptEnd::Failed, Some(text)),
            Outcome::TimedOut
        );
        let other = "the request timed out after 3 seconds";
        assert_eq!(
            Outcome::of(AttemptEnd::Failed, Some(other)),
            Outcome::Failed
        );
        assert_eq!(Outcome::of(AttemptEnd::Lost, None), Outcome::Lost);
    }
}
