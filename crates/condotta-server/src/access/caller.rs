//! A caller with its role, found among a request's extensions. Knows nothing of tokens.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use condotta_protocol::Role;

use super::{Token, secret::Digest};
use crate::http::error::HttpError;

/// Whoever sent a request; an extractor.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token, or what stands for one where none is asked for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
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
            pass: Pass::Open,
        }
    }

    /// Whoever asks for what is open to all; may only look.
    pub(super) fn unknown() -> Self {
        Self {
            name: "anybody".to_owned(),
            role: Role::Viewer,
            pass: Pass::Open,
        }
    }

    /// Whoever may open the Unix socket's file.
    pub(super) fn over_socket() -> Self {
        Self {
            name: "unix-socket".to_owned(),
            role: Role::Operator,
            pass: Pass::Socket,
        }
    }

    /// Whoever has a token.
    pub(super) fn with(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            role: token.role,
            pass: Pass::Token(token.digest),
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
            format!("this needs the role {needed}, and the token `{name}` has the role {role}"),
        ))
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
