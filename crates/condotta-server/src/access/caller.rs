//! A caller with its role, found among a request's extensions. Knows nothing of tokens.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use condotta_protocol::Role;

use super::{Token, secret::Digest};
use crate::{
    audit::{self, Deed, LetInBy},
    http::{Server, error::HttpError},
};

/// Whoever sent a request; an extractor.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token, or what stands for one where none is asked for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// From where it comes; nothing over a Unix socket.
    pub(crate) address: Option<IpAddr>,
    pub(super) pass: Pass,
}

/// By what a caller was let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nobody was asked.
    Open,
    /// The Unix socket's file.
    Socket,
    /// A token, or a session in its name.
    Token(Digest),
}

impl Caller {
    /// Whoever asks where nobody has to say who it is.
    pub(crate) fn anybody() -> Self {
        Self {
            name: "anybody".to_owned(),
            role: Role::Operator,
            address: None,
            pass: Pass::Open,
        }
    }

    /// Whoever asks for what is open to all; may only look.
    pub(super) fn unknown() -> Self {
        Self {
            name: "anybody".to_owned(),
            role: Role::Viewer,
            address: None,
            pass: Pass::Open,
        }
    }

    /// Whoever may open the Unix socket's file.
    pub(super) fn over_socket() -> Self {
        Self {
            name: "unix-socket".to_owned(),
            role: Role::Operator,
            address: None,
            pass: Pass::Socket,
        }
    }

    /// Whoever has a token.
    pub(super) fn with(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            role: token.role,
            address: None,
            pass: Pass::Token(token.digest),
        }
    }

    /// By what it was let in, as the audit trail says it.
    pub(crate) fn let_in_by(&self) -> LetInBy {
        match self.pass {
            Pass::Open => LetInBy::Nothing,
            Pass::Socket => LetInBy::UnixSocket,
            Pass::Token(_) => LetInBy::Token,
        }
    }

    /// Who it is, in a sentence: only a token has a name.
    pub(crate) fn in_words(&self) -> &str {
        match self.pass {
            Pass::Token(_) => &self.name,
            Pass::Open | Pass::Socket => "an operator",
        }
    }

    /// Whether it may do what `needed` may.
    ///
    /// # Errors
    ///
    /// 403 with the reason, if it may not.
    pub(crate) fn require(&self, needed: Role) -> Result<(), HttpError> {
        if self.role >= needed {
            return Ok(());
        }
        let Self { name, role, .. } = self;
        Err(HttpError::forbidden(
            "forbidden",
            format!(
                "this needs the role {needed}, and the token `{name}` has the role {role}; an operator makes \
                 others with `condotta token create NAME --role {needed}`"
            ),
        ))
    }
}

/// A caller that may do everything; an extractor, which sends others away.
pub(crate) struct Operator(pub(crate) Caller);

impl Operator {
    /// Writes down what it did, once that is done.
    pub(crate) async fn did(&self, server: &Server, deed: Deed) {
        audit::note(server, &self.0, deed).await;
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(Role::Operator)?;
        Ok(Self(caller))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let caller = parts.extensions.get::<Self>().cloned();
        // Whoever was not looked at may do nothing.
        caller.ok_or_else(|| {
            let message = "nobody found out who sent this request";
            HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message)
        })
    }
}
