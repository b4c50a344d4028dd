//! Extract: dumps a table of somebody else's database.

use condotta::{class::ParamError, prelude::*};
use rusqlite::Connection;

use crate::{in_folder, outside};

/// Dumps the table of hourly temperatures into a file.
#[derive(Task)]
pub(crate) struct GetTemperatureSnapshot;

#[task]
impl Task for GetTemperatureSnapshot {
    fn output(&self) -> Result<LocalTarget, ParamError> {
        in_folder("temperatures.csv")
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let source = in_folder("source.sqlite")?;
        source.make_dirs()?;
        outside::fill_database(source.path())?;
        let database = Connection::open(source.path())?;
        let mut query = database.prepare(
            "SELECT measured_at, fahrenheit FROM hourly_temperature ORDER BY measured_at",
        )?;
        let mut rows = query.query([])?;
        run.output().write_with(|file| {
            let mut dump = csv::Writer::from_writer(file);
            dump.write_record(["measured_at", "fahrenheit"])?;
            while let Some(row) = rows.next()? {
                let (measured_at, fahrenheit): (String, f64) = (row.get(0)?, row.get(1)?);
                dump.serialize((measured_at, fahrenheit))?;
            }
            Ok(dump.flush()?)
        })?;
        Ok(())
    }
}
