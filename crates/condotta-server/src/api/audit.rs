//! `audit`: who changed what, and when.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{answer::Answerer, input::Query, page};
use crate::{
    access::Operator,
    audit::{Entry, Operation, Search, Trail},
    http::{Server, error::HttpError},
};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// Which entries, and which page of them.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only what this caller did: the name of a token.
    by: Option<String>,
    /// Only this operation.
    operation: Option<Operation>,
    /// Only what was done to this: the id of a task or worker, or the name of a resource, token or webhook.
    /// Of what was done to many tasks at once, the first 20 are known by name.
    on: Option<String>,
    /// Only what was done then or later.
    since: Option<f64>,
    /// The most entries in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Goes on after a page: the `next` of its answer.
    #[param(minimum = 1)]
    after: Option<u64>,
}

/// A page of the trail, newest first.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    /// The entries on this page.
    items: Vec<Entry>,
    /// Where the next page begins, for `after`; nothing after the last page.
    next: Option<u64>,
}

/// What operators did, newest first, in pages. For operators.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery), responses((status = 200, body = AuditPage)))]
async fn audit(
    State(server): State<Server>,
    _: Operator,
    Query(query): Query<AuditQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let limit = page::limit(query.limit)?;
    let directory = server.config.access.state_dir.as_deref();
    let Some(trail) = directory.map(Trail::of) else {
        let message = "this server has no state directory, and so no audit trail";
        return Err(HttpError::unavailable("no_audit", message));
    };
    let search = Search {
        by: query.by,
        operation: query.operation.map(Operation::name),
        on: query.on,
        since: query.since,
        before: query.after,
    };
    // One more than are shown, to know whether that was all.
    let read = server
        .work
        .run(true, move || trail.read(&search, limit + 1));
    let mut items = read.await.map_err(|error| {
        tracing::error!("{error}");
        let message = "the audit trail cannot be read now; the server's log says why";
        HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "no_audit", message)
    })?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(|entry| entry.id);
    Ok(answerer.large(AuditPage { items, next }).await)
}
