//! What operators do to tasks: to one of them, or to many at once. Each may be repeated: what is so
//! already stays so, and the answer says what changed.

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use condotta_protocol::RpcError;
use condotta_scheduler::{Now, Scheduler, Status};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::no_task;
use crate::{
    access::Operator,
    api::{answer::Answerer, input::Name, shapes::TaskStatus},
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
};

/// What is done to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    /// A failed task is tried again at once; its failures still count.
    Forgive,
    /// A task that failed too often is failed again, and tried again after the retry delay; one that an
    /// operator disabled is pending again.
    ReEnable,
    /// A running, failed or disabled task counts as done.
    Done,
    /// A task that neither runs nor is done is disabled, until it is enabled.
    Disable,
}

impl Action {
    /// When it has an effect.
    const fn needs(self) -> &'static str {
        match self {
            Self::Forgive => "only failed tasks can be forgiven",
            Self::ReEnable => {
                "only tasks that are disabled because they failed too often, or by an operator, can be enabled"
            }
            Self::Done => "only running, failed and disabled tasks can be marked as done",
            Self::Disable => "only tasks that neither run nor are done can be disabled",
        }
    }

    /// Why a task of this status stayed as it was.
    fn note(self, status: Status) -> String {
        match (self, status) {
            (Self::Disable, Status::Disabled) => {
                "it is DISABLED already, and stays so until it is enabled".to_owned()
            }
            _ => format!("it is {}: {}", status.name(), self.needs()),
        }
    }

    /// What it is in the audit trail.
    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::Forgive => Operation::Forgive,
            Self::ReEnable => Operation::ReEnable,
            Self::Done => Operation::Done,
            Self::Disable => Operation::Disable,
        }
    }

    fn put(self, scheduler: &mut Scheduler, now: Now, id: &str) -> Result<(), RpcError> {
        match self {
            Self::Forgive => scheduler.forgive_failures(now, id).map(drop)?,
            Self::ReEnable => scheduler.re_enable_task(now, id).map(drop)?,
            Self::Done => scheduler.mark_as_done(now, id).map(drop)?,
            Self::Disable => scheduler.disable_task(now, id).map(drop)?,
        }
        Ok(())
    }

    /// Does it; nothing if there is no such task.
    pub(super) fn apply(
        self,
        scheduler: &mut Scheduler,
        now: Now,
        id: &str,
    ) -> Result<Option<ActionOutcome>, RpcError> {
        let Some(before) = status(scheduler, id) else {
            return Ok(None);
        };
        self.put(scheduler, now, id)?;
        let after = status(scheduler, id).unwrap_or(before);
        let changed = before != after;
        Ok(Some(ActionOutcome {
            task_id: id.to_owned(),
            before: before.into(),
            after: after.into(),
            changed,
            note: (!changed).then(|| self.note(after)),
        }))
    }
}

fn status(scheduler: &Scheduler, id: &str) -> Option<Status> {
    scheduler.shown_task(id).map(|task| task.status())
}

/// What became of a task.
#[derive(Serialize, ToSchema)]
pub(super) struct ActionOutcome {
    /// The task.
    task_id: String,
    /// Its status before.
    before: TaskStatus,
    /// Its status now.
    after: TaskStatus,
    /// Whether that changed anything.
    pub(super) changed: bool,
    /// Why nothing changed.
    pub(super) note: Option<String>,
}

impl ActionOutcome {
    /// What the audit trail has of it.
    pub(super) fn noted(&self, deed: Deed) -> Deed {
        let details = json!({"before": self.before, "after": self.after});
        deed.with(details).unless_unchanged(self.note.as_deref())
    }
}

/// Tries a failed task again at once. For operators.
#[utoipa::path(post, path = "/tasks/{id}/forgive", tag = "tasks", params(("id" = String, Path, description = "The task's id")), responses((status = 200, body = ActionOutcome)))]
pub(super) async fn forgive(asked: Asked) -> Result<Response, HttpError> {
    asked.done(Action::Forgive).await
}

/// Enables a task that was disabled because it failed too often, or by an operator. For operators.
///
/// In the first case it is failed then, as in Luigi, and tried again after the retry delay, or when it
/// is forgiven; in the other it is pending.
#[utoipa::path(post, path = "/tasks/{id}/re-enable", tag = "tasks", params(("id" = String, Path, description = "The task's id")), responses((status = 200, body = ActionOutcome)))]
pub(super) async fn re_enable(asked: Asked) -> Result<Response, HttpError> {
    asked.done(Action::ReEnable).await
}

/// Takes a running, failed or disabled task for done. For operators.
#[utoipa::path(post, path = "/tasks/{id}/done", tag = "tasks", params(("id" = String, Path, description = "The task's id")), responses((status = 200, body = ActionOutcome)))]
pub(super) async fn done(asked: Asked) -> Result<Response, HttpError> {
    asked.done(Action::Done).await
}

/// Disables a task that does not run. For operators.
///
/// It stays so until it is enabled by `re-enable`, or is found complete.
#[utoipa::path(post, path = "/tasks/{id}/disable", tag = "tasks", params(("id" = String, Path, description = "The task's id")), responses((status = 200, body = ActionOutcome)))]
pub(super) async fn disable(asked: Asked) -> Result<Response, HttpError> {
    asked.done(Action::Disable).await
}

/// A request about one task; an extractor.
pub(super) struct Asked {
    server: Server,
    operator: Operator,
    name: Name,
    answerer: Answerer,
}

impl FromRequestParts<Server> for Asked {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, HttpError> {
        let answerer = Answerer::from_request_parts(parts, server).await;
        Ok(Self {
            server: server.clone(),
            operator: Operator::from_request_parts(parts, server).await?,
            name: Name::from_request_parts(parts, server).await?,
            answerer: answerer.unwrap_or_else(|never| match never {}),
        })
    }
}

impl Asked {
    async fn done(self, action: Action) -> Result<Response, HttpError> {
        let Name(id) = self.name;
        let asked = id.clone();
        let (told, hear) = std::sync::mpsc::channel();
        let act = move |scheduler: &mut Scheduler, now: Now| {
            let _ = told.send(action.apply(scheduler, now, &asked)?);
            Ok(serde_json::Value::Null)
        };
        self.server.handle.act("an operator's action", act).await?;
        let Ok(Some(outcome)) = hear.try_recv() else {
            return Err(no_task(&id));
        };
        let deed = outcome.noted(Deed::new(action.operation()).on(id));
        self.operator.did(&self.server, deed).await;
        Ok(self.answerer.small(&outcome))
    }
}
