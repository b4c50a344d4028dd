//! Extract: downloads the daily weather report.

use std::io;

use condotta::{class::ParamError, prelude::*};

use crate::{outside, stored};

/// Downloads the weather report into the storage.
#[derive(Task)]
pub(crate) struct WgetWeatherReport {
    /// Where the report is; by default on a file server that this program starts.
    #[param(significant = false)]
    report_url: Option<String>,
    /// See `IngestToDatabase`.
    #[param(significant = false, visibility = private)]
    storage: Option<String>,
}

#[task]
impl Task for WgetWeatherReport {
    fn output(&self) -> Result<UrlTarget, ParamError> {
        stored(self.storage.as_deref(), "report.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let url = match &self.report_url {
            Some(url) => url.clone(),
            None => outside::report_url()?,
        };
        run.set_tracking_url(&url);
        let mut response = ureq::get(&url)
            .call()
            .map_err(|error| format!("{url}: {error}"))?;
        let mut body = response.body_mut().as_reader();
        run.output()
            .write_with(|file| Ok(io::copy(&mut body, file)?))?;
        Ok(())
    }
}
