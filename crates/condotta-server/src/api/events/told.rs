//! The events of the stream: their kinds, and what is said of each.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::api::shapes::{Counts, TaskStatus};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    /// A task's status changed, or the task is new or gone.
    Status,
    /// A run said how far it is, or what it does.
    Progress,
    /// A task failed too often, can never run, or has a run that its worker cannot end.
    Trouble,
    /// A worker came, went, was lost or was disabled.
    Worker,
    /// A resource has another limit.
    Limit,
    /// The scheduler was paused or goes on.
    Paused,
    /// How many tasks there are of each status; at most twice a second.
    Counts,
    /// The stream begins.
    Hello,
    /// Events are missing here: what was fetched may be out of date.
    Reset,
}

impl EventKind {
    /// The word on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Progress => "progress",
            Self::Trouble => "trouble",
            Self::Worker => "worker",
            Self::Limit => "limit",
            Self::Paused => "paused",
            Self::Counts => "counts",
            Self::Hello => "hello",
            Self::Reset => "reset",
        }
    }
}

/// A change, and the task that it is about.
pub(super) struct Told {
    /// The task and its family, if it is about one. Tasks that are gone have no family.
    pub(super) task: Option<(Box<str>, Option<Arc<str>>)>,
    pub(super) what: What,
}

impl Told {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let of_task = self.task.as_ref().map_or(0, |(id, family)| {
            id.len() + family.as_ref().map_or(0, |family| family.len())
        });
        let of_what = match &self.what {
            What::Status { worker, .. } => worker.as_ref().map_or(0, |worker| worker.len()),
            What::Progress { status_message, .. } => status_message.as_ref().map_or(0, String::len),
            What::Trouble { reason, .. } => reason.len(),
            What::Worker { worker, .. } => worker.len(),
            What::Limit { resource, .. } => resource.len(),
            What::Paused { .. } | What::Counts { .. } | What::Reset { .. } => 0,
        };
        size_of::<Self>() + of_task + of_what
    }
}

/// What is said of a change. Times are seconds since 1970.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum What {
    Status {
        at: f64,
        from: Option<TaskStatus>,
        to: Option<TaskStatus>,
        #[serde(serialize_with = "text")]
        worker: Option<Arc<str>>,
        attempt: u64,
        /// When the attempt began.
        started: Option<f64>,
    },
    Progress {
        at: f64,
        progress: Option<f64>,
        status_message: Option<String>,
    },
    Trouble {
        at: f64,
        trouble: Trouble,
        reason: String,
    },
    Worker {
        at: f64,
        worker: String,
        change: WorkerChange,
    },
    Limit {
        at: f64,
        resource: String,
        limit: u64,
    },
    Paused {
        at: f64,
        paused: bool,
    },
    Counts {
        at: f64,
        counts: Counts,
    },
    /// Nothing of what was told before can be relied on.
    Reset {
        reason: &'static str,
    },
}

/// Serde writes no `Arc` by itself.
#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trouble {
    Disabled,
    DeadEnd,
    CancelRefused,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WorkerChange {
    Attached,
    Lost,
    Released,
    Disabled,
}

impl What {
    pub(super) const fn kind(&self) -> EventKind {
        match self {
            Self::Status { .. } => EventKind::Status,
            Self::Progress { .. } => EventKind::Progress,
            Self::Trouble { .. } => EventKind::Trouble,
            Self::Worker { .. } => EventKind::Worker,
            Self::Limit { .. } => EventKind::Limit,
            Self::Paused { .. } => EventKind::Paused,
            Self::Counts { .. } => EventKind::Counts,
            Self::Reset { .. } => EventKind::Reset,
        }
    }
}
