//! Why a request got no answer, as people and programs read it: `{"error": {"code", "message"}}`.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use condotta_protocol::RpcError;
use condotta_scheduler::Refusal;
use serde_json::json;

use crate::{audit::Refused, driver::CallError};

/// A request that is answered with an error.
#[derive(Debug)]
pub(crate) struct HttpError {
    status: StatusCode,
    code: &'static str,
    message: String,
    allow: Option<&'static str>,
    close: bool,
}

impl HttpError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            allow: None,
            close: false,
        }
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn unknown_method(method: &str) -> Self {
        let error = RpcError::UnknownMethod {
            method: method.chars().take(100).collect(),
        };
        CallError::from(error).into()
    }

    /// The verb is not among those in `allow`.
    pub(crate) fn wrong_verb(allow: &'static str, message: impl Into<String>) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_verb", message)
        }
    }

    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Nothing more is read from the connection after this answer.
    pub(crate) fn and_close(self) -> Self {
        Self {
            close: true,
            ..self
        }
    }
}

impl From<CallError> for HttpError {
    fn from(error: CallError) -> Self {
        let (status, code) = match &error {
            CallError::Rpc(RpcError::UnknownMethod { .. }) => {
                (StatusCode::NOT_FOUND, "unknown_method")
            }
            CallError::Rpc(RpcError::MissingArgument { .. }) => {
                (StatusCode::BAD_REQUEST, "missing_argument")
            }
            CallError::Rpc(RpcError::BadArgument { .. }) => {
                (StatusCode::BAD_REQUEST, "bad_argument")
            }
            CallError::Rpc(RpcError::Refused(Refusal::NoSuchBatch { .. })) => {
                (StatusCode::CONFLICT, "no_such_batch")
            }
            CallError::Rpc(RpcError::Refused(_)) => (StatusCode::BAD_REQUEST, "refused"),
            CallError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            CallError::NotStored(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_stored"),
            CallError::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        let mut response = Response::new(Body::from(format!("{body}\n")));
        *response.status_mut() = self.status;
        if matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        ) {
            response.extensions_mut().insert(Refused {
                status: self.status.as_u16(),
                code: self.code,
            });
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, super::answer::JSON);
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
