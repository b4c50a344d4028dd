//! What this server is, and what the caller may do here.

use std::time::Instant;

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::Answerer;
use crate::{access::Caller, clock::wall_secs, http::Server};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(about))
}

/// A server and its caller.
#[derive(Serialize, ToSchema)]
struct About {
    /// The name of the program.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// What the server's clock shows.
    now: f64,
    /// For how many seconds it runs.
    uptime: f64,
    /// Whether it has read its stored state and answers.
    ready: bool,
    /// Under which name the caller is known.
    caller: String,
    /// What the caller may do: `viewer`, `worker` or `operator`.
    role: &'static str,
    /// What can be done here.
    features: Features,
}

/// What can be done here, as this server is configured.
#[derive(Default, Serialize, ToSchema)]
struct Features {
    /// The scheduler can be paused.
    pause: bool,
    /// Running tasks can be sent messages.
    messages: bool,
    /// Changes are told as they happen, at `events`.
    events: bool,
}

/// What this server is, and what the caller may do here.
#[utoipa::path(get, path = "/about", tag = "about", responses((status = 200, body = About)))]
async fn about(State(server): State<Server>, caller: Caller, answerer: Answerer) -> Response {
    let look = server.handle.look(|scheduler, _| {
        let config = scheduler.config();
        (config.pause_enabled, config.send_messages)
    });
    let config = look.await;
    let (pause, messages) = config.as_ref().copied().unwrap_or_default();
    answerer.small(&About {
        name: "condotta",
        version: env!("CARGO_PKG_VERSION"),
        now: wall_secs(),
        uptime: Instant::now().duration_since(server.started).as_secs_f64(),
        ready: config.is_ok(),
        caller: caller.name,
        role: caller.role.name(),
        features: Features {
            pause,
            messages,
            events: true,
        },
    })
}
