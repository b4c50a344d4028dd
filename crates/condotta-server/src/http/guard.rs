//! Who may ask: the name under which the server was addressed, and the page that asks.
//!
//! A browser sends requests for any page that it shows, so the server must know its own names (or
//! a page could make its own name point here) and tell its own pages from others. Workers send
//! neither `Origin` nor `Sec-Fetch-Site` and pass.

use std::net::IpAddr;

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version, header, header::HeaderMap as Headers,
    request::Parts,
};

use super::{
    config::{Cors, HttpConfig},
    error::HttpError,
};
use crate::{listen::Transport, seldom::Seldom};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Decides who may ask.
#[derive(Debug)]
pub(crate) struct Guard {
    told: Vec<String>,
    own: Option<String>,
    cors: Cors,
    foreign_host: Seldom,
    foreign_origin: Seldom,
}

impl Guard {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        let lower = |name: &String| name.trim_end_matches('.').to_ascii_lowercase();
        let own = nix::unistd::gethostname().ok();
        Self {
            told: config.allowed_hosts.iter().map(lower).collect(),
            own: own.and_then(|name| Some(lower(&name.into_string().ok()?))),
            cors: config.cors.clone(),
            foreign_host: Seldom::default(),
            foreign_origin: Seldom::default(),
        }
    }

    /// Whether this request may be answered at all.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), HttpError> {
        let host = host(request)?;
        let over_unix = request.extensions.get() == Some(&Transport::Unix);
        if let Some(host) = host
            && !over_unix
        {
            self.check_host(host)
                .inspect_err(|error| tell(error, &self.foreign_host))?;
        }
        if request.method == Method::OPTIONS {
            return Ok(());
        }
        let checked = self.check_origin(request, host);
        checked.inspect_err(|error| tell(error, &self.foreign_origin))
    }

    fn check_host(&self, host: &str) -> Result<(), HttpError> {
        let known =
            name_of(host).is_some_and(|name| self.is_own_name(&name) || self.is_told(&name));
        if known {
            return Ok(());
        }
        let name = shown(name_of(host).as_deref().unwrap_or(host));
        Err(HttpError::forbidden(
            "foreign_host",
            format!(
                "this server does not answer to the name `{name}`; if it is one of its names, start it with --allowed-host {name}"
            ),
        ))
    }

    fn is_own_name(&self, name: &str) -> bool {
        name == "localhost" || name.parse::<IpAddr>().is_ok() || self.own.as_deref() == Some(name)
    }

    fn is_told(&self, name: &str) -> bool {
        self.told.iter().any(|told| {
            told == "*" || told == name || (told.starts_with('.') && name.ends_with(told.as_str()))
        })
    }

    fn check_origin(&self, request: &Parts, host: Option<&str>) -> Result<(), HttpError> {
        let headers = &request.headers;
        let origin = headers.get(header::ORIGIN);
        let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let own = origin.is_none_or(|origin| self.is_own_origin(origin, host));
        if own && site != Some(b"cross-site") {
            return Ok(());
        }
        // A link to a page is no more than a look at it, wherever the link stands.
        let navigates = headers
            .get(SEC_FETCH_MODE)
            .is_some_and(|mode| mode == "navigate");
        if origin.is_none() && navigates && request.method == Method::GET && !is_api(request) {
            return Ok(());
        }
        let Some(origin) = origin else {
            return Err(HttpError::forbidden(
                "foreign_origin",
                "a page of another site sent this request (Sec-Fetch-Site: cross-site); the section [cors] of the configuration can allow its origin",
            ));
        };
        if self.cors.allowed_origin(origin).is_none() {
            let origin = shown(&String::from_utf8_lossy(origin.as_bytes()));
            return Err(HttpError::forbidden(
                "foreign_origin",
                format!(
                    "a page of `{origin}` sent this request, and that is not this server; if it is, start it with --allowed-host and its name, else add the origin to `allowed_origins` in section [cors]"
                ),
            ));
        }
        if self.cors.allows(&request.method) {
            return Ok(());
        }
        let verb = &request.method;
        Err(HttpError::forbidden(
            "foreign_origin",
            format!(
                "pages of other origins may not use {verb}; `allowed_methods` in section [cors] says what they may use"
            ),
        ))
    }

    /// Whether a page of this server has that origin. Behind a proxy that changes `Host`, a name
    /// that the server was told (by itself, not as one of many) is its own too.
    fn is_own_origin(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Some((scheme, authority)) =
            origin.to_str().ok().and_then(|text| text.split_once("://"))
        else {
            return false;
        };
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        let plain = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
        host.is_some_and(|host| plain(host) == plain(authority))
            || name_of(authority).is_some_and(|name| self.told.contains(&name))
    }

    /// Adds what tells a browser that another origin's page may read the answer.
    pub(crate) fn add_cors(&self, origin: Option<&HeaderValue>, answer: &mut Headers) {
        let Some((allowed, varies)) = origin.and_then(|origin| self.cors.allowed_origin(origin))
        else {
            return;
        };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if varies {
            answer.insert(
                header::VARY,
                HeaderValue::from_static("Origin, Accept-Encoding"),
            );
        }
    }

    /// Adds what answers a browser that asks whether it may ask.
    pub(crate) fn add_preflight(&self, origin: Option<&HeaderValue>, answer: &mut Headers) {
        let Some((allowed, _)) = origin.and_then(|origin| self.cors.allowed_origin(origin)) else {
            return;
        };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        let cors = &self.cors;
        let max_age = cors.max_age.to_string();
        let credentials = if cors.allow_credentials { "true" } else { "" };
        for (name, text) in [
            (header::ACCESS_CONTROL_MAX_AGE, max_age.as_str()),
            (header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allowed_methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allowed_headers),
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed_headers),
        ] {
            if let (false, Ok(value)) = (text.is_empty(), HeaderValue::from_str(text)) {
                answer.insert(name, value);
            }
        }
    }
}

impl Cors {
    /// What `Access-Control-Allow-Origin` says to that origin, and whether it depends on the origin.
    fn allowed_origin(&self, origin: &HeaderValue) -> Option<(HeaderValue, bool)> {
        if !self.enabled || origin.is_empty() {
            return None;
        }
        if origin == "null" {
            return self.allow_null_origin.then(|| (origin.clone(), false));
        }
        if self.allow_any_origin {
            return Some((HeaderValue::from_static("*"), false));
        }
        let listed = self
            .allowed_origins
            .iter()
            .any(|allowed| allowed != "*" && origin == allowed);
        listed.then(|| (origin.clone(), true))
    }

    fn allows(&self, verb: &Method) -> bool {
        let mut verbs = self.allowed_methods.split(',').map(str::trim);
        verbs.any(|allowed| allowed == verb.as_str())
    }
}

/// Logs a refusal: workers show their users only its number, not the reason.
fn tell(error: &HttpError, seldom: &Seldom) {
    if seldom.is_due() {
        tracing::warn!("refused a request: {}", error.message());
    }
}

/// The one authority that the request names. HTTP/1.0 may name none.
fn host(request: &Parts) -> Result<Option<&str>, HttpError> {
    let unclear = |reason: &str| HttpError::bad_request("bad_host", reason).and_close();
    let mut values = request.headers.get_all(header::HOST).iter();
    let named = match (values.next(), values.next()) {
        (Some(_), Some(_)) => return Err(unclear("the request has two Host headers")),
        (Some(host), None) => {
            let text = host.to_str();
            Some(text.map_err(|_| unclear("the Host header is no name"))?)
        }
        (None, _) if request.version >= Version::HTTP_11 && request.uri.authority().is_none() => {
            return Err(unclear("the request has no Host header"));
        }
        (None, _) => None,
    };
    // A proxy's form of request names the host in its first line, which then counts.
    Ok(request
        .uri
        .authority()
        .map(|authority| authority.as_str())
        .or(named))
}

/// The name in an authority, without port, in lower case.
fn name_of(authority: &str) -> Option<String> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            (
                name,
                rest.strip_prefix(':').or(rest.is_empty().then_some(""))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let right = !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

fn is_api(request: &Parts) -> bool {
    request.uri.path().contains("/api/")
}

/// At most 100 characters, so that an answer does not grow with what it refuses.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// What is said to browsers with each answer: take nothing else for content, show it in no frame.
pub(crate) fn add_security(answer: &mut HeaderMap) {
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        // The page says itself what it may load.
        let value = HeaderValue::from_static(value);
        answer.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};

    use super::*;

    fn guard(allowed: &[&str], cors: Cors) -> Guard {
        Guard::new(&HttpConfig {
            allowed_hosts: allowed.iter().map(|&name| name.to_owned()).collect(),
            cors,
            ..HttpConfig::default()
        })
    }

    fn check(guard: &Guard, verb: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(verb).uri("/api/ping");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        guard.check(&request.into_parts().0).is_ok()
    }

    #[test]
    fn names_are_known_or_refused() {
        let guard = guard(&["luigi.example.com", ".wide.example"], Cors::default());
        for known in [
            "localhost",
            "LocalHost:8082",
            "127.0.0.1",
            "10.1.2.3:80",
            "[::1]:8082",
            "[::1]",
            "luigi.example.com",
            "Luigi.Example.com.:99",
            "a.b.wide.example",
        ] {
            assert!(check(&guard, "POST", &[("host", known)]), "{known}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            ":80",
            "a:b",
            "[::1",
            "[::1]x",
            "wide.example",
            "localhost:80:80",
            "evilwide.example",
        ] {
            assert!(!check(&guard, "POST", &[("host", foreign)]), "{foreign}");
        }
        assert!(!check(&guard, "POST", &[]));
        assert!(!check(
            &guard,
            "POST",
            &[("host", "localhost"), ("host", "localhost")]
        ));
    }

    #[test]
    fn the_machines_own_name_is_known() {
        let own = nix::unistd::gethostname()
            .expect("a name")
            .into_string()
            .expect("text");
        assert!(check(
            &guard(&[], Cors::default()),
            "POST",
            &[("host", &own)]
        ));
    }

    #[test]
    fn foreign_pages_are_refused() {
        let strict = guard(&["luigi.example.com"], Cors::default());
        let post = |origin: &str| {
            check(
                &strict,
                "POST",
                &[("host", "localhost:8082"), ("origin", origin)],
            )
        };
        assert!(post("http://localhost:8082"));
        assert!(post("https://luigi.example.com"));
        for foreign in [
            "http://localhost:9000",
            "http://127.0.0.1:8082",
            "null",
            "https://evil.example",
            "file://localhost:8082",
            "localhost:8082",
            "http://localhost",
        ] {
            assert!(!post(foreign), "{foreign}");
        }
        let site = |value: &str| {
            check(
                &strict,
                "GET",
                &[("host", "localhost"), ("sec-fetch-site", value)],
            )
        };
        assert!(site("same-origin") && site("none") && site("same-site"));
        assert!(!site("cross-site"));
        let default_port = [("host", "localhost"), ("origin", "http://localhost:80")];
        assert!(check(&strict, "POST", &default_port));
    }

    #[test]
    fn cors_opens_what_it_says() {
        let listed = |allowed_methods: &str| Cors {
            enabled: true,
            allowed_origins: vec!["https://friend.example".to_owned(), "*".to_owned()],
            allowed_methods: allowed_methods.to_owned(),
            ..Cors::default()
        };
        let ask = |cors: Cors, verb: &str, origin: &str| {
            let headers = [
                ("host", "localhost"),
                ("origin", origin),
                ("sec-fetch-site", "cross-site"),
            ];
            check(&guard(&[], cors), verb, &headers)
        };
        assert!(ask(listed("GET, OPTIONS"), "GET", "https://friend.example"));
        assert!(!ask(
            listed("GET, OPTIONS"),
            "POST",
            "https://friend.example"
        ));
        assert!(ask(listed("GET, POST"), "POST", "https://friend.example"));
        assert!(!ask(listed("GET"), "GET", "https://evil.example"));
        assert!(!ask(listed("GET"), "GET", "*"));
        let any = Cors {
            enabled: true,
            allow_any_origin: true,
            ..Cors::default()
        };
        assert!(ask(any.clone(), "GET", "https://evil.example"));
        assert!(!ask(any, "GET", "null"));
    }
}
