//! The world outside of the pipeline, so that the example needs nothing else: a web server that has
//! the weather report, and a database that somebody else fills.
//!
//! Real pipelines have neither of the two in them: they are given an address and a database's name.

use std::{fs::File, path::Path, sync::OnceLock, thread};

use condotta::{
    Error,
    database::{Database, Type},
    prelude::*,
};
use tiny_http::{Response, Server};

/// The folder with the real data.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

/// The address of the report, on a small file server that starts when it is first asked for and
/// listens on this machine only.
pub(crate) fn report_url() -> Result<String, Error> {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    if let Some(address) = ADDRESS.get() {
        return Ok(format!("{address}/seattle-weather.csv"));
    }
    let server = Server::http("127.0.0.1:0")?;
    let address = format!("http://{}", server.server_addr());
    thread::spawn(move || serve(&server));
    Ok(format!(
        "{}/seattle-weather.csv",
        ADDRESS.get_or_init(|| address)
    ))
}

/// Answers with the files of the data folder, and with 404 to all else.
fn serve(server: &Server) {
    for request in server.incoming_requests() {
        let name = request.url().trim_start_matches('/').to_owned();
        let file = if name.contains(['/', '\\']) {
            None
        } else {
            File::open(Path::new(DATA).join(&name)).ok()
        };
        // A client that has gone away misses its answer; the next one may still want theirs.
        let _ = match file {
            Some(file) => request.respond(Response::from_file(file)),
            None => request.respond(Response::empty(404)),
        };
    }
}

/// Fills the table `hourly_temperature` of a database, if it is not there yet, with the hourly
/// temperatures of Seattle in degrees Fahrenheit.
pub(crate) fn fill_database(database: &Database) -> Result<(), Error> {
    let filled = database.table("hourly_temperature", "hourly temperatures of Seattle");
    if filled.exists()? {
        return Ok(());
    }
    let mut hours = csv::Reader::from_path(Path::new(DATA).join("seattle-temps.csv"))?;
    filled
        .copy([
            ("measured_at", Type::sql("VARCHAR(16) PRIMARY KEY")),
            ("fahrenheit", Type::Double),
        ])
        .try_rows(hours.deserialize::<(String, f64)>())?;
    Ok(())
}
