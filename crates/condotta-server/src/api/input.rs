//! What requests say: names in paths, parameters in queries, JSON in bodies. What cannot be read is
//! answered with 400 and where it stands; a parameter that does not exist is an error, not ignored.

use axum::{
    extract::{FromRequest, FromRequestParts, Path as AxumPath, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;

use crate::http::{Server, body, error::HttpError};

/// The largest body of a request to this API, in bytes.
const MOST_BODY: usize = 1 << 20;

/// The name in a path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let Names(name) = Names::<String>::from_request_parts(parts, state).await?;
        Ok(Self(name))
    }
}

/// Several names in a path.
pub(crate) struct Names<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Names<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let path = AxumPath::<T>::from_request_parts(parts, state).await;
        let AxumPath(names) =
            path.map_err(|error| HttpError::bad_request("bad_path", error.body_text()))?;
        Ok(Self(names))
    }
}

/// The parameters in a query. `T` denies fields that it does not know.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        read_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// What a query says.
///
/// # Errors
///
/// When a parameter cannot be read, or does not exist.
pub(crate) fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, HttpError> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let read = serde_path_to_error::deserialize(serde_html_form::Deserializer::new(pairs));
    read.map_err(|error| {
        let (place, reason) = (
            shown(&error.path().to_string()),
            shown(&error.inner().to_string()),
        );
        let message = format!("the parameter `{place}` in the query cannot be used: {reason}");
        HttpError::bad_request("bad_parameter", message)
    })
}

/// A body in JSON. `T` denies fields that it does not know.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Server> for Json<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, HttpError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind: &HeaderValue| kind.to_str().ok());
        if !kind.is_some_and(is_json) {
            return Err(HttpError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "no_json",
                "say what is wanted as JSON, with the header Content-Type: application/json",
            ));
        }
        let (bytes, _share) =
            body::read(request.into_body(), &server.config, &server.budget).await?;
        if bytes.len() > MOST_BODY {
            return Err(HttpError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!(
                    "the body is larger than {MOST_BODY} bytes, which is the most that is taken here"
                ),
            ));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json);
        let value = read.map_err(|error| {
            let (place, reason) = (
                shown(&error.path().to_string()),
                shown(&error.inner().to_string()),
            );
            HttpError::bad_request(
                "bad_body",
                format!("the body cannot be used, at `{place}`: {reason}"),
            )
        })?;
        json.end().map_err(|error| {
            HttpError::bad_request(
                "bad_body",
                format!("something follows the JSON in the body: {error}"),
            )
        })?;
        Ok(Self(value))
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// At most 300 characters, so that an answer does not grow with what it refuses.
fn shown(text: &str) -> String {
    text.chars().take(300).collect()
}
