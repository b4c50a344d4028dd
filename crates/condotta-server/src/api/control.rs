//! What operators do to the scheduler and to workers: pause, prune, disable, change processes.

use axum::{extract::State, http::StatusCode, response::Response};
use condotta_scheduler::{Now, Scheduler, WorkerState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Json, Name},
    openapi::Error,
    workers::no_worker,
};
use crate::{
    access::Operator,
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
};

/// The most processes of a worker.
const MOST_PROCESSES: u64 = 10_000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(pause))
        .routes(routes!(unpause))
        .routes(routes!(prune))
        .routes(routes!(disable_worker))
        .routes(routes!(set_processes))
}

/// Whether anything is handed out.
#[derive(Serialize, ToSchema)]
struct PauseOutcome {
    /// Whether nothing is handed out now.
    paused: bool,
    /// Whether that changed.
    changed: bool,
}

/// Hands nothing out until `unpause`; what runs goes on. For operators.
#[utoipa::path(post, path = "/pause", tag = "scheduler", responses(
    (status = 200, body = PauseOutcome),
    (status = 409, description = "Pausing is switched off", body = Error),
))]
async fn pause(
    State(server): State<Server>,
    operator: Operator,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    set_paused(&server, &operator, true, answerer).await
}

/// Hands work out again. For operators.
#[utoipa::path(post, path = "/unpause", tag = "scheduler", responses(
    (status = 200, body = PauseOutcome),
    (status = 409, description = "Pausing is switched off", body = Error),
))]
async fn unpause(
    State(server): State<Server>,
    operator: Operator,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    set_paused(&server, &operator, false, answerer).await
}

async fn set_paused(
    server: &Server,
    operator: &Operator,
    paused: bool,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let before = scheduler.is_paused();
        if paused {
            scheduler.pause(now)?;
        } else {
            scheduler.unpause(now)?;
        }
        let after = scheduler.is_paused();
        Ok(json!({"paused": after, "changed": before != after}))
    };
    let done = server.handle.act("pausing", act).await?;
    if done["paused"] != paused {
        return Err(HttpError::new(
            StatusCode::CONFLICT,
            "pause_off",
            "pausing is switched off: set pause_enabled in section [scheduler] to true",
        ));
    }
    let operation = if paused {
        Operation::Pause
    } else {
        Operation::Unpause
    };
    let already = if paused {
        "it is paused already"
    } else {
        "it is not paused"
    };
    let changed = done["changed"] == true;
    let deed = Deed::new(operation).unless_unchanged((!changed).then_some(already));
    operator.did(server, deed).await;
    Ok(answerer.small(&done))
}

/// What was due.
#[derive(Serialize, ToSchema)]
struct PruneOutcome {
    /// How many tasks there were.
    before: u64,
    /// How many there are now.
    after: u64,
}

/// Does at once what is due: drops lost workers and unwanted tasks, and looks for dead ends. The server
/// does so by itself, too. For operators.
#[utoipa::path(post, path = "/prune", tag = "scheduler", responses((status = 200, body = PruneOutcome)))]
async fn prune(
    State(server): State<Server>,
    operator: Operator,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let act = |scheduler: &mut Scheduler, now: Now| {
        let before = scheduler.task_count();
        scheduler.prune(now);
        Ok(json!({"before": before, "after": scheduler.task_count()}))
    };
    let done = server.handle.act("pruning", act).await?;
    operator.did(&server, Deed::new(Operation::Prune)).await;
    Ok(answerer.small(&done))
}

/// What became of a worker.
#[derive(Serialize, ToSchema)]
struct WorkerOutcome {
    /// The worker.
    worker: String,
    /// Whether that changed anything.
    changed: bool,
}

/// Gives a worker no more work: it finishes what it runs, and goes. For operators.
#[utoipa::path(
    post, path = "/workers/{id}/disable", tag = "workers",
    params(("id" = String, Path, description = "The worker's id")),
    responses((status = 200, body = WorkerOutcome))
)]
async fn disable_worker(
    State(server): State<Server>,
    operator: Operator,
    Name(id): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let worker = id.clone();
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let Some(known) = scheduler.shown_worker(&worker) else {
            return Ok(serde_json::Value::Null);
        };
        let changed = known.view().state == WorkerState::Active;
        scheduler.disable_worker(now, &worker)?;
        Ok(json!({"worker": worker, "changed": changed}))
    };
    let done = server.handle.act("disabling a worker", act).await?;
    if done.is_null() {
        return Err(no_worker(&id));
    }
    let changed = done["changed"] == true;
    let deed = Deed::new(Operation::DisableWorker)
        .on(id)
        .unless_unchanged((!changed).then_some("it is disabled already"));
    operator.did(&server, deed).await;
    Ok(answerer.small(&done))
}

/// How many processes a worker is to have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Processes {
    /// The number of processes.
    #[schema(minimum = 1, maximum = 10_000)]
    n: u64,
}

/// Has a worker change the number of its processes. It hears of that with its next ping. For operators.
#[utoipa::path(
    post, path = "/workers/{id}/processes", tag = "workers",
    params(("id" = String, Path, description = "The worker's id")),
    request_body = Processes,
    responses((status = 200, body = WorkerOutcome))
)]
async fn set_processes(
    State(server): State<Server>,
    operator: Operator,
    Name(id): Name,
    answerer: Answerer,
    Json(Processes { n }): Json<Processes>,
) -> Result<Response, HttpError> {
    if !(1..=MOST_PROCESSES).contains(&n) {
        let message = format!("`n` is {n}: give a whole number from 1 to {MOST_PROCESSES}");
        return Err(HttpError::bad_request("bad_body", message));
    }
    let worker = id.clone();
    let act = move |scheduler: &mut Scheduler, now: Now| {
        if scheduler.shown_worker(&worker).is_none() {
            return Ok(serde_json::Value::Null);
        }
        scheduler.set_worker_processes(now, &worker, n)?;
        Ok(json!({"worker": worker, "changed": true}))
    };
    let done = server
        .handle
        .act("changing a worker's processes", act)
        .await?;
    if done.is_null() {
        return Err(no_worker(&id));
    }
    let deed = Deed::new(Operation::SetProcesses).on(id);
    operator.did(&server, deed.with(json!({"n": n}))).await;
    Ok(answerer.small(&done))
}
