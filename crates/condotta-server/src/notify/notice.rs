//! What happened, with all that is told of it.

use condotta_mail::What;
use condotta_scheduler::Timestamp;

use crate::{attempt_id::AttemptId, expl};

/// How much is kept of an error, from its end, in bytes.
pub(super) const MOST_ERROR: usize = 16 << 10;

/// What can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A run failed, or its worker was lost.
    Failed,
    /// A task failed too often and is disabled.
    Disabled,
    /// A task is done.
    Done,
    /// A worker could not find out whether a task is complete, or what it requires.
    SchedulingFailed,
    /// A worker that ran something was silent for too long.
    WorkerLost,
    /// A task can never run as things are.
    DeadEnd,
    /// A worker cannot end a run that an operator wants ended.
    CancelRefused,
    /// Somebody tries whether a webhook works.
    Test,
}

impl NoticeKind {
    /// Those that a webhook can ask for.
    pub const ALL: [Self; 7] = [
        Self::Failed,
        Self::Disabled,
        Self::Done,
        Self::SchedulingFailed,
        Self::WorkerLost,
        Self::DeadEnd,
        Self::CancelRefused,
    ];

    /// Its name in the configuration and in what is sent.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Done => "done",
            Self::SchedulingFailed => "scheduling_failed",
            Self::WorkerLost => "worker_lost",
            Self::DeadEnd => "dead_end",
            Self::CancelRefused => "cancel_refused",
            Self::Test => "test",
        }
    }

    /// The kind of this name, unless it is a test.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Something that happened, for webhooks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub(super) kind: NoticeKind,
    /// Wall-clock.
    pub(super) at: Timestamp,
    pub(super) task: Option<TaskFacts>,
    pub(super) worker: Option<String>,
    /// In a sentence, without the error.
    pub(super) message: String,
    /// The end of the error text.
    pub(super) error: Option<String>,
}

/// What is told of a task: nothing that is not public.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TaskFacts {
    pub(super) id: String,
    /// `Family(name=value)`.
    pub(super) name: String,
    pub(super) family: String,
    /// Public parameters in name order.
    pub(super) params: Vec<(String, String)>,
    /// The current or last run.
    pub(super) attempt: Option<AttemptId>,
}

/// What goes into the next batch mail.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) what: What,
    /// The task's name.
    pub(super) name: String,
    pub(super) family: String,
    pub(super) unbatched_params: Vec<(String, String)>,
    pub(super) error: String,
    pub(super) owners: Vec<String>,
}

/// What the thread that sorts is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// For webhooks.
    Notice(Notice),
    /// For the next batch mail.
    Entry(Entry),
    /// For a mail at once.
    Disabled {
        task_id: String,
        failures: u64,
        window: f64,
        persist: f64,
    },
}

/// An error as text: workers send it as JSON. Only its end is kept.
pub(super) fn error_text(expl: Option<&str>) -> Option<String> {
    expl::decoded(expl?).map(|text| end(&text, MOST_ERROR).to_owned())
}

/// The end of a text, of at most so many bytes.
pub(super) fn end(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_the_text_in_the_json() {
        assert_eq!(error_text(Some("\"a\\nb\"")).as_deref(), Some("a\nb"));
        assert_eq!(error_text(Some("plain")).as_deref(), Some("plain"));
        assert_eq!(error_text(Some("null")), None);
        assert_eq!(error_text(None), None);
        let long = "ä".repeat(MOST_ERROR);
        assert_eq!(error_text(Some(&long)).map(|it| it.len()), Some(MOST_ERROR));
        assert_eq!(end("aä", 1), "");
    }
}
