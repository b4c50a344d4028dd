//! The end of a run that an operator wants: asking for it, and how it stands.

use axum::{extract::State, http::StatusCode, response::Response};
use condotta_scheduler::{Cancelling, Now, Refusal, Scheduler, Status};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Name, Query},
    openapi::Error,
};
use crate::{
    access::Operator,
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
};

/// After so many seconds without a word of the worker, people are told that there is none.
const SILENT_SECS: f64 = 10.0;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(cancel, cancelling))
}

/// Which run is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// End the run only if it is this attempt of the task.
    attempt: Option<u64>,
}

/// How it stands with the end of a run.
#[derive(Serialize, ToSchema)]
struct CancelState {
    /// The task; for a member of a batch that runs, the combined task.
    task_id: String,
    /// The number of its current or last attempt.
    attempt: u64,
    /// The worker of that attempt.
    worker: Option<String>,
    /// The task's status.
    status: String,
    /// Whether it runs, and its worker can end runs: stock Luigi's cannot.
    can_be_cancelled: bool,
    /// Whether the end of the run was asked for, and it has not ended.
    asked: bool,
    /// Who asked, or who had the last run ended if the task is disabled for that.
    by: Option<String>,
    /// When it was asked.
    at: Option<f64>,
    /// What the worker said to that.
    answer: Option<String>,
    /// Whether it said that it cannot: the run goes on.
    refused: bool,
    /// How it stands, in a sentence.
    note: String,
}

impl CancelState {
    fn new(state: Cancelling, now: Now) -> Self {
        let note = note(&state, now);
        let ask = state.ask.as_ref();
        Self {
            attempt: state.attempt,
            status: state.status.name().to_owned(),
            can_be_cancelled: state.can_be_cancelled,
            asked: ask.is_some_and(|ask| !ask.refused),
            refused: ask.is_some_and(|ask| ask.refused),
            by: ask.map(|ask| ask.by.clone()).or(state.cancelled_by),
            at: ask.map(|ask| ask.at.0),
            answer: state.ask.as_ref().and_then(|ask| ask.answer.clone()),
            task_id: state.task_id,
            worker: state.worker,
            note,
        }
    }
}

fn note(state: &Cancelling, now: Now) -> String {
    let worker = state.worker.as_deref().unwrap_or("nobody");
    let runs = matches!(state.status, Status::Running | Status::BatchRunning);
    match (&state.ask, &state.cancelled_by) {
        (Some(ask), _) => match &ask.answer {
            Some(answer) if ask.refused => {
                format!("worker {worker} cannot end the run, which goes on: {answer}")
            }
            Some(answer) => format!("worker {worker} says: {answer}"),
            None if now.wall.0 - ask.at.0 > SILENT_SECS => format!(
                "worker {worker} has not answered for {:.0} seconds; if it has gone, the task is disabled as \
                 soon as that is noticed",
                now.wall.0 - ask.at.0
            ),
            None => format!("worker {worker} is being told"),
        },
        (None, Some(by)) => format!(
            "the run was cancelled by {by}; the task is disabled until an operator enables it"
        ),
        (None, None) if runs && !state.can_be_cancelled => format!(
            "worker {worker} is stock Luigi's or an older one, and cannot end the run; end it on its machine"
        ),
        (None, None) => "nobody asked for the end of its run".to_owned(),
    }
}

/// Ends the run of a task: its worker ends the processes, and the task is disabled until an operator
/// enables it. To ask again changes nothing, but that the worker is told again. For operators.
///
/// The answer comes before the run has ended; the same address tells how it stands.
#[utoipa::path(
    post, path = "/tasks/{id}/cancel", tag = "tasks",
    params(("id" = String, Path, description = "The task's id"), Which),
    responses(
        (status = 200, body = CancelState),
        (status = 409, description = "It does not run, another attempt runs, or its worker cannot end runs", body = Error),
    )
)]
async fn cancel(
    State(server): State<Server>,
    operator: Operator,
    Name(id): Name,
    Query(which): Query<Which>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let by = operator.0.in_words().to_owned();
    let asked = id.clone();
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let before = scheduler.cancelling(&asked).and_then(|state| state.ask);
        let already = before
            .filter(|ask| !ask.refused)
            .map(|ask| format!("{} asked for it already", ask.by));
        Ok(
            match scheduler.cancel_task(now, &asked, which.attempt, &by) {
                Ok(state) => json!({"state": CancelState::new(state, now), "already": already}),
                Err(refusal) => json!({"code": code(&refusal), "message": refusal.to_string()}),
            },
        )
    };
    let done = server.handle.act("cancelling a run", act).await?;
    match (done["code"].as_str(), done["message"].as_str()) {
        (Some(code), Some(message)) => Err(refused(code, message)),
        _ => {
            let details = json!({"attempt": done["state"]["attempt"]});
            let deed = Deed::new(Operation::Cancel).on(id).with(details);
            let deed = deed.unless_unchanged(done["already"].as_str());
            operator.did(&server, deed).await;
            Ok(answerer.small(&done["state"]))
        }
    }
}

/// For programs.
fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotRunning { status: None, .. } => "not_found",
        Refusal::NotRunning { .. } => "not_running",
        Refusal::OtherAttempt { .. } => "other_attempt",
        Refusal::CannotCancel { .. } => "cannot_cancel",
        _ => "refused",
    }
}

fn refused(code: &str, message: &str) -> HttpError {
    match code {
        "not_found" => HttpError::not_found(message),
        "not_running" => HttpError::new(StatusCode::CONFLICT, "not_running", message),
        "other_attempt" => HttpError::new(StatusCode::CONFLICT, "other_attempt", message),
        "cannot_cancel" => HttpError::new(StatusCode::CONFLICT, "cannot_cancel", message),
        _ => HttpError::bad_request("refused", message),
    }
}

/// How it stands with the end of a task's run.
#[utoipa::path(
    get, path = "/tasks/{id}/cancel", tag = "tasks",
    params(("id" = String, Path, description = "The task's id")),
    responses((status = 200, body = CancelState))
)]
async fn cancelling(
    State(server): State<Server>,
    Name(id): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let asked = id.clone();
    let look = server.handle.look(move |scheduler, now| {
        let state = scheduler.cancelling(&asked);
        state.map(|state| CancelState::new(state, now))
    });
    let state = look.await?;
    let state = state.ok_or_else(|| {
        let id: String = id.chars().take(200).collect();
        HttpError::not_found(format!("the scheduler knows no task {id}"))
    })?;
    Ok(answerer.small(&state))
}
