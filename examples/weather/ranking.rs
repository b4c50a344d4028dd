//! Transform: hands the months to a program that was there before all of us.

use std::process::Command;

use condotta::{class::ParamError, prelude::*};

use crate::{filter::FilterWeatherData, in_folder};

/// Orders the months by their days of rain, the wettest first, with the system's `sort`, which
/// reads one file and writes another.
#[derive(Task)]
pub(crate) struct PreprocessWithLegacyTool {
    /// See `WgetWeatherReport`.
    #[param(significant = false)]
    report_url: Option<String>,
}

#[task]
impl Task for PreprocessWithLegacyTool {
    fn requires(&self) -> Result<FilterWeatherData, ParamError> {
        self.clone_as()
    }

    fn output(&self) -> Result<LocalTarget, ParamError> {
        in_folder("ranked.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        // The tool knows nothing of targets: it writes to a temporary path, which becomes the
        // output when all has gone well.
        run.output().temporary_path(|path| {
            let status = Command::new("sort")
                .args(["-t", ",", "-k", "2,2nr", "-k", "3,3nr", "-k", "1,1", "-o"])
                .arg(path)
                .arg(run.input().path())
                .env("LC_ALL", "C")
                .status()?;
            match status.success() {
                true => Ok(()),
                false => Err(format!("sort ended with {status}").into()),
            }
        })?;
        Ok(())
    }
}
