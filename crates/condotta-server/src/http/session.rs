//! `/api/v1/session`: who asks, and how a browser signs in and out with a token.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    Server,
    answer::{self, JSON, Wishes},
    error::HttpError,
};
use crate::access::Caller;

/// GET says who asks, POST begins a session in the name of the token that the request has, DELETE ends
/// the request's session.
pub(super) async fn answer(
    State(server): State<Server>,
    caller: Caller,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let cookie = match parts.method {
        Method::GET => None,
        Method::POST => match server.gate.sign_in(&parts) {
            Ok(cookie) => Some(cookie),
            Err(error) => return error.into_response(),
        },
        Method::DELETE => Some(server.gate.sign_out(&parts)),
        _ => {
            let message = "a session is looked at with GET, begun with POST and ended with DELETE";
            return HttpError::wrong_verb("GET, POST, DELETE", message).into_response();
        }
    };
    let Caller { name, role } = caller;
    let body = json!({ "name": name, "role": role.name() });
    let wishes = Wishes::of(&parts.headers, false);
    let mut response = answer::respond(body.to_string().into_bytes(), JSON, &wishes);
    let headers = response.headers_mut();
    let store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, store);
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
