//! Finds the scheduler that settings name.

use std::sync::Arc;

use condotta_worker::{LocalScheduler, RemoteError, RemoteScheduler, Scheduler, StopSignal};

use super::{
    options::{self, Place},
    settings::{SettingError, Settings},
};

/// There is no scheduler to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// The scheduler at that place.
pub(crate) fn scheduler(
    place: &Place,
    settings: &Settings,
    stop: &StopSignal,
) -> Result<Arc<dyn Scheduler>, ConnectError> {
    match place {
        Place::Local => local(settings),
        Place::Remote(url) => connect(url, settings, stop),
    }
}

/// A scheduler server. Whether it answers is found out by the first request, as in Luigi.
fn connect(
    url: &str,
    settings: &Settings,
    stop: &StopSignal,
) -> Result<Arc<dyn Scheduler>, ConnectError> {
    let options = options::remote_options(settings, stop.clone())?;
    Ok(Arc::new(RemoteScheduler::new(url, options)?))
}

/// A scheduler in this process, with section `[scheduler]` and the limits of `[resources]`.
fn local(settings: &Settings) -> Result<Arc<dyn Scheduler>, ConnectError> {
    let config = options::scheduler_config(settings)?;
    let limits = options::resources(settings)?;
    Ok(Arc::new(LocalScheduler::new(config, limits)))
}
