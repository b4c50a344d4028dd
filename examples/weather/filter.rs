//! Transform: joins the report and the snapshot by month.

use std::path::Path;

use condotta::{class::ParamError, prelude::*};

use crate::{months, report::WgetWeatherReport, snapshot::GetTemperatureSnapshot, stored};

/// Counts each month's days of rain, finds its extremes and adds what is usual. The lines of the
/// output are month, days of rain, millimetres of rain, highest, lowest and usual temperature.
#[derive(Task)]
pub(crate) struct FilterWeatherData {
    /// See `WgetWeatherReport`.
    #[param(significant = false)]
    report_url: Option<String>,
    /// What does the work: this program, or Spark, as section `[spark]` says.
    #[param(choices = ["rust", "spark"], default = "rust", significant = false)]
    filter_with: String,
    /// See `IngestToDatabase`.
    #[param(significant = false, visibility = private)]
    storage: Option<String>,
}

/// The same for Spark.
const FILTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weather/filter.py");

#[task]
impl Task for FilterWeatherData {
    fn requires(&self) -> Result<(WgetWeatherReport, GetTemperatureSnapshot), ParamError> {
        Ok((self.clone_as()?, self.clone_as()?))
    }

    fn output(&self) -> Result<UrlTarget, ParamError> {
        stored(self.storage.as_deref(), "monthly.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let (report, temperatures) = run.input();
        if self.filter_with == "spark" {
            // The script reads files and prints. So inputs are fetched, and what is printed is stored in the
            // end: no connection waits for Spark.
            let (report, temperatures) = (report.local_copy()?, temperatures.local_copy()?);
            let spark = run.spark(FILTER)?.name("FilterWeatherData");
            let spark = spark.arg(&report).arg(&temperatures);
            let printed = |path: &Path| Ok(spark.stdout(&LocalTarget::new(path)).run()?);
            return Ok(run.output().temporary_path(printed)?);
        }
        let months = months::by_month(report.reader()?, temperatures.reader()?)?;
        run.set_status_message(format!("{} months", months.len()));
        run.output().write_with(|file| {
            let mut lines = csv::Writer::from_writer(file);
            for month in months {
                lines.serialize((
                    month.month,
                    month.rain_days,
                    month.precipitation,
                    month.highest,
                    month.lowest,
                    month.normal,
                ))?;
            }
            Ok(lines.flush()?)
        })?;
        Ok(())
    }
}
