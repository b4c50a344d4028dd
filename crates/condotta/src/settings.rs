//! The values that a process was given from outside: task-qualified flags of its command line, and
//! its configuration.
//!
//! Whoever reads those, such as the command line, [`install`]s them once. Until then there are none.

use std::sync::OnceLock;

use crate::class::{Origin, ParamSource, ParamSpec};

static SETTINGS: OnceLock<Box<dyn ParamSource + Send + Sync>> = OnceLock::new();

/// Sets what builders of tasks and config sections see from now on.
///
/// # Errors
/// It was set before; the first stays.
pub fn install(settings: impl ParamSource + Send + Sync + 'static) -> Result<(), AlreadyInstalled> {
    SETTINGS
        .set(Box::new(settings))
        .map_err(|_| AlreadyInstalled)
}

/// The settings of this process are set already.
#[derive(Debug, thiserror::Error)]
#[error("the settings of this process are set already")]
pub struct AlreadyInstalled;

/// What was installed; nothing before that.
#[derive(Clone, Copy, Debug)]
pub struct Installed;

impl ParamSource for Installed {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        SETTINGS.get()?.given(family, param)
    }
}
