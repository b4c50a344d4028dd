//! What every target is.

use std::fmt;

use crate::TargetError;

/// The output of a task, which exists or does not. It is displayed as people name it.
pub trait Target: fmt::Display + Send + Sync + 'static {
    /// Whether the output is there.
    ///
    /// # Errors
    /// It cannot be found out.
    fn exists(&self) -> Result<bool, TargetError>;
}
