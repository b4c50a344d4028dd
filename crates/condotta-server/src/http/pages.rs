//! What is there besides the API: a page that shows how things stand, health, metrics, and honest
//! refusals where Luigi has pages that this server lacks.

mod status;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};

use super::{
    Server,
    answer::{self, Wishes},
    error::HttpError,
};
use crate::metrics;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");
const STYLE: &str = include_str!("pages/status.css");

pub(super) fn router() -> Router<Server> {
    Router::new()
        .route("/", any(root))
        .route("/static/visualiser/", any(visualiser))
        .route("/static/visualiser/index.html", any(visualiser))
        .route("/static/visualiser/status.css", any(style))
        .route("/favicon.ico", any(favicon))
        .route("/robots.txt", any(robots))
        .route("/metrics", any(show_metrics))
        .route("/history", any(no_history))
        .route("/history/{*rest}", any(no_history))
        .route("/tasklist", any(no_history))
        .route("/tasklist/{*rest}", any(no_history))
        .fallback(not_found)
}

/// To the page, or for HEAD that the server lives. The address is relative, so it also holds behind a
/// proxy that puts a path in front.
async fn root(request: Request) -> Response {
    match *request.method() {
        Method::HEAD => StatusCode::NO_CONTENT.into_response(),
        Method::GET => {
            let to = HeaderValue::from_static("static/visualiser/index.html");
            (
                StatusCode::FOUND,
                [(header::LOCATION, to), (header::CONTENT_TYPE, HTML)],
            )
                .into_response()
        }
        _ => looks_only(),
    }
}

async fn visualiser(State(server): State<Server>, request: Request) -> Response {
    if !looks(&request) {
        return looks_only();
    }
    let wishes = Wishes::of(request.headers(), false);
    match status::page(&server.handle).await {
        Ok(page) => answer::respond(page.into_bytes(), HTML, &wishes),
        Err(error) => HttpError::from(error).into_response(),
    }
}

async fn style(request: Request) -> Response {
    let css = HeaderValue::from_static("text/css; charset=UTF-8");
    file(&request, STYLE, css)
}

/// There is no icon; browsers ask only once when they are told so.
async fn favicon(request: Request) -> Response {
    if looks(&request) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        looks_only()
    }
}

async fn robots(request: Request) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=UTF-8");
    file(&request, "User-agent: *\nDisallow: /\n", plain)
}

async fn show_metrics(State(server): State<Server>, request: Request) -> Response {
    if !looks(&request) {
        return looks_only();
    }
    let Some(metrics) = server.metrics.clone() else {
        return file(&request, "", HTML);
    };
    let wishes = Wishes::of(request.headers(), true);
    // Without them while the stored state is read.
    let figures = server.handle.look(|scheduler, _| scheduler.figures());
    let figures = figures.await.ok();
    let readers = server.events.readers() as u64;
    metrics.meters().event_readers.set(readers);
    let respond = move || {
        let content_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
        answer::respond(
            metrics.text(figures.as_ref()).into_bytes(),
            content_type,
            &wishes,
        )
    };
    server.work.run(true, respond).await
}

async fn no_history() -> Response {
    let message = "this server records no task history, so there is none to show";
    HttpError::new(StatusCode::NOT_FOUND, "no_history", message).into_response()
}

async fn not_found(request: Request<Body>) -> Response {
    let path: String = request.uri().path().chars().take(100).collect();
    HttpError::not_found(format!("there is nothing at {path}")).into_response()
}

fn file(request: &Request, text: &'static str, content_type: HeaderValue) -> Response {
    if looks(request) {
        let wishes = Wishes::of(request.headers(), true);
        answer::respond(text.into(), content_type, &wishes)
    } else {
        looks_only()
    }
}

fn looks(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn looks_only() -> Response {
    HttpError::wrong_verb("GET, HEAD", "this can only be looked at: use GET").into_response()
}
