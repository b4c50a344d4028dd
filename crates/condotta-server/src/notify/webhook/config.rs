//! What a section `[webhook NAME]` says.

use std::{collections::BTreeSet, fmt, path::PathBuf, time::Duration};

use condotta_mail::Secret;
use ureq::http::{HeaderName, HeaderValue, Uri};

use crate::notify::NoticeKind;

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookFormat {
    /// This project's JSON, with everything.
    #[default]
    Json,
    /// `{"text": …}`, which Slack, Mattermost and others show as a message.
    Slack,
}

/// A webhook. Its address may itself be a secret: it is never shown whole.
#[derive(Clone)]
pub struct WebhookConfig {
    /// Its name, by which people speak of it.
    pub name: String,
    /// Where to send; `http` or `https`, perhaps with user and password.
    pub url: Secret,
    /// What to tell of.
    pub events: BTreeSet<NoticeKind>,
    /// Only tasks of these families; a `*` at the end stands for anything. Empty is all, and what is about no task.
    pub families: Vec<String>,
    /// How messages are written.
    pub format: HookFormat,
    /// Signs messages, so that the receiver knows from whom they are.
    pub secret: Option<Secret>,
    /// Sent with each message.
    pub headers: Vec<(String, Secret)>,
    /// How long the receiver may take.
    pub timeout: Duration,
    /// How long to try to send a message.
    pub retry_for: Duration,
    /// How many events a message lists; what is more is counted.
    pub max_events: usize,
    /// The least time from one message to the next.
    pub interval: Duration,
    /// Certificates, in a PEM file, that are trusted instead of the usual ones.
    pub ca_file: Option<PathBuf>,
}

/// A webhook that cannot be called.
#[derive(Debug, thiserror::Error)]
#[error("[webhook {name}] {problem}")]
pub struct WebhookError {
    pub(super) name: String,
    pub(super) problem: String,
}

impl WebhookConfig {
    /// A webhook with the usual settings.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        let unasked = NoticeKind::Done;
        Self {
            name: name.to_owned(),
            url: Secret::new(url),
            events: NoticeKind::ALL
                .into_iter()
                .filter(|kind| *kind != unasked)
                .collect(),
            families: Vec::new(),
            format: HookFormat::Json,
            secret: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            retry_for: Duration::from_secs(3600),
            max_events: 20,
            interval: Duration::from_secs(1),
            ca_file: None,
        }
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> WebhookError {
        WebhookError {
            name: self.name.clone(),
            problem: problem.into(),
        }
    }

    /// Whether it tells of tasks of this family, or of what is about no task.
    pub(super) fn tells_of(&self, family: Option<&str>) -> bool {
        let Some(family) = family else {
            return self.families.is_empty();
        };
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => family.starts_with(start),
            None => family == pattern,
        };
        self.families.is_empty() || self.families.iter().any(fits)
    }

    pub(super) fn target(&self) -> Result<Target, WebhookError> {
        let uri: Uri = self
            .url
            .reveal()
            .parse()
            .map_err(|_| self.wrong("url is no address: write https://host/path"))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        if !["http", "https"].contains(&scheme.as_str()) {
            return Err(self.wrong("url has to begin with http:// or https://"));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        if host.is_empty() {
            return Err(self.wrong("url names no host"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Target {
            url: format!("{scheme}://{host}{path}"),
            login: login.map(Secret::new),
            shown: format!("{scheme}://{host}"),
            path: path.to_owned(),
        })
    }

    /// The headers to send, checked.
    pub(super) fn header_values(&self) -> Result<Vec<(HeaderName, HeaderValue)>, WebhookError> {
        let read = |(name, value): &(String, Secret)| {
            let wrong = |what| self.wrong(format!("headers: the {what} of {name:?} is none"));
            let value = HeaderValue::from_str(value.reveal()).map_err(|_| wrong("value"))?;
            let name = HeaderName::try_from(name).map_err(|_| wrong("name"))?;
            Ok((name, value))
        };
        self.headers.iter().map(read).collect()
    }
}

/// Where a hook sends to.
pub(super) struct Target {
    /// Without user and password.
    pub(super) url: String,
    /// `user:password`, as the address has it.
    pub(super) login: Option<Secret>,
    /// What people may see of it: services put their secrets into paths.
    pub(super) shown: String,
    pub(super) path: String,
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("name", &self.name)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_and_shown_without_their_secrets() {
        let target =
            WebhookConfig::new("x", "https://me:pass@example.com:8443/T0/B1/key?a=b").target();
        let target = target.expect("a good one");
        assert_eq!(target.url, "https://example.com:8443/T0/B1/key?a=b");
        assert_eq!(target.shown, "https://example.com:8443");
        assert_eq!(target.login, Some(Secret::new("me:pass")));
        for (url, said) in [
            ("ftp://example.com/secret", "has to begin with http"),
            ("example.com/secret", "url"),
            ("/secret", "has to begin with http"),
            ("http://bad host/secret", "url is no address"),
        ] {
            let error = WebhookConfig::new("x", url).target().err().expect(url);
            let error = error.to_string();
            assert!(
                error.starts_with("[webhook x] ") && error.contains(said),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn families_are_names_or_beginnings() {
        let mut config = WebhookConfig::new("x", "http://a/");
        assert!(config.tells_of(Some("Load")) && config.tells_of(None));
        config.families = vec!["Load".to_owned(), "report.*".to_owned()];
        assert!(config.tells_of(Some("Load")) && config.tells_of(Some("report.Day")));
        assert!(!config.tells_of(Some("Loader")) && !config.tells_of(None));
    }
}
