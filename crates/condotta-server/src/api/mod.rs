//! The REST API `/api/v1`: what people and pages ask, where `/api/<method>` is for workers.
//!
//! Each topic has a file with a `router()` of its own, whose handlers describe themselves for the
//! OpenAPI document. Nothing here decides anything: reads go to the scheduler's thread as short looks
//! or as long ones in steps, and changes as requests whose answers wait until they are durable.

mod about;
mod answer;
mod attempts;
mod audit;
mod cancel;
mod control;
mod dead_ends;
mod events;
mod families;
mod graph;
mod history;
mod input;
mod logs;
mod near;
mod openapi;
mod page;
mod resources;
mod series;
mod session;
mod settings;
mod shapes;
mod tasks;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;
mod workers;

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
use utoipa_axum::router::OpenApiRouter;

use crate::http::{Server, error::HttpError};

pub use events::{Events, EventsConfig};
pub use openapi::document;
pub use series::Series;

/// Where the API is.
pub(crate) const PREFIX: &str = "/api/v1";

/// All topics, with their descriptions.
fn topics() -> OpenApiRouter<Server> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(about::router())
        .merge(attempts::router())
        .merge(audit::router())
        .merge(cancel::router())
        .merge(control::router())
        .merge(dead_ends::router())
        .merge(events::router())
        .merge(families::router())
        .merge(graph::router())
        .merge(history::router())
        .merge(logs::router())
        .merge(resources::router())
        .merge(series::router())
        .merge(session::router())
        .merge(settings::router())
        .merge(tasks::router())
        .merge(tokens::router())
        .merge(webhooks::router())
        .merge(workers::router())
}

/// The API, to be merged into what the server answers.
pub(crate) fn router(server: &Server) -> Router<Server> {
    let (topics, described) = topics().split_for_parts();
    let described = openapi::complete(described);
    let router = topics
        .merge(openapi::router(described))
        // More particular than Luigi's methods, where it would end otherwise.
        .route("/", any(not_found))
        .route("/{*rest}", any(not_found))
        .method_not_allowed_fallback(wrong_verb)
        .layer(middleware::from_fn_with_state(server.clone(), preflight));
    Router::new().nest(PREFIX, router)
}

/// Answers browsers that ask whether a page of another origin may ask.
async fn preflight(State(server): State<Server>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let origin = request.headers().get(header::ORIGIN);
    server.guard.add_preflight(origin, response.headers_mut());
    response
}

async fn not_found(request: Request) -> HttpError {
    let path: String = request.uri().path().chars().take(100).collect();
    HttpError::not_found(format!(
        "there is nothing at {PREFIX}{path}; {PREFIX}/openapi.json says what there is"
    ))
}

async fn wrong_verb(request: Request) -> HttpError {
    let verb: String = request.method().as_str().chars().take(20).collect();
    HttpError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_verb",
        format!("this is not asked with {verb}; the header Allow says with what"),
    )
}
