//! Messages to running tasks, and what they answer.

use axum::{extract::State, http::StatusCode, response::Response};
use condotta_scheduler::{Now, Scheduler, Status};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::no_task;
use crate::{
    access::Operator,
    api::{
        answer::Answerer,
        input::{Json, Name, Names},
        openapi::Error,
    },
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
};

/// A message to a task.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    /// The text.
    content: String,
}

/// A message on its way.
#[derive(Serialize, ToSchema)]
struct MessageSent {
    /// The task.
    task_id: String,
    /// The message's id, under which its answer is found.
    message_id: String,
    /// The worker that will fetch it.
    worker: String,
}

/// Why a task cannot be sent a message.
enum Unsent {
    NoTask,
    Off,
    NotRunning(Status),
    NotRead,
}

/// Sends a message to a running task. For operators.
///
/// Its worker fetches it with its next ping. A message that is sent twice arrives twice.
#[utoipa::path(
    post, path = "/tasks/{id}/messages", tag = "tasks",
    params(("id" = String, Path, description = "The task's id")),
    request_body = Message,
    responses(
        (status = 200, body = MessageSent),
        (status = 409, description = "The task does not run, or reads no messages", body = Error),
    )
)]
pub(super) async fn send(
    State(server): State<Server>,
    operator: Operator,
    Name(id): Name,
    answerer: Answerer,
    Json(Message { content }): Json<Message>,
) -> Result<Response, HttpError> {
    let task_id = id.clone();
    let (told, hear) = std::sync::mpsc::channel();
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let sent = match reader(scheduler, &task_id) {
            Ok(worker) => scheduler
                .send_scheduler_message(now, &worker, &task_id, content)?
                .map(|message_id| MessageSent {
                    task_id,
                    message_id,
                    worker,
                })
                .ok_or(Unsent::Off),
            Err(unsent) => Err(unsent),
        };
        let _ = told.send(sent);
        Ok(serde_json::Value::Null)
    };
    server.handle.act("sending a message", act).await?;
    match hear.try_recv() {
        Ok(Ok(sent)) => {
            let details = json!({"worker": sent.worker});
            let deed = Deed::new(Operation::SendMessage).on(id).with(details);
            operator.did(&server, deed).await;
            Ok(answerer.small(&sent))
        }
        Ok(Err(unsent)) => Err(unsent.explained(&id)),
        Err(_) => Err(no_task(&id)),
    }
}

/// The worker that runs a task which reads messages.
fn reader(scheduler: &Scheduler, task_id: &str) -> Result<String, Unsent> {
    let task = scheduler.shown_task(task_id).ok_or(Unsent::NoTask)?;
    if !scheduler.config().send_messages {
        return Err(Unsent::Off);
    }
    let worker = task
        .worker_running()
        .filter(|_| task.status() == Status::Running);
    let worker = worker.ok_or(Unsent::NotRunning(task.status()))?;
    match task.accepts_messages() {
        Some(true) => Ok(worker.to_owned()),
        _ => Err(Unsent::NotRead),
    }
}

impl Unsent {
    fn explained(self, id: &str) -> HttpError {
        let conflict = |code, message: String| HttpError::new(StatusCode::CONFLICT, code, message);
        match self {
            Self::NoTask => no_task(id),
            Self::Off => conflict(
                "messages_off",
                "messages are switched off: set send_messages in section [scheduler] to true"
                    .to_owned(),
            ),
            Self::NotRunning(status) => conflict(
                "not_running",
                format!(
                    "the task is {}: only running tasks are sent messages",
                    status.name()
                ),
            ),
            Self::NotRead => conflict(
                "reads_no_messages",
                "the task does not read messages: its class has to set accepts_messages".to_owned(),
            ),
        }
    }
}

/// A message's answer.
#[derive(Serialize, ToSchema)]
struct MessageAnswer {
    /// The task.
    task_id: String,
    /// The message.
    message_id: String,
    /// What the task answered; nothing as long as it has not.
    response: Option<String>,
}

/// What a task answered to a message. It can be read again until the task is dropped, or until
/// somebody fetches it with Luigi's method.
#[utoipa::path(
    get, path = "/tasks/{id}/messages/{message_id}", tag = "tasks",
    params(
        ("id" = String, Path, description = "The task's id"),
        ("message_id" = String, Path, description = "The message's id, as the answer to sending it says"),
    ),
    responses((status = 200, body = MessageAnswer))
)]
pub(super) async fn response(
    State(server): State<Server>,
    Names((id, message_id)): Names<(String, String)>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let (task_id, message) = (id.clone(), message_id.clone());
    let look = move |scheduler: &Scheduler, _: Now| {
        let task = scheduler.shown_task(&task_id)?;
        Some(task.response(&message).map(str::to_owned))
    };
    let response = server.handle.look(look).await?;
    let answer = MessageAnswer {
        response: response.ok_or_else(|| no_task(&id))?,
        task_id: id,
        message_id,
    };
    Ok(answerer.large(answer).await)
}
