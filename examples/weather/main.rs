//! What a data engineer's day is made of: five tasks that fetch, dump, join, hand to an old program
//! and load into a database, on the weather of Seattle.
//!
//! `cargo run --release --example weather` runs all of it and prints the wettest months. With
//! `--filter-with spark` the filter is an application of Spark, as section `[spark]` of the configuration says.
//! With `--features postgres`, `--Weather-database-url postgresql://…` has a PostgreSQL at both ends, and with
//! `--features storage`, `--storage s3://bucket/weather` (or `sftp://…`, `ftp://…` and so on) keeps in that store
//! what is in between.
//!
//! | Task | Makes |
//! | --- | --- |
//! | [`WgetWeatherReport`](report::WgetWeatherReport) | `report.csv`, downloaded over HTTP |
//! | [`GetTemperatureSnapshot`](snapshot::GetTemperatureSnapshot) | `temperatures.csv`, dumped from a database |
//! | [`FilterWeatherData`](filter::FilterWeatherData) | `monthly.csv`, both joined by month |
//! | [`PreprocessWithLegacyTool`](ranking::PreprocessWithLegacyTool) | `ranked.csv`, by an external program |
//! | [`IngestToDatabase`](ingest::IngestToDatabase) | the table `monthly_weather`, and a marker |

mod filter;
mod ingest;
mod months;
mod outside;
mod ranking;
mod report;
mod snapshot;
mod warehouse;

use std::path::PathBuf;

use condotta::{App, class::ParamError, prelude::*};

/// Settings: section `[Weather]` of the configuration, or flags such as `--Weather-folder`.
#[derive(Config)]
struct Weather {
    /// Where the databases are, and the outputs if no other storage is given.
    #[param(default = "target/weather")]
    folder: PathBuf,
    /// The database that is read from and loaded into, such as `postgresql://user@host/name`; by
    /// default there are two files in the folder.
    #[param(visibility = private)]
    database_url: Option<String>,
}

/// A file in that folder.
fn in_folder(name: &str) -> Result<PathBuf, ParamError> {
    Ok(Weather::get()?.folder.join(name))
}

/// An output in the storage, or in that folder.
fn stored(storage: Option<&str>, name: &str) -> Result<UrlTarget, ParamError> {
    Ok(match storage {
        Some(url) => UrlTarget::new(format!("{}/{name}", url.trim_end_matches('/'))),
        None => UrlTarget::new(in_folder(name)?.to_string_lossy()),
    })
}

fn main() -> ExitCode {
    let code = App::new()
        .default_task::<ingest::IngestToDatabase>()
        .local_scheduler()
        .main();
    match ingest::table() {
        Ok(Some(table)) => print!("\n{table}"),
        Ok(None) => {}
        Err(error) => eprintln!("cannot show the result: {error}"),
    }
    code
}
