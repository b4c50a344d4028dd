//! Transform: joins the report and the snapshot by month.

use condotta::{class::ParamError, prelude::*};

use crate::{in_folder, months, report::WgetWeatherReport, snapshot::GetTemperatureSnapshot};

/// Counts each month's days of rain, finds its extremes and adds what is usual. The lines of the
/// output are month, days of rain, millimetres of rain, highest, lowest and usual temperature.
#[derive(Task)]
pub(crate) struct FilterWeatherData {
    /// See `WgetWeatherReport`.
    #[param(significant = false)]
    report_url: Option<String>,
}

#[task]
impl Task for FilterWeatherData {
    fn requires(&self) -> Result<(WgetWeatherReport, GetTemperatureSnapshot), ParamError> {
        Ok((self.clone_as()?, GetTemperatureSnapshot))
    }

    fn output(&self) -> Result<LocalTarget, ParamError> {
        in_folder("monthly.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let (report, temperatures) = run.input();
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
