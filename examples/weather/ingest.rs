//! Load: puts the result into a database, all of it or nothing.

use condotta::{
    class::ParamError,
    database::{TableTarget, Type},
    prelude::*,
};

use crate::{ranking::PreprocessWithLegacyTool, warehouse};

/// Loads the ranked months into the table `monthly_weather`.
#[derive(Task, Default)]
pub(crate) struct IngestToDatabase {
    /// Where the report is; by default on a file server that this program starts.
    #[param(significant = false)]
    report_url: Option<String>,
    /// See `FilterWeatherData`.
    #[param(choices = ["rust", "spark"], default = "rust", significant = false)]
    filter_with: String,
    /// Where the outputs between the databases are, such as `s3://bucket/weather` or `sftp://host/srv/weather`,
    /// if the program was built for that store; by default in the folder.
    #[param(significant = false, visibility = private)]
    storage: Option<String>,
}

#[task]
impl Task for IngestToDatabase {
    fn requires(&self) -> Result<PreprocessWithLegacyTool, ParamError> {
        self.clone_as()
    }

    fn output(&self) -> Result<TableTarget> {
        let warehouse = warehouse::database("warehouse.sqlite")?;
        Ok(warehouse.table("monthly_weather", self.task_id()))
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let mut months = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(run.input().reader()?);
        // Rows and marker are one transaction: there are both or neither.
        let count = run
            .output()
            .copy([
                ("rank", Type::Integer),
                ("month", Type::Text),
                ("rain_days", Type::Integer),
                ("precipitation", Type::Double),
                ("highest", Type::Double),
                ("lowest", Type::Double),
                ("normal", Type::Double),
            ])
            .before("DELETE FROM monthly_weather")
            .try_rows((1..).zip(months.deserialize::<Month>()).map(ranked))?;
        run.set_status_message(format!("{count} rows"));
        Ok(())
    }
}

/// Month, rain days, precipitation, highest, lowest, normal.
type Month = (String, u32, f64, f64, f64, f64);

/// A row of the table: a month with its rank before it.
type Ranked = (u32, String, u32, f64, f64, f64, f64);

fn ranked((rank, month): (u32, csv::Result<Month>)) -> csv::Result<Ranked> {
    let (month, rain_days, precipitation, highest, lowest, normal) = month?;
    Ok((
        rank,
        month,
        rain_days,
        precipitation,
        highest,
        lowest,
        normal,
    ))
}

/// The wettest months as a table for people, if they have been loaded.
pub(crate) fn table() -> Result<Option<String>> {
    let update = IngestToDatabase::default().output()?;
    if !update.exists()? {
        return Ok(None);
    }
    warehouse::wettest(update.database(), 12).map(Some)
}
