//! Extract: dumps a table of somebody else's database.

use condotta::{class::ParamError, prelude::*};

use crate::{outside, stored, warehouse};

/// Dumps the table of hourly temperatures into the storage.
#[derive(Task)]
pub(crate) struct GetTemperatureSnapshot {
    /// See `IngestToDatabase`.
    #[param(significant = false, visibility = private)]
    storage: Option<String>,
}

#[task]
impl Task for GetTemperatureSnapshot {
    fn output(&self) -> Result<UrlTarget, ParamError> {
        stored(self.storage.as_deref(), "temperatures.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let source = warehouse::database("source.sqlite")?;
        outside::fill_database(&source)?;
        let query = "SELECT measured_at, fahrenheit FROM hourly_temperature ORDER BY measured_at";
        source.query_snapshot(query).csv(&run.output())?;
        Ok(())
    }
}
