//! The OpenAPI document: made of what the handlers say of themselves, and of what holds for all.

use axum::{Router, routing::get};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{OpenApi, Ref, RefOr, schema::Schema},
};

use super::{
    answer::Answerer,
    events::EventKind,
    graph::Direction,
    history::By,
    logs::Format,
    series::Span,
    shapes::{TaskStatus, UpstreamStatus},
    tasks::Sort,
};
use crate::{access::COOKIE, audit::Operation, http::Server};

/// Why a request got no answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Error {
    /// What went wrong.
    error: ErrorBody,
}

/// What went wrong, for programs and for people.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// A word for programs, such as `not_found`.
    code: String,
    /// A sentence for people: what, where, and what to do next.
    message: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "condotta",
        description = "The scheduler as people, pages and scripts see it. Times are seconds since 1970 in UTC, with fractions. \
                       Task ids and other names in paths are percent-encoded."
    ),
    servers((url = "/api/v1")),
    // What only parameters name is not found by itself.
    components(schemas(
        By, Direction, Error, ErrorBody, EventKind, Format, Operation, Sort, Span, TaskStatus,
        UpstreamStatus
    ))
)]
struct Outline;

/// The document without what is described elsewhere.
pub(super) fn outline() -> OpenApi {
    Outline::openapi()
}

/// The whole document, as `/api/v1/openapi.json` shows it.
#[must_use]
pub fn document() -> Value {
    complete(super::topics().split_for_parts().1)
}

/// Adds to each operation the errors that any of its kind may answer, and how callers say who they are.
pub(super) fn complete(described: OpenApi) -> Value {
    let mut document = serde_json::to_value(described).expect("keys are text");
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    });
    document["security"] = json!([{"bearer": []}, {"basic": []}, {"session": []}, {}]);
    document["paths"]["/openapi.json"] = json!({"get": {
        "tags": ["about"],
        "operationId": "openapi",
        "summary": "This document.",
        "responses": {"200": {
            "description": "The document",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }},
    }});
    let paths = document["paths"].as_object_mut();
    for (path, operations) in paths.expect("it was made as an object") {
        for operation in operations
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            add_errors(operation, path);
        }
    }
    document
}

/// The errors with which any operation may be answered.
const ANY: [(&str, &str); 6] = [
    (
        "400",
        "The request cannot be read, or asks for what makes no sense",
    ),
    (
        "401",
        "The server wants a token, and there is none or a wrong one",
    ),
    (
        "429",
        "Too many wrong tokens came from the caller's address",
    ),
    (
        "403",
        "The caller's role does not permit this, or a foreign page asks",
    ),
    (
        "500",
        "The server failed over this request; nothing has changed",
    ),
    ("503", "Not now; the same request may succeed in a moment"),
];
/// The errors of those that take a body.
const WITH_BODY: [(&str, &str); 3] = [
    ("408", "The body did not arrive in time"),
    ("413", "The body is too large"),
    ("415", "The body is no JSON"),
];

fn add_errors(operation: &mut Value, path: &str) {
    let has_body = operation.get("requestBody").is_some();
    let with_body = WITH_BODY.iter().filter(|_| has_body);
    let named = [("404", "There is nothing of this name")];
    // Without a history there is nothing there, either.
    let may_lack = path.contains('{') || operation["tags"][0] == "history";
    let with_name = named.iter().filter(|_| may_lack);
    for (status, description) in ANY.iter().chain(with_body).chain(with_name) {
        let error: RefOr<Schema> = Ref::from_schema_name("Error").into();
        let response = json!({
            "description": description,
            "content": {"application/json": {"schema": error}},
        });
        let responses = operation["responses"].as_object_mut();
        let responses = responses.expect("each operation has responses");
        responses.entry(*status).or_insert(response);
    }
}

/// The document under its address.
pub(super) fn router(document: Value) -> Router<Server> {
    let show = async move |answerer: Answerer| answerer.small(&document);
    Router::new().route("/openapi.json", get(show))
}
