//! Transform: hands the months to a program that was there before all of us.

use condotta::{class::ParamError, prelude::*};

use crate::{filter::FilterWeatherData, stored};

/// Orders the months by their days of rain, the wettest first, with the system's `sort`.
#[derive(Task)]
pub(crate) struct PreprocessWithLegacyTool {
    /// See `WgetWeatherReport`.
    #[param(significant = false)]
    report_url: Option<String>,
    /// See `FilterWeatherData`.
    #[param(choices = ["rust", "spark"], default = "rust", significant = false)]
    filter_with: String,
    /// See `IngestToDatabase`.
    #[param(significant = false, visibility = private)]
    storage: Option<String>,
}

#[task]
impl Task for PreprocessWithLegacyTool {
    fn requires(&self) -> Result<FilterWeatherData, ParamError> {
        self.clone_as()
    }

    fn output(&self) -> Result<UrlTarget, ParamError> {
        stored(self.storage.as_deref(), "ranked.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        // The tool knows nothing of targets. It is given what it reads, and writes to a temporary path, which
        // becomes the output when all has gone well.
        run.output().temporary_path(|path| {
            let sort = run.program("sort").env("LC_ALL", "C");
            let keys = ["-t", ",", "-k", "2,2nr", "-k", "3,3nr", "-k", "1,1"];
            let sort = sort.args(keys).arg("-o").arg(path);
            Ok(sort.stdin(&run.input()).run()?)
        })?;
        Ok(())
    }
}
