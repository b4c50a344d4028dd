//! Finds the scheduler that settings name.

use std::sync::Arc;

use condotta_worker::{LocalScheduler, Scheduler};

use super::{
    options::{self, Place},
    settings::{SettingError, Settings},
};

/// There is no scheduler to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// This version speaks to no scheduler server.
    #[error(
        "cannot use the scheduler at {0}: this version of condotta has no client for scheduler \
         servers yet; run with --local-scheduler, or say local_scheduler = true in section [core] \
         of luigi.cfg"
    )]
    NoClient(String),
}

/// The scheduler at that place.
pub(crate) fn scheduler(
    place: &Place,
    settings: &Settings,
) -> Result<Arc<dyn Scheduler>, ConnectError> {
    match place {
        Place::Local => local(settings),
        Place::Remote(url) => connect(url),
    }
}

/// A scheduler server.
fn connect(url: &str) -> Result<Arc<dyn Scheduler>, ConnectError> {
    Err(ConnectError::NoClient(url.to_owned()))
}

/// A scheduler in this process, with section `[scheduler]` and the limits of `[resources]`.
fn local(settings: &Settings) -> Result<Arc<dyn Scheduler>, ConnectError> {
    let config = options::scheduler_config(settings)?;
    let limits = options::resources(settings)?;
    Ok(Arc::new(LocalScheduler::new(config, limits)))
}
