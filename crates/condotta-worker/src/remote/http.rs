//! One request over HTTP: keyword arguments there, the text of the answer back, or why not.
//!
//! Tries once. Whether to try again is decided elsewhere, by the kind of failure.

use std::time::Duration;

use ureq::{
    Agent, Body,
    config::Config,
    http::{Response, StatusCode, header},
    tls::{TlsConfig, TlsProvider},
    unversioned::transport::DefaultConnector,
};

use super::{
    RemoteError,
    address::Address,
    identity::Identity,
    lookups::{HoldableResolver, Lookups},
    proxy,
    unix::{NoResolver, UnixConnector},
};
use crate::BoxError;

/// So many connections stay open while nobody uses them: one for each thread that runs a task.
const IDLE_CONNECTIONS: usize = 16;
/// The type of a body with arguments.
const FORM: &str = "application/x-www-form-urlencoded";
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
/// The longest pause that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// The word for it, where our own server says one.
    pub(super) code: Option<String>,
    pub(super) error: BoxError,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Nobody answers, or somebody on the way says that the server is away: time helps.
    Away {
        /// Not earlier than this.
        retry_after: Option<Duration>,
    },
    /// The server cannot be spoken to as things are: its certificate is not trusted, for instance.
    NoWay,
    /// The server failed on this request. It may do so each time.
    Broken,
    /// There is no such method.
    NoMethod,
    /// The request is too long, for the server or for somebody on the way.
    TooLong,
    /// The request will not be answered otherwise.
    Refused,
}

/// Sends requests to one address.
pub(super) struct Http {
    agent: Agent,
    base: String,
    authorization: Option<String>,
    timeout: Duration,
}

impl Http {
    /// To a scheduler's URL, for whoever neither tries again nor forks. `timeout_secs` is as in [`new`](Self::new).
    pub(super) fn at(
        url: &str,
        timeout_secs: f64,
        identity: &Identity,
    ) -> Result<Self, RemoteError> {
        let timeout = Duration::try_from_secs_f64(timeout_secs).map_err(|_| RemoteError::Time {
            name: "rpc_connect_timeout",
            value: timeout_secs,
        })?;
        Self::new(
            &Address::parse(url)?,
            timeout,
            identity,
            &Lookups::default(),
        )
    }

    /// `timeout` bounds each step: connecting, and each wait for the answer.
    pub(super) fn new(
        address: &Address,
        timeout: Duration,
        identity: &Identity,
        lookups: &Lookups,
    ) -> Result<Self, RemoteError> {
        let scheme = address.base.split(':').next().unwrap_or("http");
        let proxy = match &address.socket {
            Some(_) => None,
            None => proxy::from_environment(scheme, &address.host),
        };
        let mut tls = TlsConfig::builder().provider(TlsProvider::Rustls);
        if scheme == "https" {
            tls = tls.root_certs(identity.root_certs());
        }
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(tls.build())
            .user_agent(concat!("condotta/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .timeout_connect(Some(timeout))
            .timeout_per_read(Some(timeout))
            .timeout_per_write(Some(timeout))
            .build();
        let agent = match &address.socket {
            Some(socket) => Agent::with_parts(config, UnixConnector(socket.clone()), NoResolver),
            None => {
                let resolver = HoldableResolver::new(lookups.clone());
                Agent::with_parts(config, DefaultConnector::default(), resolver)
            }
        };
        let authorization = match &address.authorization {
            Some(authorization) => Some(authorization.clone()),
            None => identity.authorization()?,
        };
        Ok(Self {
            agent,
            base: address.base.clone(),
            authorization,
            timeout,
        })
    }

    /// Calls `method`. The server may take `extra` longer than usual to answer.
    pub(super) fn call(
        &self,
        method: &str,
        keywords: &str,
        extra: Duration,
    ) -> Result<String, Failure> {
        self.post(&format!("/api/{method}"), keywords, extra)
    }

    /// Puts arguments to a path below the server's address.
    pub(super) fn post(
        &self,
        path: &str,
        keywords: &str,
        extra: Duration,
    ) -> Result<String, Failure> {
        self.send(path, FORM, None, &form(keywords), extra)
    }

    /// Sends a body of this type, compressed in this way, to a path below the server's address.
    pub(super) fn send(
        &self,
        path: &str,
        content_type: &str,
        encoding: Option<&str>,
        body: &[u8],
        extra: Duration,
    ) -> Result<String, Failure> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .content_type(content_type);
        if let Some(encoding) = encoding {
            request = request.header(header::CONTENT_ENCODING, encoding);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if !extra.is_zero() {
            let limit = Some(self.timeout + extra);
            request = request.config().timeout_per_read(limit).build();
        }
        let response = request.send(body).map_err(transport_failure)?;
        text(answered(response)?)
    }

    /// What is at a path below the server's address, as it comes. Between two pieces of it may be up to
    /// `extra` more than usual.
    pub(super) fn get(&self, path: &str, extra: Duration) -> Result<Response<Body>, Failure> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let limit = Some(self.timeout + extra);
        let request = request.config().timeout_per_read(limit).build();
        answered(request.call().map_err(transport_failure)?)
    }
}

/// The same answer, when it is a good one.
fn answered(response: Response<Body>) -> Result<Response<Body>, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let location = response.headers().get(header::LOCATION).cloned();
    let body = text(response)?;
    let location = location.as_ref().and_then(|place| place.to_str().ok());
    Err(status_failure(status, retry_after, location, &body))
}

/// All that an answer says.
pub(super) fn text(mut response: Response<Body>) -> Result<String, Failure> {
    let body = response.body_mut().with_config();
    let body = body.limit(ANSWER_BYTES_MAX).lossy_utf8(true);
    body.read_to_string().map_err(transport_failure)
}

/// A text as it may stand in a URL's query.
pub(super) fn in_query(text: &str) -> String {
    let body = form(text);
    String::from_utf8_lossy(&body[b"data=".len()..]).into_owned()
}

/// How long arguments are in a form.
pub(super) fn form_length(keywords: &str) -> usize {
    let lengths = keywords.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b' ' => 1,
        _ => 3,
    });
    lengths.sum()
}

/// `data=…`, as a form has it.
fn form(keywords: &str) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut body = Vec::with_capacity(5 + keywords.len() * 3 / 2);
    body.extend_from_slice(b"data=");
    for &byte in keywords.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => body.push(byte),
            b' ' => body.push(b'+'),
            _ => body.extend([
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
    body
}

/// Nothing came back, or not all of it.
fn transport_failure(error: ureq::Error) -> Failure {
    let kind = match &error {
        // The certificate, the URL and the like stay as they are.
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::BadUri(_) => FailureKind::NoWay,
        // So a certificate that is not to be trusted is told.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            FailureKind::NoWay
        }
        _ => FailureKind::Away { retry_after: None },
    };
    let said = error.to_string();
    let error = match kind {
        FailureKind::NoWay if said.contains("UnknownIssuer") => format!(
            "{said}: nobody who is trusted vouches for its certificate; name that, or its authority's, in [core] \
             rpc_ca_file or the variable REQUESTS_CA_BUNDLE"
        )
        .into(),
        _ => error.into(),
    };
    Failure {
        kind,
        code: None,
        error,
    }
}

fn status_failure(
    status: StatusCode,
    retry_after: Option<Duration>,
    location: Option<&str>,
    body: &str,
) -> Failure {
    let kind = match status.as_u16() {
        404 | 405 | 501 => FailureKind::NoMethod,
        408 | 425 | 429 | 502 | 503 | 504 => FailureKind::Away { retry_after },
        413 => FailureKind::TooLong,
        500.. => FailureKind::Broken,
        _ => FailureKind::Refused,
    };
    let reason = said(body, "message");
    let text = match (status.as_u16(), location) {
        (300..=399, Some(place)) => format!("it is at another address: {place}"),
        (401 | 403, _) if reason.is_none() => format!(
            "{status}; a user name and a password are given in the URL, http://user:password@host, a token \
             in CONDOTTA_TOKEN or as [core] rpc_token"
        ),
        _ => match reason {
            Some(reason) => reason,
            None if kind == FailureKind::Broken => {
                format!("{status}; the scheduler's own log says why")
            }
            None => status.to_string(),
        },
    };
    Failure {
        kind,
        code: said(body, "code"),
        error: text.into(),
    }
}

/// What our own server says in JSON about a failure: its `code` or its `message`.
fn said(body: &str, what: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(body.get("error")?.get(what)?.as_str()?.to_owned())
}

fn retry_after(headers: &ureq::http::HeaderMap) -> Option<Duration> {
    let secs = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let secs = secs.trim().parse().ok()?;
    Some(Duration::from_secs(secs).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_written_as_a_form_has_them() {
        let body = form("{\"a\": \"ü&+=%\"}");
        let expected = "data=%7B%22a%22%3A+%22%C3%BC%26%2B%3D%25%22%7D";
        assert_eq!(String::from_utf8(body).unwrap(), expected);
        let length = form_length("{\"a\": \"ü&+=%\"}");
        assert_eq!("data=".len() + length, expected.len());
    }

    #[test]
    fn failures_are_told_apart_by_what_helps() {
        let of = |status: u16, body: &str| {
            let failure = status_failure(StatusCode::from_u16(status).unwrap(), None, None, body);
            (failure.kind, failure.error.to_string())
        };
        let away = FailureKind::Away { retry_after: None };
        for status in [408, 429, 502, 503, 504] {
            assert_eq!(of(status, "").0, away, "{status}");
        }
        assert_eq!(of(500, "<html>").0, FailureKind::Broken);
        assert_eq!(of(404, "").0, FailureKind::NoMethod);
        assert_eq!(
            of(
                400,
                r#"{"error": {"code": "refused", "message": "no such worker"}}"#
            ),
            (FailureKind::Refused, "no such worker".to_owned())
        );
        assert!(of(401, "").1.contains("in the URL"));
        let moved = status_failure(StatusCode::FOUND, None, Some("https://there/"), "");
        assert_eq!(moved.kind, FailureKind::Refused);
        assert!(moved.error.to_string().contains("https://there/"));
    }
}
