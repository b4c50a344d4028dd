//! `events`: what changes, as it changes, as server-sent events.
//!
//! An observer on the scheduler's thread notes what happened, and passes it on through a bounded
//! channel. A thread of its own keeps the last ones in a ring; each is put into words once, if anybody wants it.
//! Each reader has a task that goes along the ring at its own pace: nothing is kept for a reader, and
//! one that falls out of the ring is told so.

mod observed;
mod reader;
mod ring;
mod thread;
mod told;

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use thread::Events;

use super::input::Query;
use crate::http::{Server, error::HttpError};
use reader::{Filter, ReaderBody};
pub(crate) use told::EventKind;

/// What the event stream may take.
#[derive(Clone, Debug)]
pub struct EventsConfig {
    /// The most readers at once.
    pub max_readers: usize,
    /// How many of the last events are kept, for readers that fall behind or come back.
    pub kept_events: usize,
    /// How many bytes those may have.
    pub kept_bytes: usize,
    /// How many events a reader is sent in a second at most.
    pub max_rate: usize,
    /// How many events all readers that are behind are sent in a second at most, in equal shares of at least four.
    pub max_rate_in_all: usize,
    /// How long a stream is silent at most.
    pub heartbeat: Duration,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            max_readers: 256,
            kept_events: 20_000,
            kept_bytes: 16 << 20,
            max_rate: 1000,
            max_rate_in_all: 10_000,
            heartbeat: Duration::from_secs(15),
        }
    }
}

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Which events.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only events of these kinds; `hello` and `reset` come in any case.
    kind: Vec<EventKind>,
    /// Of the events about tasks only those about tasks of these families.
    family: Vec<String>,
    /// Of the events about tasks only those about these.
    task: Vec<String>,
    /// Goes on after this event, like the header `Last-Event-ID`, for those who cannot send that.
    last_event_id: Option<String>,
}

/// What changes, as it changes: server-sent events.
///
/// Each event has an id, a kind, and an object in JSON as its data. The first is `hello`. Whoever comes
/// back with the header `Last-Event-ID` gets what happened since; if that is not known any more, or
/// whoever reads is too slow, comes `reset`: then lists have to be fetched anew. Comments keep a silent
/// stream alive.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
async fn events(
    State(server): State<Server>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok()).map(str::to_owned);
    let filter = Filter {
        kinds: query.kind,
        families: query.family,
        tasks: query.task,
    };
    let body = server.events.read(filter, last.or(query.last_event_id))?;
    Ok(stream(body))
}

fn stream(body: ReaderBody) -> Response {
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-store"),
        // It never ends by itself, so nothing can follow on its connection.
        (header::CONNECTION.as_str(), "close"),
        // Tells nginx not to gather what is to arrive at once.
        ("x-accel-buffering", "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
