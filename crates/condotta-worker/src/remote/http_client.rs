//! Single requests to a scheduler server, for callers that decide themselves when to try again.

use std::time::Duration;

use super::{
    RemoteError,
    address::Address,
    http::{FailureKind, Http},
};

/// Sends requests to one server, each once. Connections stay open between them.
pub struct HttpClient {
    http: Http,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct HttpFailure {
    reason: String,
    /// Whether the same request may be answered at another time.
    pub may_pass: bool,
}

impl HttpClient {
    /// Requests to the scheduler at `url`, as [`RemoteScheduler`](super::RemoteScheduler) takes it.
    /// `timeout_secs` bounds each step: connecting, and each wait for the answer.
    ///
    /// # Errors
    ///
    /// When the URL is none, or the time is negative.
    pub fn new(url: &str, timeout_secs: f64) -> Result<Self, RemoteError> {
        let timeout = Duration::try_from_secs_f64(timeout_secs).map_err(|_| RemoteError::Time {
            name: "rpc_connect_timeout",
            value: timeout_secs,
        })?;
        Ok(Self {
            http: Http::new(&Address::parse(url)?, timeout),
        })
    }

    /// Puts keyword arguments, as JSON, to a path below the server's address; the text of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn post(&self, path: &str, keywords: &str) -> Result<String, HttpFailure> {
        let answer = self.http.post(path, keywords, Duration::ZERO);
        answer.map_err(|failure| HttpFailure {
            reason: failure.error.to_string(),
            may_pass: matches!(failure.kind, FailureKind::Away { .. } | FailureKind::Broken),
        })
    }
}
