//! The keyword arguments of one request. Taking one converts it, and an error names method and argument.
//!
//! Arguments that a method does not know stay untaken and are ignored, in every method.

use crate::{
    convert::{self, Mismatch},
    error::RpcError,
    json::{Json, Object},
};

/// The keyword arguments of a request to `method`.
pub(crate) struct Arguments {
    method: &'static str,
    values: Object,
}

impl Arguments {
    pub(crate) fn new(method: &'static str, values: Object) -> Self {
        Self { method, values }
    }

    /// An argument that has to be given, and not as null.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<T, RpcError> {
        self.optional(name, convert)?
            .ok_or(RpcError::MissingArgument {
                method: self.method,
                argument: name,
            })
    }

    /// An argument whose absence and null mean the same.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<Option<T>, RpcError> {
        match self.values.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => self.converted(name, convert(value)).map(Some),
        }
    }

    /// An argument with a default for its absence only, so that `convert` also sees null.
    pub(crate) fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<T, RpcError> {
        match self.values.take(name) {
            None => Ok(default),
            Some(value) => self.converted(name, convert(value)),
        }
    }

    /// An argument that has to be given, be it as null.
    pub(crate) fn given<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<T, RpcError> {
        self.or(name, None, |value| convert(value).map(Some))?
            .ok_or(RpcError::MissingArgument {
                method: self.method,
                argument: name,
            })
    }

    /// A text that has to be given.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, RpcError> {
        self.required(name, convert::text)
    }

    /// True or false; null is false.
    pub(crate) fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, RpcError> {
        self.or(name, default, convert::flag)
    }

    /// The method and all arguments.
    pub(crate) fn take_all(&mut self) -> (&'static str, Vec<(String, Json)>) {
        (self.method, std::mem::take(&mut self.values).into_entries())
    }

    /// Puts the names to an error.
    pub(crate) fn converted<T>(
        &self,
        name: &str,
        result: Result<T, Mismatch>,
    ) -> Result<T, RpcError> {
        result.map_err(|mismatch| RpcError::bad_argument(self.method, name, mismatch))
    }
}
