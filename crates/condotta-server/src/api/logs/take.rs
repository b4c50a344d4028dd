//! Workers send what their runs print.

use std::io::Read as _;

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use condotta_protocol::LogFrame;
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::logs;
use crate::{
    access::{Caller, Role},
    api::{answer::Answerer, input::read_query, openapi::Error},
    attempt_id::AttemptId,
    http::{Server, body, error::HttpError},
    logs::{AppendError, Header, Logs, RunningAttempt, current},
};

/// The most bytes of one request, as they are when they are unpacked.
const MOST_BYTES: u64 = 8 << 20;

/// Whose output it is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// The task.
    task_id: String,
    /// The worker that runs it.
    worker: String,
    /// The number of the attempt, if the worker knows it.
    attempt: Option<u64>,
    /// The attempt's id, once the worker knows it.
    id: Option<String>,
}

/// What is kept now.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// The attempt's id.
    id: String,
    /// The number of the last piece that is kept.
    last: u64,
}

/// Takes what a run printed, in numbered pieces; those that are kept already are passed over. For
/// condotta's own workers: the pieces are in a format of theirs, gzipped if the header says so.
#[utoipa::path(
    post, path = "/attempt-log", tag = "workers", params(Whose),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Taken),
        (status = 409, description = "The worker does not run that attempt", body = Error),
        (status = 410, description = "The attempt ended too long ago", body = Error),
    )
)]
pub(super) async fn take(
    State(server): State<Server>,
    caller: Caller,
    answerer: Answerer,
    request: Request,
) -> Result<Response, HttpError> {
    caller.require(Role::Worker)?;
    let whose: Whose = read_query(request.uri().query().unwrap_or_default())?;
    let logs = logs(&server)?;
    let (parts, body) = request.into_parts();
    let (bytes, share) = body::read(body, &server.config, &server.budget).await?;
    let attempt = attempt(&server, logs, &whose).await?;
    let header = Header {
        task_id: whose.task_id,
        attempt: attempt.attempt,
        worker: whose.worker,
    };
    let (store, id) = (logs.store.clone(), attempt.id);
    let take = move || {
        let frames = frames(&parts.headers, &bytes)?;
        store.append(&id, &header, frames).map_err(not_taken)
    };
    let taken = tokio::task::spawn_blocking(take).await;
    drop(share);
    let last = taken.map_err(|error| super::failed(&error))??;
    Ok(answerer.small(&Taken {
        id: attempt.id.to_string(),
        last,
    }))
}

/// The attempt that is meant, if the worker runs it or ran it a moment ago.
async fn attempt(server: &Server, logs: &Logs, whose: &Whose) -> Result<RunningAttempt, HttpError> {
    let id = whose.id.as_deref().map(str::parse::<AttemptId>).transpose();
    let id = id.map_err(|error| HttpError::bad_request("bad_attempt_id", error.to_string()))?;
    let find = || {
        let found = &logs.running;
        found.find(&whose.task_id, &whose.worker, whose.attempt, id.as_ref())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    // It may have begun before this server did.
    if current(&server.handle, &logs.running, &whose.task_id)
        .await
        .is_none()
    {
        return Err(HttpError::unavailable(
            "busy",
            "the scheduler cannot say now who runs the task; try again in a moment",
        ));
    }
    let found = match find() {
        Some(found) => Some(found),
        None => begun(logs, whose, id).await,
    };
    found.ok_or_else(|| {
        HttpError::new(
            StatusCode::CONFLICT,
            "not_running",
            "the worker does not run that attempt, as far as the scheduler knows",
        )
    })
}

/// An attempt whose log was begun by this worker, and which ended while the server was away.
async fn begun(logs: &Logs, whose: &Whose, id: Option<AttemptId>) -> Option<RunningAttempt> {
    let (store, id) = (logs.store.clone(), id?);
    let stored = tokio::task::spawn_blocking(move || store.read(&id)).await;
    let header = stored.ok()?.ok()??.header;
    let is_its = header.worker == whose.worker && header.task_id == whose.task_id;
    is_its.then_some(RunningAttempt {
        id,
        attempt: header.attempt,
        worker: header.worker.into(),
    })
}

fn frames(headers: &HeaderMap, bytes: &Bytes) -> Result<Vec<LogFrame>, HttpError> {
    let bad = |message: String| HttpError::bad_request("bad_body", message);
    let encoding = headers.get(header::CONTENT_ENCODING);
    let unpacked = match encoding.map(|encoding| encoding.to_str()) {
        None => None,
        Some(Ok("gzip")) => {
            let mut unpacked = Vec::new();
            GzDecoder::new(&**bytes)
                .take(MOST_BYTES + 1)
                .read_to_end(&mut unpacked)
                .map_err(|error| bad(format!("the body is not what gzip makes: {error}")))?;
            Some(unpacked)
        }
        Some(_) => return Err(bad("the body has an encoding other than gzip".to_owned())),
    };
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    if bytes.len() as u64 > MOST_BYTES {
        return Err(HttpError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body has more than {MOST_BYTES} bytes when it is unpacked"),
        ));
    }
    let (frames, taken) = LogFrame::read_all(bytes);
    if taken < bytes.len() {
        return Err(bad(format!("after {taken} bytes there is no whole piece")));
    }
    Ok(frames)
}

fn not_taken(error: AppendError) -> HttpError {
    match &error {
        AppendError::Closed => HttpError::new(StatusCode::GONE, "closed", error.to_string()),
        AppendError::Full | AppendError::Short => HttpError::unavailable("full", error.to_string()),
        AppendError::Disk(_) => HttpError::unavailable("disk", error.to_string()),
    }
}
