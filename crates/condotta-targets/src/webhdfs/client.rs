//! Requests to a name node, and what its answers mean.

use std::{io, sync::LazyLock, time::Duration};

use serde_json::Value;
use ureq::{Agent, Body, http::Response};

use crate::{
    location::Secret,
    remote::{
        requests::{explained, tls},
        retry::retried,
    },
};

const CONNECTING: Duration = Duration::from_secs(20);
/// How long an answer, or a piece of content, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One for the process, so that connections are kept. Redirections are followed here.
static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECTING))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .timeout_per_write(Some(PATIENCE))
        .tls_config(tls())
        .build()
        .into()
});

/// What WebHDFS asks with.
#[derive(Clone, Copy)]
pub(super) enum Verb {
    Get,
    Put,
    Delete,
}

/// Where the name node is and who asks.
pub(super) struct Client {
    pub(super) endpoint: String,
    pub(super) user: Option<String>,
    pub(super) token: Option<Secret>,
}

impl Client {
    /// Asks for an operation on a path, again if the connection breaks, and gives its answer as JSON.
    pub(super) fn ask(
        &self,
        method: Verb,
        path: &str,
        query: &[(&str, &str)],
    ) -> io::Result<Value> {
        retried(self.shown(path), || {
            let response = send(method, &self.url(path, query))?;
            let text = response.into_body().read_to_string().map_err(explained)?;
            if text.trim().is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_str(&text).map_err(|_| {
                io::Error::other("the answer is no JSON: is there WebHDFS at that address?")
            })
        })
    }

    /// Asks where content is to be read from or written to: at a data node.
    pub(super) fn data_node(
        &self,
        method: Verb,
        path: &str,
        query: &[(&str, &str)],
    ) -> io::Result<String> {
        let response = send(method, &self.url(path, query))?;
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok());
        location.map(str::to_owned).ok_or_else(|| {
            io::Error::other("the name node names no data node: is there WebHDFS at that address?")
        })
    }

    /// A path as people may see it.
    pub(super) fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.endpoint)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}/{}?", self.endpoint, encoded(path, true));
        for (name, value) in query {
            url.push_str(&format!("{name}={}&", encoded(value, false)));
        }
        match (&self.token, &self.user) {
            (Some(token), _) => {
                url.push_str(&format!("delegation={}", encoded(token.reveal(), false)))
            }
            (None, Some(user)) => url.push_str(&format!("user.name={}", encoded(user, false))),
            (None, None) => {}
        }
        url
    }
}

/// Reads content from a data node.
pub(super) fn read(url: &str) -> io::Result<Response<Body>> {
    send(Verb::Get, url)
}

/// Writes content to a data node, to the end of what a reader gives.
pub(super) fn write(url: &str, content: impl io::Read + 'static) -> io::Result<()> {
    let body = ureq::SendBody::from_owned_reader(content);
    let sent = AGENT
        .put(url)
        .content_type("application/octet-stream")
        .send(body);
    match sent.map_err(explained) {
        Ok(response) => checked(response).map(drop),
        Err(error) => Err(refusal(url).unwrap_or(error)),
    }
}

/// What a data node says to who may not write. It closes the connection before it has read the content, so its
/// answer may be lost in a broken pipe; without content it is not.
fn refusal(url: &str) -> Option<io::Error> {
    let refused = send(Verb::Put, url).err()?;
    (refused.kind() == io::ErrorKind::PermissionDenied).then_some(refused)
}

fn send(method: Verb, url: &str) -> io::Result<Response<Body>> {
    let sent = match method {
        Verb::Get => AGENT.get(url).call(),
        Verb::Put => AGENT.put(url).send_empty(),
        Verb::Delete => AGENT.delete(url).call(),
    };
    checked(sent.map_err(explained)?)
}

/// An answer that is no refusal.
fn checked(mut response: Response<Body>) -> io::Result<Response<Body>> {
    let status = response.status();
    if status.is_success() || status.is_redirection() {
        return Ok(response);
    }
    let text = response.body_mut().read_to_string().unwrap_or_default();
    let exception: Value = serde_json::from_str(&text).unwrap_or_default();
    let exception = &exception["RemoteException"];
    let (name, message) = (
        exception["exception"].as_str(),
        exception["message"].as_str(),
    );
    let kind = match (name.unwrap_or_default(), status.as_u16()) {
        ("FileNotFoundException", _) => io::ErrorKind::NotFound,
        ("AccessControlException" | "SecurityException" | "AuthorizationException", _)
        | (_, 401 | 403) => io::ErrorKind::PermissionDenied,
        ("StandbyException" | "RetriableException", _) | (_, 429 | 502 | 503 | 504) => {
            io::ErrorKind::ResourceBusy
        }
        _ => io::ErrorKind::Other,
    };
    let first = message
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default();
    let said = match name {
        Some(name) => format!("the server says: {name}: {first}"),
        None => format!("the server answers {status}"),
    };
    Err(io::Error::new(kind, said))
}

fn encoded(text: &str, keep_slashes: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if keep_slashes => encoded.push('/'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
