//! What the methods of a task may return in place of what the trait says.

use std::time::Duration;

use condotta_scheduler::Resources;

use crate::{Error, Result};

/// A value, or a result of any error type.
pub trait IntoResult<T> {
    /// The value, or the error as one of any kind.
    ///
    /// # Errors
    /// Those of `self`.
    fn into_result(self) -> Result<T>;
}

impl<T> IntoResult<T> for T {
    fn into_result(self) -> Result<T> {
        Ok(self)
    }
}

impl<T, E: Into<Error>> IntoResult<T> for Result<T, E> {
    fn into_result(self) -> Result<T> {
        self.map_err(Into::into)
    }
}

/// What `on_success` may return: nothing, a message, or a result of these.
pub trait IntoSuccess {
    /// The message.
    ///
    /// # Errors
    /// Those of `self`.
    fn into_success(self) -> Result<Option<String>>;
}

impl IntoSuccess for () {
    fn into_success(self) -> Result<Option<String>> {
        Ok(None)
    }
}

impl IntoSuccess for String {
    fn into_success(self) -> Result<Option<String>> {
        Ok(Some(self))
    }
}

impl IntoSuccess for Option<String> {
    fn into_success(self) -> Result<Option<String>> {
        Ok(self)
    }
}

impl<T: IntoSuccess, E: Into<Error>> IntoSuccess for Result<T, E> {
    fn into_success(self) -> Result<Option<String>> {
        self.map_err(Into::into)?.into_success()
    }
}

/// Amounts of named resources in any form.
pub trait IntoResources {
    /// As a map.
    fn into_resources(self) -> Resources;
}

impl IntoResources for Resources {
    fn into_resources(self) -> Resources {
        self
    }
}

impl<K: Into<String>, const N: usize> IntoResources for [(K, u64); N] {
    fn into_resources(self) -> Resources {
        self.into_iter()
            .map(|(name, amount)| (name.into(), amount))
            .collect()
    }
}

/// Addresses in any form.
pub trait IntoOwners {
    /// As a list.
    fn into_owners(self) -> Vec<String>;
}

impl<T: Into<String>> IntoOwners for Vec<T> {
    fn into_owners(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<String>, const N: usize> IntoOwners for [T; N] {
    fn into_owners(self) -> Vec<String> {
        self.map(Into::into).into()
    }
}

impl IntoOwners for &str {
    fn into_owners(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl IntoOwners for String {
    fn into_owners(self) -> Vec<String> {
        vec![self]
    }
}

/// A time limit, if any.
pub trait IntoTimeout {
    /// As a length of time.
    fn into_timeout(self) -> Option<Duration>;
}

impl IntoTimeout for Duration {
    fn into_timeout(self) -> Option<Duration> {
        Some(self)
    }
}

impl IntoTimeout for Option<Duration> {
    fn into_timeout(self) -> Option<Duration> {
        self
    }
}
