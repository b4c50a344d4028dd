//! `tasks/{id}/why`: what holds a task up.

use axum::{extract::State, response::Response};
use condotta_protocol::{Json, Object};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::no_task;
use crate::{
    api::{answer::Answerer, input::Name, shapes::TaskStatus},
    http::{Server, error::HttpError},
};

/// What holds a task up.
#[derive(Serialize, ToSchema)]
struct Why {
    /// The task.
    task_id: String,
    /// Its display name.
    name: String,
    /// Its status; nothing if nobody announced it.
    status: Option<TaskStatus>,
    /// Whether the scheduler is paused.
    paused: bool,
    /// The answer in sentences.
    text: String,
    /// The same in pieces: a text, a task (`task_id`, `name`), a `worker` or a `time`.
    words: Vec<Value>,
    /// The facts behind it; `kind` says which there are.
    #[schema(value_type = Object)]
    hold: Map<String, Value>,
}

/// Why a task does not run: the dependency, down to the root cause, the resource, worker, cooldown or
/// disabling that holds it up, in sentences and as facts.
#[utoipa::path(
    get, path = "/tasks/{id}/why", tag = "tasks",
    params(("id" = String, Path, description = "The task's id")),
    responses((status = 200, body = Why))
)]
pub(super) async fn why(
    State(server): State<Server>,
    Name(id): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let arguments = Object::new(vec![("task_id".to_owned(), Json::Text(id.clone()))]);
    let reply = server.handle.call("why", arguments).await?;
    let read = move || {
        let mut text = Vec::new();
        reply.write(&mut text);
        serde_json::from_slice(&text).expect("it was written as JSON")
    };
    let why: Value = server.work.run(true, read).await;
    if why.is_null() {
        return Err(no_task(&id));
    }
    Ok(answerer.large(why).await)
}
