//! One remote procedure call over HTTP: arguments out of query and body, the call, the envelope.

use axum::{
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use condotta_protocol::{AWAIT_WORK, Json, Object, RpcError, needed_role, only_reads, read_json};

use super::{
    Server,
    answer::{self, JSON, LARGE, Wishes},
    body, deeds,
    error::HttpError,
    form,
};
use crate::{
    access::{Caller, Role},
    audit,
    driver::{CallError, Reply},
};

/// Texts of arguments longer than this are read beside the threads that serve connections.
const LONG: usize = 4 * LARGE;

pub(super) async fn answer(
    State(server): State<Server>,
    caller: Caller,
    request: Request,
) -> Response {
    match *request.method() {
        Method::GET | Method::POST => match call(&server, &caller, request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        },
        Method::OPTIONS => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let origin = request.headers().get(header::ORIGIN);
            server.guard.add_preflight(origin, response.headers_mut());
            response
        }
        _ => HttpError::wrong_verb(
            "GET, POST, OPTIONS",
            "methods are called with POST, or with GET if they only read",
        )
        .into_response(),
    }
}

async fn call(server: &Server, caller: &Caller, request: Request) -> Result<Response, HttpError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/api/").unwrap_or_default();
    let method = form::decode_path(path).ok_or_else(|| HttpError::unknown_method(path))?;
    let is_get = parts.method == Method::GET;
    if is_get && !only_reads(&method) {
        return Err(refuse_get(&method));
    }
    caller.require(needed_role(&method).unwrap_or(Role::Viewer))?;
    let (bytes, share) = body::read(body, &server.config, &server.budget).await?;
    let has_body = !bytes.is_empty();
    let text = arguments_text(&parts, bytes).await?;
    let ignored = (has_body && text.is_none()).then(|| content_type(&parts.headers).to_owned());
    let arguments = match text {
        None => Object::default(),
        Some(text) => {
            let is_heavy = text.len() > LONG;
            server
                .work
                .run(is_heavy, move || read_arguments(&text))
                .await?
        }
    };
    // Whoever waits for work holds nothing large meanwhile.
    let share = (method != AWAIT_WORK).then_some(share);
    let put = match deeds::deed(&method, &arguments) {
        Some(deed) => deeds::put(&server.handle, &method, arguments, deed).await,
        None => {
            let reply = server.handle.call(&method, arguments).await;
            reply.map(|reply| (reply, None))
        }
    };
    let (reply, deed) = put.map_err(|error| explained(error, ignored.as_deref()))?;
    if let Some(deed) = deed {
        audit::note(server, caller, deed).await;
    }
    drop(share);
    Ok(respond(server, reply, Wishes::of(&parts.headers, is_get)).await)
}

/// Says that a body was ignored when an argument is missing that it may have held.
fn explained(error: CallError, ignored: Option<&str>) -> HttpError {
    match (&error, ignored) {
        (CallError::Rpc(RpcError::MissingArgument { .. }), Some(kind)) => {
            let kind: String = kind.chars().take(100).collect();
            let message = format!(
                "{error}; the body of content type `{kind}` was ignored: send a form with the field `data`"
            );
            HttpError::bad_request("missing_argument", message)
        }
        _ => error.into(),
    }
}

async fn respond(server: &Server, reply: Reply, wishes: Wishes) -> Response {
    let is_heavy = matches!(&reply, Reply::Read(_));
    let text = server
        .work
        .run(is_heavy, move || answer::envelope(reply))
        .await;
    let is_heavy = text.len() > LARGE && (wishes.gzip || wishes.tagged);
    let respond = move || answer::respond(text, JSON, &wishes);
    server.work.run(is_heavy, respond).await
}

/// A GET of a method that changes something: any page could have a browser send that.
fn refuse_get(method: &str) -> HttpError {
    if needed_role(method).is_none() {
        return HttpError::unknown_method(method);
    }
    HttpError::wrong_verb(
        "POST, OPTIONS",
        format!("{method} may change the scheduler's state, so it is called with POST"),
    )
}

/// The field `data`: of the body, else of the query. Bodies of other kinds than forms are ignored,
/// as in Luigi.
async fn arguments_text(parts: &Parts, body: Bytes) -> Result<Option<String>, HttpError> {
    let in_body = if body.is_empty() {
        None
    } else {
        match content_type(&parts.headers) {
            kind if kind.starts_with("application/x-www-form-urlencoded") => field(&body)?,
            kind if kind.starts_with("multipart/form-data") => multipart(parts, body).await?,
            _ => None,
        }
    };
    match (in_body, parts.uri.query()) {
        (None, Some(query)) => field(query.as_bytes()),
        (text, _) => Ok(text),
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn field(form: &[u8]) -> Result<Option<String>, HttpError> {
    form::data(form).map_err(|error| HttpError::bad_request("bad_arguments", error.to_string()))
}

/// The last part named `data` that is no file.
async fn multipart(parts: &Parts, body: Bytes) -> Result<Option<String>, HttpError> {
    let refuse = |error: axum::extract::multipart::MultipartError| {
        HttpError::bad_request("bad_body", error.body_text())
    };
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| HttpError::bad_request("bad_body", error.body_text()))?;
    let mut last = None;
    while let Some(part) = form.next_field().await.map_err(refuse)? {
        if part.name() == Some("data") && part.file_name().is_none() {
            last = Some(part.bytes().await.map_err(refuse)?);
        }
    }
    last.map(|bytes| {
        form::clean(bytes.to_vec())
            .map_err(|error| HttpError::bad_request("bad_arguments", error.to_string()))
    })
    .transpose()
}

fn read_arguments(text: &str) -> Result<Object, HttpError> {
    match read_json(text) {
        Ok(Json::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(HttpError::bad_request(
            "bad_arguments",
            "`data` has to be a JSON object: the arguments by name",
        )),
        Err(error) => Err(HttpError::bad_request(
            "bad_json",
            format!("`data` is {error}"),
        )),
    }
}
