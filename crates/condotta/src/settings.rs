//! The values that a process was given from outside: task-qualified flags of its command line, and
//! its configuration.
//!
//! Whoever reads those, such as the command line, [`install`]s them once. Until then there is the
//! configuration alone.

use std::sync::{LazyLock, OnceLock};

use condotta_config::Config;

use crate::{
    class::{Origin, ParamSource, ParamSpec},
    cli::{CommandLine, Settings},
};

static SETTINGS: OnceLock<Box<dyn ParamSource + Send + Sync>> = OnceLock::new();

/// What there is in a program that runs nothing, or has not begun to.
static CONFIGURATION: LazyLock<Option<Settings>> = LazyLock::new(|| match Config::load_default() {
    Ok(config) => Some(Settings::new(config, CommandLine::default())),
    Err(error) => {
        tracing::error!("the configuration is left aside: {error}");
        None
    }
});

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

/// What was installed; before that, the configuration in its usual places.
#[derive(Clone, Copy, Debug)]
pub struct Installed;

impl ParamSource for Installed {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        match SETTINGS.get() {
            Some(settings) => settings.given(family, param),
            None => CONFIGURATION.as_ref()?.given(family, param),
        }
    }
}
