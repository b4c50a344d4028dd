//! Why a request is refused. Nothing has changed then.

use thiserror::Error;

use crate::convert::Mismatch;

/// Why a request is refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum RpcError {
    /// There is no such method.
    #[error("there is no method `{method}`")]
    UnknownMethod {
        /// What was called.
        method: String,
    },
    /// An argument without default was left out, or given as null.
    #[error("{method} needs the argument `{argument}`")]
    MissingArgument {
        /// The method.
        method: &'static str,
        /// The argument.
        argument: &'static str,
    },
    /// An argument has a value of another kind than the method takes.
    #[error("{method}: `{argument}` is {given}, expected {expected}")]
    BadArgument {
        /// The method.
        method: &'static str,
        /// The argument, with the way into it, as in `resources.gpu`.
        argument: String,
        /// What was given, shortened.
        given: String,
        /// What the method takes there.
        expected: &'static str,
    },
    /// The scheduler itself refuses.
    #[error(transparent)]
    Refused(#[from] condotta_scheduler::Refusal),
}

impl RpcError {
    /// The argument `name` of `method` is of the wrong kind.
    pub(crate) fn bad_argument(method: &'static str, name: &str, mismatch: Mismatch) -> Self {
        Self::BadArgument {
            method,
            argument: format!("{name}{}", mismatch.path),
            given: mismatch.given,
            expected: mismatch.expected,
        }
    }
}
