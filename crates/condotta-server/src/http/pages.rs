//! What is there besides the API: the web page, health, metrics, and the way to the page from where Luigi
//! has others.

mod files;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value;

use super::{
    Server,
    answer::{self, Wishes},
    error::HttpError,
};
use crate::metrics;

use files::FILES;
pub(crate) use files::is_file;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

pub(super) fn router() -> Router<Server> {
    let router = Router::new()
        .route("/static/visualiser", any(visualiser))
        .route("/static/visualiser/", any(visualiser))
        .route("/static/visualiser/index.html", any(visualiser))
        .route("/favicon.ico", any(favicon))
        .route("/robots.txt", any(robots))
        .route("/metrics", any(show_metrics))
        .route("/history", any(history))
        .route("/history/", any(history))
        .route("/history/{*rest}", any(history))
        .route("/tasklist", any(history))
        .route("/tasklist/", any(history))
        .route("/tasklist/{*rest}", any(history))
        .fallback(not_found);
    let paths = FILES.iter().map(|file| file.path);
    paths.fold(router, |router, path| router.route(path, any(page)))
}

/// A file of the page; to HEAD at the root it says that the server lives, as in Luigi.
async fn page(request: Request) -> Response {
    let path = request.uri().path();
    let file = FILES.iter().find(|file| file.path == path);
    let file = file.expect("only paths of files lead here");
    match *request.method() {
        Method::HEAD if file.path == "/" => StatusCode::NO_CONTENT.into_response(),
        Method::GET | Method::HEAD => {
            let wishes = Wishes::of(request.headers(), true);
            let mut response =
                answer::respond(file.bytes.to_vec(), file.content_type.clone(), &wishes);
            let policy = HeaderValue::from_static(PAGE_POLICY);
            response
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        _ => looks_only(),
    }
}

/// What the page may load: its own files, and what it asks this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Luigi's page has its state behind `#`, which browsers keep when they are sent elsewhere. Addresses are
/// relative, so they also hold behind a proxy that puts a path in front.
async fn visualiser(request: Request) -> Response {
    lead(&request, "")
}

/// Luigi's pages of the history, with what they ask for. Its numbers of attempts mean nothing here, which the page
/// says.
async fn history(request: Request) -> Response {
    let path = request.uri().path();
    let named = [
        ("/history/by_name/", "family"),
        ("/history/by_params/", "family"),
        ("/history/by_task_id/", "task"),
        ("/history/by_id/", "luigi_number"),
        ("/tasklist/", "family"),
    ];
    let found = named
        .iter()
        .find_map(|(prefix, filter)| Some((filter, path.strip_prefix(prefix)?)))
        .filter(|(_, name)| !name.is_empty());
    let mut filters = found.map_or_else(String::new, |(filter, name)| {
        // What may stand in a path and would end a value in a query.
        let name = name.replace('&', "%26").replace('+', "%2B");
        format!("{filter}={name}")
    });
    if path.starts_with("/history/by_params/") {
        for param in params(request.uri().query().unwrap_or_default()) {
            let mut pair = form_urlencoded::Serializer::new(String::new());
            filters += if filters.is_empty() { "" } else { "&" };
            filters += &pair.append_pair("param", &param).finish();
        }
    }
    let mark = if filters.is_empty() { "" } else { "?" };
    lead(&request, &format!("#/history{mark}{filters}"))
}

/// The parameters that one of Luigi's addresses asks for, each as `name=value`: an object of JSON under the name
/// `data`, or one by one.
fn params(query: &str) -> Vec<String> {
    let mut params = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match serde_json::from_str(&value) {
            Ok(Value::Object(named)) if name == "data" => {
                params.extend(named.iter().map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={text}"),
                    other => format!("{name}={other}"),
                }));
            }
            _ => params.push(format!("{name}={value}")),
        }
    }
    params
}

/// To the page, from wherever this is.
fn lead(request: &Request, place: &str) -> Response {
    if !looks(request) {
        return looks_only();
    }
    let depth = request.uri().path().matches('/').count() - 1;
    let up = if depth == 0 {
        "./".to_owned()
    } else {
        "../".repeat(depth)
    };
    let to = HeaderValue::try_from(format!("{up}{place}"))
        .expect("what stands in a path can stand in a header");
    (
        StatusCode::FOUND,
        [(header::LOCATION, to), (header::CONTENT_TYPE, HTML)],
    )
        .into_response()
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
