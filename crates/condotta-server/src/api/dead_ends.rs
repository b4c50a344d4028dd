//! `dead-ends`: tasks that can never run as things are, and why.

use axum::{extract::State, response::Response};
use condotta_scheduler::{DeadEnd, Neighbour, Scheduler};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::Query,
    page,
    shapes::{TaskLink, cut_to},
};
use crate::http::{Server, error::HttpError};

/// How much of a reason is shown, in characters.
const LONGEST_REASON: usize = 2000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(dead_ends))
}

/// Which page.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DeadEndsQuery {
    /// The most items in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// How many items are left out before those.
    #[param(maximum = 10_000_000)]
    offset: Option<u64>,
}

/// A page of dead ends.
#[derive(Serialize, ToSchema)]
struct DeadEnds {
    /// The dead ends on this page.
    items: Vec<Stuck>,
    /// How many there are on all pages.
    total: usize,
}

/// A task that can never run.
#[derive(Serialize, ToSchema)]
struct Stuck {
    /// The task.
    task: TaskLink,
    /// What kind of reason it is.
    kind: DeadEndKind,
    /// The reason, in words that go on from "the task can never run:".
    reason: String,
}

/// Why a task can never run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeadEndKind {
    /// It waits for itself.
    Cycle,
    /// Something depends on it, but nobody announced it.
    NeverAnnounced,
    /// It needs more of a resource than there is.
    NeedAboveLimit,
}

/// Tasks that can never run as things are, and why.
#[utoipa::path(get, path = "/dead-ends", tag = "tasks", params(DeadEndsQuery), responses((status = 200, body = DeadEnds)))]
async fn dead_ends(
    State(server): State<Server>,
    Query(query): Query<DeadEndsQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let (limit, offset) = (page::limit(query.limit)?, page::offset(query.offset)?);
    let look = move |scheduler: &Scheduler, _| DeadEnds {
        items: scheduler
            .shown_dead_ends()
            .skip(offset)
            .take(limit)
            .map(stuck)
            .collect(),
        total: scheduler.dead_end_count(),
    };
    Ok(answerer.large(server.handle.look(look).await?).await)
}

fn stuck((task, reason): (Neighbour<'_>, &DeadEnd)) -> Stuck {
    Stuck {
        task: TaskLink::new(task),
        kind: match reason {
            DeadEnd::Cycle(_) => DeadEndKind::Cycle,
            DeadEnd::NeverAnnounced => DeadEndKind::NeverAnnounced,
            DeadEnd::NeedAboveLimit { .. } => DeadEndKind::NeedAboveLimit,
        },
        reason: cut_to(&reason.to_string(), LONGEST_REASON).into_owned(),
    }
}
