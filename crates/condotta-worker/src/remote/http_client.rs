//! Single requests to a scheduler server, for callers that decide themselves when to try again.

use std::{
    io::{self, Read},
    sync::atomic::{AtomicBool, Ordering},
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
/// Paths that only the engine's own server has, of requests that its workers send.
const OURS: [&str; 4] = [
    "/api/add_tasks",
    "/api/await_work",
    "/api/release_worker",
    "/api/answer_cancel",
];

/// Sends requests to one server, each once. Connections stay open between them.
pub struct HttpClient {
    http: Http,
    /// The engine's own server is at the other end, as its last answers tell.
    is_ours: AtomicBool,
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
            is_ours: AtomicBool::new(false),
        })
    }

    /// Puts keyword arguments, as JSON, to a path below the server's address; the text of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is that the request failed.
    pub fn post(&self, path: &str, keywords: &str) -> Result<String, HttpFailure> {
        let answer = self.http.post(path, keywords, Duration::ZERO);
        if let Some(is_ours) = tells_whose(path, &answer) {
            self.is_ours.store(is_ours, Ordering::Relaxed);
        }
        answer.map_err(|failure| HttpFailure {
            nobody_listens: nobody_listens(&failure, self.is_ours.load(Ordering::Relaxed)),
            ..HttpFailure::from(failure)
        })
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
            nobody_listens: nobody_listens(&failure, false),
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

/// Whether the server is the engine's, if the answer to a request tells.
fn tells_whose(path: &str, answer: &Result<String, Failure>) -> Option<bool> {
    match answer {
        Err(failure) if failure.code.as_deref() == Some(NOT_READY) => Some(true),
        _ if !OURS.iter().any(|own| path.ends_with(own)) => None,
        Ok(_) => Some(true),
        Err(failure) => (failure.kind == FailureKind::NoMethod).then_some(false),
    }
}

fn nobody_listens(failure: &Failure, is_ours: bool) -> bool {
    if failure.code.as_deref() == Some(NOT_READY) {
        return true;
    }
    match failure.error.downcast_ref() {
        Some(ureq::Error::Io(error)) => match error.kind() {
            // The latter is a socket in the file system that is not there.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => true,
            // Ours was killed meanwhile. Others, and proxies, end a connection that they have too many of.
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => is_ours,
            _ => false,
        },
        Some(error) => matches!(error, ureq::Error::ConnectionFailed),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, net::TcpListener};

    use super::*;

    /// A server that answers each request on a connection of its own; an empty answer ends it.
    fn serve(answers: Vec<(u16, &'static str)>) -> HttpClient {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                // The end of the body, which is `{}`.
                while !request.ends_with(b"%7D") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                if status > 0 {
                    let length = body.len();
                    write!(
                        stream,
                        "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                    )
                    .unwrap();
                }
            }
        });
        HttpClient::new(&url, 5.0, &Identity::default()).unwrap()
    }

    const KILLED: (u16, &str) = (0, "");

    #[test]
    fn a_connection_that_breaks_is_nobody_only_where_the_server_is_ours() {
        let not_ready = (503, r#"{"error": {"code": "unavailable"}}"#);
        let client = serve(vec![
            KILLED,
            (200, "{}"),
            KILLED,
            (200, "{}"),
            KILLED,
            (404, ""),
            KILLED,
            not_ready,
            KILLED,
        ]);
        let nobody = |path: &str| client.post(path, "{}").map_err(|it| it.nobody_listens);
        assert_eq!(nobody("/api/ping"), Err(false), "of whom nothing is known");
        assert!(nobody("/api/ping").is_ok());
        assert_eq!(nobody("/api/ping"), Err(false), "any server knows it");
        assert!(nobody("/prefix/api/add_tasks").is_ok());
        assert_eq!(nobody("/api/ping"), Err(true), "ours");
        assert_eq!(nobody("/api/await_work"), Err(false));
        assert_eq!(nobody("/api/ping"), Err(false), "a stock one in its place");
        assert_eq!(nobody("/api/ping"), Err(true), "ours, not ready yet");
        assert_eq!(nobody("/api/ping"), Err(true), "ours");
    }

    #[test]
    fn a_server_with_a_full_disk_is_none_that_restarts() {
        let client = serve(vec![(503, r#"{"error": {"code": "not_stored"}}"#)]);
        let failure = client.post("/api/ping", "{}").unwrap_err();
        assert!(!failure.nobody_listens);
        assert_eq!(failure.outlook, Outlook::MayPass);
    }
}
