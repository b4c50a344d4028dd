//! One request to a webhook's receiver.

use std::{fs, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use condotta_mail::Secret;
use ring::hmac;
use ureq::{
    Agent,
    http::{HeaderName, HeaderValue, Response, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::config::{Target, WebhookConfig, WebhookError};

/// Carries the signature of the body.
const SIGNATURE: &str = "x-condotta-signature";
/// Carries the message's id.
const ID: &str = "x-condotta-message";
/// The longest wait that a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);
const USER_AGENT: &str = concat!("condotta/", env!("CARGO_PKG_VERSION"));

/// A way to the receiver.
pub(super) struct Client {
    agent: Agent,
    target: Target,
    headers: Vec<(HeaderName, HeaderValue)>,
    key: Option<hmac::Key>,
}

/// A message was not taken.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Refused {
    reason: String,
    /// Whether the same message may be taken later.
    pub(super) is_passing: bool,
    /// When, if the receiver says.
    pub(super) after: Option<Duration>,
}

impl Client {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let target = config.target()?;
        let mut headers = config.header_values()?;
        if let Some(login) = &target.login {
            let value = format!("Basic {}", STANDARD.encode(decoded(login.reveal())));
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| config.wrong("url: user and password cannot be sent"))?;
            value.set_sensitive(true);
            headers.push((header::AUTHORIZATION, value));
        }
        let agent = Agent::config_builder()
            .user_agent(USER_AGENT)
            .timeout_global(Some(config.timeout))
            // What is meant for one receiver goes to no other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .tls_config(tls(config)?)
            .build()
            .new_agent();
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
        Ok(Self {
            agent,
            target,
            headers,
            key: config.secret.as_ref().map(key),
        })
    }

    /// What people may see of the address.
    pub(super) fn shown(&self) -> &str {
        &self.target.shown
    }

    /// Sends a message, and waits for the receiver's word.
    pub(super) fn post(&self, id: &str, body: &[u8]) -> Result<(), Refused> {
        let mut request = self
            .agent
            .post(&self.target.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(ID, id);
        if let Some(key) = &self.key {
            request = request.header(SIGNATURE, signature(key, body));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match request.send(body) {
            Ok(response) => judge(&response),
            Err(error) => Err(Refused {
                reason: self.without_secrets(&error.to_string()),
                is_passing: true,
                after: None,
            }),
        }
    }

    /// Errors may name the address, of which the path can be a secret.
    fn without_secrets(&self, text: &str) -> String {
        let path = self.target.path.as_str();
        if path.len() > 1 {
            text.replace(path, "/…")
        } else {
            text.to_owned()
        }
    }
}

/// `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
fn signature(key: &hmac::Key, body: &[u8]) -> String {
    let tag = hmac::sign(key, body);
    let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256={}", digits.collect::<String>())
}

/// What the receiver's answer means.
fn judge<T>(response: &Response<T>) -> Result<(), Refused> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let after = response.headers().get(header::RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
    let reason = if status.is_redirection() {
        format!("it answers {status}; redirects are not followed: name the final address in url")
    } else {
        format!("it answers {status}")
    };
    Err(Refused {
        reason,
        is_passing: status.is_server_error() || [408, 425, 429].contains(&status.as_u16()),
        after: after.map(|secs| Duration::from_secs(secs).min(LONGEST_ASKED)),
    })
}

fn tls(config: &WebhookConfig) -> Result<TlsConfig, WebhookError> {
    let Some(path) = &config.ca_file else {
        return Ok(TlsConfig::default());
    };
    let wrong = |error: &dyn std::fmt::Display| {
        config.wrong(format!("ca_file {}: {error}", path.display()))
    };
    let pem = fs::read(path).map_err(|error| wrong(&error))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().root_certs(roots).build())
}

/// User and password as they are, where the address has `%40` and the like.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let digits = (bytes[place] == b'%')
            .then(|| text.get(place + 1..place + 3))
            .flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                place += 3;
            }
            None => {
                out.push(bytes[place]);
                place += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test case of RFC 4231.
    #[test]
    fn signatures_are_hmac_sha256() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        assert_eq!(
            signature(&key, b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn answers_say_whether_to_try_again() {
        let judged = |status: u16, after: &str| {
            let response = Response::builder().status(status);
            let response = response.header(header::RETRY_AFTER, after).body(());
            judge(&response.expect("a response"))
        };
        assert!(judged(204, "").is_ok());
        for (status, is_passing) in [(500, true), (429, true), (404, false), (302, false)] {
            let refused = judged(status, "").expect_err("not taken");
            assert_eq!(refused.is_passing, is_passing, "{status}");
        }
        let refused = judged(429, "7").expect_err("not taken");
        assert_eq!(refused.after, Some(Duration::from_secs(7)));
        let refused = judged(503, "99999").expect_err("not taken");
        assert_eq!(refused.after, Some(LONGEST_ASKED));
    }

    #[test]
    fn logins_are_decoded() {
        assert_eq!(decoded("me:p%40ss%"), b"me:p@ss%");
    }
}
