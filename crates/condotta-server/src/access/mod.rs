//! Who asks, and what that role permits.
//!
//! Operators make tokens, each with a name and a role, by commands; the server knows their digests. `http`
//! has the `Gate` find out who sent a request before anything else is done with it; handlers take a
//! `Caller` and say which role they need.

mod attempts;
mod caller;
mod config;
mod credentials;
mod gate;
mod secret;
mod sessions;
mod stream;
mod token_file;
mod tokens;

pub use condotta_protocol::Role;

pub(crate) use self::{
    caller::{Caller, Operator},
    credentials::COOKIE,
    gate::Gate,
    stream::Watched,
    token_file::{LOCK_FILE, TEMPORARY_FILE, TOKENS_FILE, now},
};
pub use self::{
    config::{AccessConfig, Authentication},
    secret::NoRandomness,
    token_file::{NewToken, Token, TokenError, TokenFile},
};
