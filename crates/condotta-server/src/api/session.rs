//! Sessions of browsers: a cookie takes the place of a token, which scripts then need not keep.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::Answerer;
use crate::{
    access::Caller,
    http::{Server, error::HttpError},
};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(look, begin, end))
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Session {
    /// The name of the caller's token, or what stands for it where none is asked for.
    name: String,
    /// What the caller may do: `viewer`, `worker` or `operator`.
    role: &'static str,
}

/// Who asks, and with which role.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn look(caller: Caller, answerer: Answerer) -> Response {
    answer(caller, None, answerer)
}

/// Begins a session in the name of the token in the header `Authorization`. The answer sets a cookie that
/// stands for it, which scripts cannot read and other sites cannot use.
#[utoipa::path(post, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn begin(
    State(server): State<Server>,
    caller: Caller,
    answerer: Answerer,
    request: Request,
) -> Result<Response, HttpError> {
    let (parts, _) = request.into_parts();
    let cookie = server.gate.sign_in(&parts)?;
    Ok(answer(caller, Some(cookie), answerer))
}

/// Ends the session that the request's cookie stands for, and takes the cookie away.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn end(
    State(server): State<Server>,
    caller: Caller,
    answerer: Answerer,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let cookie = server.gate.sign_out(&parts);
    answer(caller, Some(cookie), answerer)
}

fn answer(caller: Caller, cookie: Option<HeaderValue>, answerer: Answerer) -> Response {
    let Caller { name, role, .. } = caller;
    let role = role.name();
    let mut response = answerer.small(&Session { name, role });
    let headers = response.headers_mut();
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
