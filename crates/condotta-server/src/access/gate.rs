//! Finds out who sent a request, and sends away whoever may not come in.

use std::{fmt, sync::Arc};

use axum::{
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use condotta_protocol::Role;

use super::{
    Caller, Token,
    attempts::{Attempts, Origin, WINDOW},
    caller::Pass,
    config::{AccessConfig, Authentication},
    credentials::{COOKIE, Credentials, session},
    secret::Digest,
    sessions::Sessions,
    token_file::now,
    tokens::{Tokens, find},
};
use crate::{
    http::{error::HttpError, pages},
    listen::{Peer, Transport},
    seldom::Seldom,
};

/// What a program is told to send. A browser that shows a page is asked for it with a dialogue.
const ANY_SCHEME: HeaderValue = HeaderValue::from_static(
    "Bearer realm=\"condotta\", Basic realm=\"condotta\", charset=\"UTF-8\"",
);
/// What a page's script is told to send; no dialogue comes up.
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"condotta\"");

/// The answer to a request that is not let in.
type Refusal = Box<Response>;

/// Lets requests in.
pub(crate) struct Gate {
    authentication: Authentication,
    tokens: Option<Tokens>,
    attempts: Attempts,
    sessions: Sessions,
    failing: Seldom,
}

impl Gate {
    pub(crate) fn new(config: &AccessConfig) -> Self {
        let gate = Self {
            authentication: config.authentication,
            tokens: config.state_dir.as_deref().map(Tokens::of),
            attempts: Attempts::new(config.failures_per_minute),
            sessions: Sessions::new(config.session),
            failing: Seldom::default(),
        };
        // What there is at the start counts from then on. That it cannot be read is told by then.
        let _ = gate.tokens.as_ref().map(Tokens::now);
        gate
    }

    /// Who sends this request. Whoever may only look changes nothing, also where a handler does not
    /// say which role it needs.
    ///
    /// # Errors
    ///
    /// The answer to a request that is not let in.
    pub(crate) fn admit(&self, request: &Parts) -> Result<Caller, Refusal> {
        let mut caller = self.identify(request)?;
        let peer: Option<&Peer> = request.extensions.get();
        caller.address = peer.and_then(|peer| peer.address);
        if changes_something(request) && caller.role < Role::Worker {
            let allowed = caller.require(role_to_change(request));
            allowed.map_err(|error| {
                let mut response = error.into_response();
                // So that it is known whom the answer refuses.
                response.extensions_mut().insert(caller.clone());
                Box::new(response)
            })?;
        }
        Ok(caller)
    }

    /// Whether a caller that was let in would still be, with what it said then.
    pub(crate) fn still_admits(&self, caller: &Caller) -> bool {
        let tokens = match self.tokens() {
            _ if self.authentication == Authentication::Never => return true,
            Ok(tokens) => tokens,
            Err(_) => return false,
        };
        match caller.pass {
            Pass::Socket => true,
            Pass::Open => tokens.is_none(),
            Pass::Token(digest) => {
                let found = tokens.as_deref().and_then(|tokens| find(tokens, &digest));
                found.is_some_and(|token| !token.has_expired(now()))
            }
        }
    }

    fn identify(&self, request: &Parts) -> Result<Caller, Refusal> {
        if self.authentication == Authentication::Never {
            return Ok(Caller::anybody());
        }
        if is_open(request) {
            return Ok(Caller::unknown());
        }
        let tokens = self.tokens()?;
        let always = self.authentication == Authentication::Always;
        let Some(tokens) = tokens.or_else(|| always.then(Arc::default)) else {
            return Ok(Caller::anybody());
        };
        let over_unix = request.extensions.get() == Some(&Transport::Unix);
        match Credentials::of(&request.headers) {
            Credentials::None if over_unix && !always => Ok(Caller::over_socket()),
            Credentials::None => {
                let message = format!(
                    "this scheduler wants a token, which `condotta token create` makes: {HOW}"
                );
                Err(challenge(request, "no_token", &message))
            }
            Credentials::Unclear(reason) => Err(challenge(
                request,
                "bad_credentials",
                &format!("{reason}; {HOW}"),
            )),
            Credentials::Token(token) => self.by_token(request, &tokens, Digest::of(&token)),
            Credentials::Session(session) => self.by_session(request, &tokens, &session),
        }
    }

    fn tokens(&self) -> Result<Option<Arc<[Token]>>, Refusal> {
        let Some(tokens) = &self.tokens else {
            return Ok(None);
        };
        tokens.now().map_err(|_| {
            let message = "the server cannot read its tokens now; its log says why";
            HttpError::unavailable("no_tokens", message)
                .into_response()
                .into()
        })
    }

    fn by_token(
        &self,
        request: &Parts,
        tokens: &[Token],
        digest: Digest,
    ) -> Result<Caller, Refusal> {
        let peer = request.extensions.get().copied().unwrap_or_default();
        let Peer { address, .. } = peer;
        let origin = Origin::of(address);
        let why = match find(tokens, &digest) {
            Some(token) if !token.has_expired(now()) => {
                if self.attempts.succeed(origin, digest) {
                    return Ok(Caller::with(token));
                }
                return Err(self.too_many(peer));
            }
            Some(token) => Wrong::Expired(&token.name),
            None => Wrong::Unknown,
        };
        if !self.attempts.fail(origin) {
            return Err(self.too_many(peer));
        }
        if self.failing.is_due() {
            tracing::warn!("refused a request from {peer}: {why}");
        }
        let message = format!("{why}; {HOW}");
        Err(challenge(request, "bad_token", &message))
    }

    fn by_session(
        &self,
        request: &Parts,
        tokens: &[Token],
        session: &str,
    ) -> Result<Caller, Refusal> {
        let digest = self.sessions.token(session);
        let token = digest.and_then(|digest| find(tokens, &digest));
        match token.filter(|token| !token.has_expired(now())) {
            Some(token) => Ok(Caller::with(token)),
            None => {
                let message = "the session is over: sign in again with a token";
                Err(challenge(request, "session_over", message))
            }
        }
    }

    fn too_many(&self, peer: Peer) -> Refusal {
        if self.failing.is_due() {
            tracing::warn!("refused requests from {peer}: too many wrong tokens");
        }
        let secs = WINDOW.as_secs();
        let message =
            format!("too many wrong tokens came from your address; try again in {secs} s");
        let error = HttpError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
        let mut response = error.into_response();
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        response.into()
    }

    /// Begins a session for whoever sent a request with a token; the cookie for it.
    pub(crate) fn sign_in(&self, request: &Parts) -> Result<HeaderValue, HttpError> {
        let Credentials::Token(token) = Credentials::of(&request.headers) else {
            let message = format!("a session is begun with a token: {HOW}");
            return Err(HttpError::bad_request("no_token", message));
        };
        let session = self.sessions.begin(Digest::of(&token)).map_err(|error| {
            HttpError::unavailable("no_session", format!("there is no session: {error}"))
        })?;
        Ok(cookie(request, &session, self.sessions.lasts().as_secs()))
    }

    /// Ends the session of a request, if it has one; what takes the cookie away.
    pub(crate) fn sign_out(&self, request: &Parts) -> HeaderValue {
        if let Some(secret) = session(&request.headers) {
            self.sessions.end(&secret);
        }
        cookie(request, "", 0)
    }
}

const HOW: &str = "send one as `Authorization: Bearer TOKEN`, or as the password in the URL, \
                   http://user:TOKEN@host; condotta's own programs take it from CONDOTTA_TOKEN, too";

/// What is wrong with a token.
enum Wrong<'a> {
    Unknown,
    Expired(&'a str),
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such token, or it was revoked"),
            Self::Expired(name) => write!(f, "the token `{name}` has expired"),
        }
    }
}

/// What anybody may ask, as it tells nothing: whether the server lives, what browsers ask by
/// themselves, and whether a page of another origin may ask.
fn is_open(request: &Parts) -> bool {
    let path = request.uri.path();
    match request.method {
        Method::OPTIONS => true,
        Method::HEAD if path == "/" => true,
        Method::GET | Method::HEAD => {
            matches!(path, "/robots.txt" | "/favicon.ico") || pages::is_file(path)
        }
        _ => false,
    }
}

/// Whether the verb says so. Luigi's calls are posts all, and each has its role; to sign in changes
/// nothing.
fn changes_something(request: &Parts) -> bool {
    let path = request.uri.path();
    let looks = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    !looks && path.starts_with("/api/v1/") && path != "/api/v1/session"
}

/// The role that a request needs which changes something by the REST API: all but one are operators'.
fn role_to_change(request: &Parts) -> Role {
    match request.uri.path() {
        "/api/v1/attempt-log" => Role::Worker,
        _ => Role::Operator,
    }
}

/// 401 with the way to do better.
fn challenge(request: &Parts, code: &'static str, message: &str) -> Refusal {
    let error = HttpError::new(StatusCode::UNAUTHORIZED, code, message);
    let mut response = error.into_response();
    let mode = request.headers.get("sec-fetch-mode");
    let is_script = mode.is_some_and(|mode| mode != "navigate");
    let schemes = if is_script { BEARER } else { ANY_SCHEME };
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, schemes);
    response.into()
}

/// Our cookie with this value. Browsers send it to this server alone, from its own pages alone, and
/// encrypted if it came so.
fn cookie(request: &Parts, value: &str, lasts_secs: u64) -> HeaderValue {
    let peer: Option<&Peer> = request.extensions.get();
    let by_proxy = request.headers.get("x-forwarded-proto");
    let encrypted =
        peer.is_some_and(|peer| peer.encrypted) || by_proxy.is_some_and(|scheme| scheme == "https");
    let secure = if encrypted { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; Path=/; Max-Age={lasts_secs}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::try_from(text).expect("a secret is plain text")
}
