//! The HTTP side: Luigi's remote procedure calls under `/api/`, a page to look at, `/metrics`.
//!
//! Turns a request into a call of the scheduler and the answer into Luigi's form, and refuses what is
//! malformed, too large or sent by a foreign page before the scheduler hears of it. Knows nothing of
//! sockets (`listen` does) and decides nothing about tasks.

pub(crate) mod answer;
pub(crate) mod body;
mod config;
mod deeds;
pub(crate) mod error;
mod form;
mod guard;
mod measure;
pub(crate) mod pages;
mod rpc;
#[cfg(test)]
mod tests;
mod work;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, uri::PathAndQuery},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
use condotta_history::History;

pub use config::{Cors, HttpConfig};

use crate::{
    access::{Caller, Gate, Watched},
    api::{self, Events, Series},
    audit::{self, Refused, RefusedLately, RefusedRequest},
    driver::Handle,
    listen::Peer,
    logs::Logs,
    metrics::Metrics,
    notify::Notifier,
};

/// What the rest of the server does for requests.
#[derive(Clone)]
pub struct Services {
    /// The scheduler.
    pub handle: Handle,
    /// What `/metrics` shows; nothing without it.
    pub metrics: Option<Metrics>,
    /// What happens.
    pub events: Events,
    /// Who is told of it.
    pub notifier: Notifier,
    /// What happened, attempt by attempt; `None` when that is not kept.
    pub history: Option<History>,
    /// What attempts print; nothing where none is kept.
    pub logs: Option<Logs>,
    /// How many tasks there were of each status.
    pub series: Series,
    /// Which requests were refused lately.
    pub refused: RefusedLately,
}

/// All that requests share.
pub(crate) struct Shared {
    pub(crate) handle: Handle,
    pub(crate) guard: guard::Guard,
    pub(crate) gate: Gate,
    pub(crate) budget: body::Budget,
    pub(crate) work: work::HeavyWork,
    pub(crate) config: HttpConfig,
    pub(crate) events: Events,
    pub(crate) notifier: Notifier,
    pub(crate) history: Option<History>,
    pub(crate) logs: Option<Logs>,
    pub(crate) series: Series,
    pub(crate) refused: RefusedLately,
    pub(crate) started: Instant,
    metrics: Option<Metrics>,
}

pub(crate) type Server = Arc<Shared>;

/// Answers requests with what the scheduler says, also while it is not there yet (503).
pub fn router(services: Services, config: HttpConfig) -> Router {
    let prefix = config.path_prefix.trim_matches('/').to_owned();
    let server = Arc::new(Shared {
        handle: services.handle,
        guard: guard::Guard::new(&config),
        gate: Gate::new(&config.access),
        budget: body::Budget::new(config.max_bodies),
        work: work::HeavyWork::default(),
        config,
        events: services.events,
        notifier: services.notifier,
        history: services.history,
        logs: services.logs,
        series: services.series,
        refused: services.refused,
        started: Instant::now(),
        metrics: services.metrics,
    });
    let router = Router::new()
        .route("/api/", any(rpc::answer))
        .route("/api/{*method}", any(rpc::answer))
        .merge(api::router(&server))
        .merge(pages::router())
        .layer(middleware::from_fn_with_state(server.clone(), protect))
        .layer(middleware::from_fn_with_state(
            server.clone(),
            measure::measure,
        ))
        .with_state(server);
    if prefix.is_empty() {
        return router;
    }
    let prefix = format!("/{prefix}");
    let strip = move |mut request: Request| {
        strip_prefix(request.uri_mut(), &prefix);
        request
    };
    let stripped = tower::ServiceBuilder::new()
        .map_request(strip)
        .service(router);
    Router::new().fallback_service(stripped)
}

/// Checks who asks before anything else is done, and adds the headers that each answer has.
async fn protect(State(server): State<Server>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_call = request.method() != Method::OPTIONS && request.uri().path().starts_with("/api/");
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().copied();
    let line = (parts.method.clone(), parts.uri.clone());
    let mut response = match server.guard.check(&parts) {
        Ok(()) => match server.gate.admit(&parts) {
            Ok(caller) => {
                parts.extensions.insert(caller.clone());
                let mut response = next.run(Request::from_parts(parts, body)).await;
                response.extensions_mut().insert(caller.clone());
                watched(response, &server, caller)
            }
            Err(refused) => *refused,
        },
        Err(error) => error.into_response(),
    };
    if let Some(why) = response.extensions().get::<Refused>().copied()
        && !is_first_look(&line, why)
    {
        let caller = response.extensions().get::<Caller>().cloned();
        let request = RefusedRequest {
            address: peer.and_then(|peer| peer.address),
            what: format!("{} {}", line.0, line.1.path()),
        };
        audit::note_refused(&server, caller.as_ref(), request, why).await;
    }
    let headers = response.headers_mut();
    guard::add_security(headers);
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if is_call {
        server.guard.add_cors(origin.as_ref(), headers);
    }
    response
}

/// What the page asks before anybody has signed in there. That is no try at anything.
fn is_first_look((verb, uri): &(Method, Uri), why: Refused) -> bool {
    verb == Method::GET && uri.path() == "/api/v1/about" && why.code == "no_token"
}

/// Ends an answer that goes on, if its caller is let in no more.
fn watched(response: Response, server: &Server, caller: Caller) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let server = server.clone();
    let is_let_in = move || server.gate.still_admits(&caller);
    response.map(|body| Body::new(Watched::new(body, is_let_in)))
}

/// Takes `prefix` off the path, if it is there.
fn strip_prefix(uri: &mut Uri, prefix: &str) {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some(rest) = whole
        .strip_prefix(prefix)
        .filter(|rest| rest.starts_with('/'))
    else {
        return;
    };
    if let Ok(stripped) = rest.parse() {
        *uri = stripped;
    }
}
