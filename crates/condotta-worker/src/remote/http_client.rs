//! Single requests to a scheduler server, for callers that decide themselves when to try again.

use std::{
    io::{self, Read},
    time::Duration,
};

use super::{
    Identity, RemoteError,
    http::{self, Failure, FailureKind, Http},
};

/// The type of a body in JSON.
const JSON: &str = "application/json";

/// What the engine's own server says while it reads its state, or stops.
const NOT_READY: &str = "unavailable";

/// Sends requests to one server, each once. Connections stay open between them.
pub struct HttpClient {
    http: Http,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct HttpFailure {
    reason: String,
    /// What that means for the same request.
    pub outlook: Outlook,
    /// Nobody listens at the address, or the engine's own server has just gone or is not ready yet, so that
    /// nobody is disturbed by who asks again soon.
    pub nobody_listens: bool,
    /// The server is there and failed at it, so that it may well fail each time.
    pub server_failed: bool,
    /// The word for it, where the engine's own server says one.
    pub code: Option<String>,
}

/// What may become of a request that failed, if it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It may be answered at another time.
    MayPass,
    /// It will fail each time.
    Refused,
    /// The server cannot be spoken to as things are: its certificate is not trusted, for instance.
    NoWay,
    /// It will fail each time, because the server has no such method.
    NoMethod,
}

impl HttpClient {
    /// Requests to the scheduler at `url`, as [`RemoteScheduler`](super::RemoteScheduler) takes it.
    /// `timeout_secs` bounds each step: connecting, and each wait for the answer.
    ///
    /// # Errors
    ///
    /// When the URL is none, or the time is negative.
    pub fn new(url: &str, timeout_secs: f64, identity: &Identity) -> Result<Self, RemoteError> {
        Ok(Self {
            http: Http::at(url, timeout_secs, identity)?,
        })
    }

    /// Puts keyword arguments, as JSON, to a path below the server's address; the text of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn post(&self, path: &str, keywords: &str) -> Result<String, HttpFailure> {
        let answer = self.http.post(path, keywords, Duration::ZERO);
        answer.map_err(HttpFailure::from)
    }

    /// Puts JSON to a path below the server's address; the text of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn post_json(&self, path: &str, body: &str) -> Result<String, HttpFailure> {
        let (body, at_once) = (body.as_bytes(), Duration::ZERO);
        let answer = self.http.send(path, JSON, None, body, at_once);
        answer.map_err(HttpFailure::from)
    }

    /// What is at a path below the server's address, with its query.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn get(&self, path: &str) -> Result<String, HttpFailure> {
        let answer = self.http.get(path, Duration::ZERO);
        answer.and_then(http::text).map_err(HttpFailure::from)
    }

    /// What comes from a path that goes on saying something, piece by piece. It may be silent for up to
    /// `silence` more than the usual time.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn stream(&self, path: &str, silence: Duration) -> Result<impl Read + use<>, HttpFailure> {
        let answer = self.http.get(path, silence)?;
        Ok(answer.into_body().into_reader())
    }
}

impl From<Failure> for HttpFailure {
    fn from(failure: Failure) -> Self {
        Self {
            reason: failure.error.to_string(),
            nobody_listens: nobody_listens(&failure),
            server_failed: failure.kind == FailureKind::Broken,
            code: failure.code,
            outlook: match failure.kind {
                FailureKind::Away { .. } | FailureKind::Broken => Outlook::MayPass,
                FailureKind::NoMethod => Outlook::NoMethod,
                FailureKind::NoWay => Outlook::NoWay,
                FailureKind::TooLong | FailureKind::Refused => Outlook::Refused,
            },
        }
    }
}

fn nobody_listens(failure: &Failure) -> bool {
    if failure.code.as_deref() == Some(NOT_READY) {
        return true;
    }
    match failure.error.downcast_ref() {
        Some(ureq::Error::Io(error)) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                // A socket in the file system that is not there.
                | io::ErrorKind::NotFound
                // Whoever listened was killed meanwhile.
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        ),
        Some(error) => matches!(error, ureq::Error::ConnectionFailed),
        None => false,
    }
}
