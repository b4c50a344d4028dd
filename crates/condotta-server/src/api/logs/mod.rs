//! What attempts printed: taken from workers, and shown to people while it comes or later.

mod follow;
mod take;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    input::{Name, Query},
    openapi::Error,
};
use crate::{
    attempt_id::AttemptId,
    expl,
    http::{Server, error::HttpError},
    logs::{Logs, Reading, Scheduled, Selection, Shape, scheduled},
};

/// The most of a worker's words that stand in an answer that there is no output.
const EXPL_CHARS: usize = 20_000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(of_attempt))
        .routes(routes!(of_task))
        .routes(routes!(take::take))
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    /// What was printed, byte for byte; records have their level in front.
    Text,
    /// For each piece a line of JSON with `position`, `time`, `source`, `text`, and `level` and `logger` of
    /// records. Empty lines, which only say that the connection lives, may be between them.
    Json,
    /// The same as server-sent events.
    Events,
}

/// Which part is wanted, and how.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Part {
    /// How it is written; text, if the header Accept does not say otherwise.
    format: Option<Format>,
    /// Only what was printed after so many bytes: a `position`, or what `Condotta-Log-Next` said.
    offset: Option<u64>,
    /// Only so many lines at the end.
    tail: Option<usize>,
    /// No more than about so many bytes.
    limit: Option<usize>,
    /// Go on with what is printed, until the attempt has ended.
    #[serde(default)]
    follow: bool,
    /// Of which attempt of the task; of the newest one if it is not said.
    attempt: Option<u64>,
}

impl Part {
    fn shape(&self, headers: &HeaderMap) -> Shape {
        let accept = headers.get(header::ACCEPT);
        let accept = accept.and_then(|accept| accept.to_str().ok());
        match self.format {
            Some(Format::Text) => Shape::Text,
            Some(Format::Json) => Shape::Lines,
            Some(Format::Events) => Shape::Events,
            None if accept.is_some_and(|accept| accept.contains("text/event-stream")) => {
                Shape::Events
            }
            None if accept.is_some_and(|accept| accept.contains("json")) => Shape::Lines,
            None => Shape::Text,
        }
    }

    fn selection(&self, headers: &HeaderMap) -> Selection {
        let last = headers.get("last-event-id");
        let last = last.and_then(|last| last.to_str().ok()?.parse().ok());
        let position = last.or(self.offset);
        Selection {
            position: position.unwrap_or_default(),
            tail: self.tail.filter(|_| last.is_none()),
            limit: self.limit,
        }
    }
}

/// What an attempt printed: standard output, standard error and records of its log.
///
/// Kept are the beginning and the newest end of each attempt; in between, a note says how much was left
/// out. Workers of stock Luigi send nothing.
#[utoipa::path(
    get, path = "/attempts/{id}/log", tag = "attempts",
    params(("id" = String, Path, description = "The attempt's id"), Part),
    responses((status = 200, description = "The log", content((String = "text/plain"), (String = "application/x-ndjson"), (String = "text/event-stream"))))
)]
async fn of_attempt(
    State(server): State<Server>,
    Name(id): Name,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let id: AttemptId = id
        .parse()
        .map_err(|error| HttpError::bad_request("bad_attempt_id", format!("{error}")))?;
    show(&server, &id, None, &part, &headers).await
}

/// What the newest attempt of a task printed, or another one; see `/attempts/{id}/log`.
#[utoipa::path(
    get, path = "/tasks/{id}/log", tag = "tasks",
    params(("id" = String, Path, description = "The task's id"), Part),
    responses(
        (status = 200, description = "The log", content((String = "text/plain"), (String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = 409, description = "The task was not run yet", body = Error),
    )
)]
async fn of_task(
    State(server): State<Server>,
    Name(task_id): Name,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let known = scheduled(&server.handle, &task_id).await?;
    let is_known = known.is_some();
    let newest = known.filter(|known| part.attempt.is_none_or(|attempt| attempt == known.attempt));
    if let Some(newest) = newest {
        let Some(id) = newest.id() else {
            return Err(HttpError::new(
                StatusCode::CONFLICT,
                "not_run",
                format!(
                    "task {} did not run yet, so there is nothing that it printed",
                    short(&task_id)
                ),
            ));
        };
        return show(&server, &id, Some(newest), &part, &headers).await;
    }
    let id = match part.attempt {
        Some(attempt) => find(logs(&server)?, task_id.clone(), attempt).await?,
        None => None,
    };
    let id = id.ok_or_else(|| {
        let task = short(&task_id);
        HttpError::not_found(match part.attempt {
            Some(attempt) if is_known => format!(
                "nothing that attempt {attempt} of task {task} printed is kept, if there was one: \
                 `condotta history {task}` lists its attempts"
            ),
            Some(attempt) => format!(
                "there is no task {task}, and nothing that attempt {attempt} of it printed is kept"
            ),
            None => format!(
                "there is no task {task}; what it printed before it was dropped is asked for with the \
                 number of an attempt, `attempt`"
            ),
        })
    })?;
    show(&server, &id, None, &part, &headers).await
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn logs(server: &Server) -> Result<&Logs, HttpError> {
    server
        .logs
        .as_ref()
        .ok_or_else(|| HttpError::not_found("this server keeps no logs: [logs] enabled is false"))
}

async fn find(logs: &Logs, task_id: String, attempt: u64) -> Result<Option<AttemptId>, HttpError> {
    let store = logs.store.clone();
    let found = tokio::task::spawn_blocking(move || store.find(&task_id, attempt)).await;
    found
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> HttpError {
    HttpError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed",
        format!("the log cannot be read: {error}"),
    )
}

async fn show(
    server: &Server,
    id: &AttemptId,
    newest: Option<Scheduled>,
    part: &Part,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let logs = logs(server)?;
    let (shape, selection) = (part.shape(headers), part.selection(headers));
    let runs = match &newest {
        Some(newest) => newest.runs,
        None => follow::runs(server, logs, id).await,
    };
    if part.follow && runs {
        if newest.is_some_and(|newest| !newest.sends_logs) && !has_log(logs, id).await? {
            return Err(no_output(id, None, None));
        }
        return follow::start(server, logs, id, selection, shape);
    }
    let (store, of) = (logs.store.clone(), *id);
    let read = move || {
        let Some(stored) = store.read(&of)? else {
            return Ok(None);
        };
        let pieces = selection.of(stored.pieces);
        let begin = pieces
            .first()
            .map_or(selection.position, |piece| piece.position);
        let begin = match selection.tail {
            Some(_) => begin.max(selection.position),
            None => selection.position,
        };
        let mut reading = Reading::new(shape, begin);
        let mut out = Vec::new();
        reading.write(&pieces, &mut out);
        Ok::<_, std::io::Error>(Some((out, reading.next())))
    };
    let read = server.work.run(true, read).await;
    match read.map_err(|error| failed(&error))? {
        Some((text, next)) => Ok(whole(text, shape, next)),
        None if runs && newest.as_ref().is_none_or(|newest| newest.sends_logs) => {
            Ok(whole(Vec::new(), shape, 0))
        }
        None => {
            let said = match &newest {
                Some(newest) => newest.expl.as_deref().and_then(expl::decoded),
                None => error_of(server, id).await,
            };
            Err(no_output(id, newest.as_ref(), said.as_deref()))
        }
    }
}

/// What the worker said of the attempt's failure, if the history has it.
async fn error_of(server: &Server, id: &AttemptId) -> Option<String> {
    let found = server.history.as_ref()?.attempt(id).await;
    found.ok().flatten()?.error
}

async fn has_log(logs: &Logs, id: &AttemptId) -> Result<bool, HttpError> {
    let (store, id) = (logs.store.clone(), *id);
    let read = tokio::task::spawn_blocking(move || store.read(&id)).await;
    let read = read.map_err(|error| failed(&error))?;
    Ok(read.map_err(|error| failed(&error))?.is_some())
}

fn no_output(id: &AttemptId, newest: Option<&Scheduled>, said: Option<&str>) -> HttpError {
    let why = newest.map_or_else(
        || {
            format!(
                "nothing that attempt {id} printed is kept; it printed nothing, its worker does not send it \
                 (stock Luigi's do not), or it was removed"
            )
        },
        why_of,
    );
    let said = match said.unwrap_or_default().trim() {
        "" => String::new(),
        text => {
            let text: String = text.chars().take(EXPL_CHARS).collect();
            format!("\nWhat the worker said of its end:\n{text}")
        }
    };
    let message = format!("output not available: {why}{said}");
    HttpError::new(StatusCode::NOT_FOUND, "output_not_available", message)
}

/// Why a task's newest attempt has no output.
fn why_of(newest: &Scheduled) -> String {
    let worker = short(&newest.worker);
    if worker.is_empty() {
        // A worker that was lost has its runs no more.
        "the worker that ran it has gone, and nothing of what it printed was kept; workers of stock Luigi \
         send nothing, nor do those that were told to send none ([worker] send_logs)"
            .to_owned()
    } else if newest.sends_logs {
        format!("nothing was printed, it got lost, or it was removed (worker {worker})")
    } else {
        format!("worker {worker} is stock Luigi's, or was told to send none ([worker] send_logs)")
    }
}

fn content_type(shape: Shape) -> HeaderValue {
    HeaderValue::from_static(match shape {
        Shape::Text => "text/plain; charset=utf-8",
        Shape::Lines => "application/x-ndjson",
        Shape::Events => "text/event-stream",
    })
}

fn whole(text: Vec<u8>, shape: Shape, next: u64) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(shape));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("condotta-log-next", HeaderValue::from(next));
    response
}

#[cfg(test)]
mod tests {
    use condotta_scheduler::Timestamp;

    use super::*;

    #[test]
    fn what_is_not_there_is_explained_with_or_without_a_worker() {
        let explained = |worker: &str, sends_logs| {
            let known = Scheduled {
                task_id: "Load_1".to_owned(),
                attempt: 1,
                began: Timestamp(1e9),
                runs: false,
                worker: worker.to_owned(),
                sends_logs,
                expl: None,
            };
            let id = known.id().expect("it was run");
            no_output(&id, Some(&known), None).message().to_owned()
        };
        let lost = explained("", false);
        assert!(lost.contains("the worker that ran it has gone"), "{lost}");
        assert!(!lost.contains("worker  "), "{lost}");
        let stock = explained("w", false);
        assert!(stock.contains("worker w is stock Luigi's"), "{stock}");
        let ours = explained("w", true);
        assert!(ours.contains("nothing was printed"), "{ours}");
    }
}
