//! What is asked of a database, whichever it is.

use std::path::Path;

use crate::{
    Database,
    copy::{Counted, Load},
    database::Kind,
    error::Fault,
    name::Name,
    snapshot::Sink,
    target::Marker,
};

/// A connection, for one thing to be asked of it.
pub(crate) trait Connection {
    /// Whether a table is there.
    fn has_table(&mut self, table: &Name) -> Result<bool, Fault>;

    /// Whether the marker is there. Without a marker table it is not.
    fn is_marked(&mut self, marker: &Marker<'_>) -> Result<bool, Fault>;

    /// Writes the marker, if it is not there.
    fn touch(&mut self, marker: &Marker<'_>) -> Result<(), Fault>;

    /// Copies rows and writes the marker. Gives the number of rows.
    fn copy(&mut self, marker: &Marker<'_>, load: &Load, rows: Counted<'_>) -> Result<u64, Fault>;

    /// Runs statements and writes the marker, if there is one. Gives the number of rows that changed.
    fn query(
        &mut self,
        statements: &str,
        marker: Option<&Marker<'_>>,
        autocommit: bool,
    ) -> Result<u64, Fault>;

    /// Reads what a query finds, all of it as it is at one moment. Gives the number of rows.
    fn read(&mut self, query: &str, sink: &mut dyn Sink) -> Result<u64, Fault>;
}

/// Connects and asks.
pub(crate) fn with<T>(
    database: &Database,
    ask: impl FnOnce(&mut dyn Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    match database.kind {
        #[cfg(feature = "postgres")]
        Kind::Postgres => ask(&mut crate::postgres::PostgresConnection::open(database)?),
        #[cfg(feature = "mysql")]
        Kind::MySql => ask(&mut crate::mysql::MySqlDatabase::open(database)?),
        #[cfg(feature = "sqlite")]
        Kind::Sqlite => ask(&mut crate::sqlite::SqliteFile::open(database)?),
        #[allow(unreachable_patterns, reason = "with all features, none is missing")]
        kind => {
            // Without any of the features, nothing else has it.
            drop(ask);
            Err(Fault::Connect {
                place: database.to_string(),
                source: format!(
                    "the program was built without the feature `{}`",
                    feature(kind)
                )
                .into(),
            })
        }
    }
}

/// The same; in a file that is not there, there is nothing, and it is not made by looking.
pub(crate) fn with_if_there(
    database: &Database,
    ask: impl FnOnce(&mut dyn Connection) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    if database.kind == Kind::Sqlite && !Path::new(&database.url).exists() {
        return Ok(false);
    }
    with(database, ask)
}

fn feature(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres",
        Kind::MySql => "mysql",
        Kind::Sqlite => "sqlite",
    }
}
