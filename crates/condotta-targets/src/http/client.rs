//! Requests to one URL.

use std::{io, sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use ureq::{
    Agent, Body,
    http::{Response, StatusCode},
};

use crate::{
    location::{Location, Secret},
    remote::requests::{explained, tls},
};

const CONNECTING: Duration = Duration::from_secs(20);
/// How long an answer, or a piece of content, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One for the process, so that connections are kept.
static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECTING))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("condotta/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls())
        .build()
        .into()
});

/// A URL and what is sent along.
#[derive(Clone)]
pub(super) struct Page {
    location: Location,
    headers: Vec<(String, Secret)>,
}

impl Page {
    pub(super) fn new(url: &str) -> Self {
        let location = Location::parse(url);
        let mut headers = Vec::new();
        if let Some(user) = &location.user {
            let password = location.password.as_ref().map_or("", Secret::reveal);
            let login = STANDARD.encode(format!("{user}:{password}"));
            headers.push((
                "authorization".to_owned(),
                Secret::new(format!("Basic {login}")),
            ));
        }
        Self { location, headers }
    }

    pub(super) fn header(&mut self, name: String, value: Secret) {
        self.headers.push((name, value));
    }

    /// The URL as people may see it. What follows a question mark may be a signature.
    pub(super) fn shown(&self) -> String {
        let shown = self.location.to_string();
        match shown.split_once('?') {
            Some((front, _)) => format!("{front}?…"),
            None => shown,
        }
    }

    /// The path, without what follows a question mark.
    pub(super) fn path(&self) -> &str {
        let path = &self.location.path;
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// The URL on the wire: without the login, and with what URLs do not have encoded.
    pub(super) fn wire(&self) -> String {
        let Location {
            scheme, host, path, ..
        } = &self.location;
        let mut url = format!("{scheme}://{host}/");
        for byte in path.bytes() {
            match byte {
                b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => {
                    url.push(char::from(byte));
                }
                other => url.push_str(&format!("%{other:02X}")),
            }
        }
        url
    }

    /// Asks for the page, or (`head`) for its headers alone.
    pub(super) fn ask(&self, head: bool, extra: &[(&str, String)]) -> io::Result<Response<Body>> {
        self.location.check(&["https", "http"])?;
        let request = match head {
            true => AGENT.head(self.wire()),
            false => AGENT.get(self.wire()),
        };
        // As it is stored: what is compressed on the way cannot be continued at a byte.
        let mut request = request.header("accept-encoding", "identity");
        for (name, value) in &self.headers {
            request = request.header(name.as_str(), value.reveal());
        }
        for (name, value) in extra {
            request = request.header(*name, value.as_str());
        }
        request.call().map_err(explained)
    }
}

/// What a status means that is no success.
pub(super) fn refused(status: StatusCode) -> io::Error {
    let kind = match status.as_u16() {
        401 | 403 | 407 => io::ErrorKind::PermissionDenied,
        404 | 410 => io::ErrorKind::NotFound,
        // These pass.
        408 | 425 | 429 | 500 | 502 | 503 | 504 => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    };
    let advice = match kind {
        io::ErrorKind::PermissionDenied => "; a login goes into the URL or into a header",
        _ => "",
    };
    io::Error::new(kind, format!("the server answers {status}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_encoded_on_the_wire_and_keep_their_secrets_elsewhere() {
        let page = Page::new("https://ann:word@host/größe/a b%20.csv?sig=abc");
        assert_eq!(
            page.wire(),
            "https://host/gr%C3%B6%C3%9Fe/a%20b%20.csv?sig=abc"
        );
        assert_eq!(page.shown(), "https://ann@host/größe/a b%20.csv?…");
        assert_eq!(page.path(), "größe/a b%20.csv");
    }
}
