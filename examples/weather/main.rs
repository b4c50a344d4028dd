//! What a data engineer's day is made of: five tasks that fetch, dump, join, hand to an old program
//! and load into a database, on the weather of Seattle.
//!
//! `cargo run --release --example weather` runs all of it and prints the wettest months.
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
    /// Where the outputs are.
    #[param(default = "target/weather")]
    folder: PathBuf,
}

/// An output in that folder.
fn in_folder(name: &str) -> Result<LocalTarget, ParamError> {
    Ok(LocalTarget::new(Weather::get()?.folder.join(name)))
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
