//! PostgreSQL: rows go in and out with `COPY`, and every change is one transaction.

mod read;
mod write;

use std::str::FromStr as _;

use sqlx::{
    ConnectOptions as _, Error, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError},
};

use crate::{
    Database, column,
    connection::Connection,
    copy::{Counted, Load},
    database::Kind,
    error::Fault,
    name::{Name, literal},
    server::{Server, find, insert, reason},
    snapshot::Sink,
    target::Marker,
};

/// SQLSTATE: there is no such table.
const UNDEFINED_TABLE: &str = "42P01";
/// SQLSTATE: the key is there already. Also what a race to create a table ends with.
const UNIQUE_VIOLATION: &str = "23505";
/// SQLSTATE: the table is there already.
const DUPLICATE_TABLE: &str = "42P07";

/// What those hold who make the same table, one after the other: a number that means nothing else.
const CREATING: i64 = 0x636f_6e64_6f74_7461;

/// A connection to PostgreSQL.
pub(crate) struct PostgresConnection {
    server: Server<PgConnection>,
}

impl PostgresConnection {
    pub(crate) fn open(database: &Database) -> Result<Self, Fault> {
        let connect = || async {
            let options = PgConnectOptions::from_str(&database.url)?;
            options.disable_statement_logging().connect().await
        };
        let server = Server::open(database, connect)?;
        Ok(Self { server })
    }

    fn run(&mut self, statements: &str) -> Result<u64, Fault> {
        self.server.run(statements).map_err(fault)
    }

    /// Does something in a transaction, which is taken back where it fails.
    fn transaction<T>(
        &mut self,
        begin: &str,
        change: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.run(begin)?;
        let changed = change(self).and_then(|value| {
            self.run("COMMIT")?;
            Ok(value)
        });
        if changed.is_err() {
            // Where even that fails, the connection is lost, which takes it back as well.
            let _ = self.run("ROLLBACK");
        }
        changed
    }

    /// Makes the marker table, if it is not there, outside of any transaction: others wait for
    /// nothing but that.
    fn create_marker_table(&mut self, markers: &Name) -> Result<(), Fault> {
        if self.has_table(markers)? {
            return Ok(());
        }
        let markers = markers.quoted(Kind::Postgres);
        let create = format!(
            "CREATE TABLE {markers} (update_id TEXT PRIMARY KEY, target_table TEXT, \
             inserted TIMESTAMP DEFAULT NOW())"
        );
        match self.server.run(&create) {
            // Somebody else was quicker.
            Err(error) if is(&error, &[DUPLICATE_TABLE, UNIQUE_VIOLATION]) => Ok(()),
            created => created.map(drop).map_err(fault),
        }
    }

    fn insert_marker(&mut self, marker: &Marker<'_>) -> Result<(), Fault> {
        match self.server.run(&insert(marker, Kind::Postgres)) {
            Err(error) if is(&error, &[UNIQUE_VIOLATION]) => Err(Fault::Marked),
            inserted => inserted.map(drop).map_err(fault),
        }
    }

    /// Makes the table for the rows, which was missing before the transaction began. It is there for
    /// others when that ends.
    fn create_table(&mut self, table: &Name, load: &Load) -> Result<(), Fault> {
        // Whoever wants the same waits here, and then finds it.
        self.run(&format!("SELECT pg_advisory_xact_lock({CREATING})"))?;
        if self.has_table(table)? {
            return Ok(());
        }
        let table = table.quoted(Kind::Postgres);
        self.run(&column::create_table(&table, &load.columns, Kind::Postgres))
            .map(drop)
    }
}

impl Connection for PostgresConnection {
    fn has_table(&mut self, table: &Name) -> Result<bool, Fault> {
        let name = literal(&table.quoted(Kind::Postgres), Kind::Postgres);
        // Of what others have just made, the server hears where it looks into a table itself.
        let query = format!("SELECT 1 FROM pg_class WHERE oid = to_regclass({name})");
        self.server.finds(&query).map_err(fault)
    }

    fn is_marked(&mut self, marker: &Marker<'_>) -> Result<bool, Fault> {
        let query = find(marker, Kind::Postgres);
        match self.server.finds(&query) {
            Err(error) if is(&error, &[UNDEFINED_TABLE]) => Ok(false),
            found => found.map_err(fault),
        }
    }

    fn touch(&mut self, marker: &Marker<'_>) -> Result<(), Fault> {
        self.create_marker_table(marker.markers)?;
        let insert = insert(marker, Kind::Postgres);
        self.run(&format!("{insert} ON CONFLICT DO NOTHING"))
            .map(drop)
    }

    fn copy(&mut self, marker: &Marker<'_>, load: &Load, rows: Counted<'_>) -> Result<u64, Fault> {
        self.create_marker_table(marker.markers)?;
        let is_missing = !self.has_table(&marker.table)?;
        self.transaction("BEGIN", |connection| {
            if is_missing {
                connection.create_table(&marker.table, load)?;
            }
            for statement in &load.before {
                connection.run(statement)?;
            }
            let count = write::copy(&mut connection.server, &marker.table, &load.columns, rows)?;
            for statement in &load.after {
                connection.run(statement)?;
            }
            connection.insert_marker(marker)?;
            Ok(count)
        })
    }

    fn query(
        &mut self,
        statements: &str,
        marker: Option<&Marker<'_>>,
        autocommit: bool,
    ) -> Result<u64, Fault> {
        if let Some(marker) = marker {
            self.create_marker_table(marker.markers)?;
        }
        let query = |connection: &mut Self| {
            let count = connection.run(statements)?;
            marker.map_or(Ok(()), |marker| connection.insert_marker(marker))?;
            Ok(count)
        };
        match autocommit {
            true => query(self),
            false => self.transaction("BEGIN", query),
        }
    }

    fn read(&mut self, query: &str, sink: &mut dyn Sink) -> Result<u64, Fault> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.transaction(BEGIN, |connection| {
            read::read(&mut connection.server, query, sink)
        })
    }
}

/// Whether it is a refusal of one of these kinds.
fn is(error: &Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    code.is_some_and(|code| codes.contains(&&*code))
}

/// What the server said, with the row and the column if it is about one.
fn fault(error: Error) -> Fault {
    let refusal = error
        .as_database_error()
        .and_then(|refusal| refusal.try_downcast_ref::<PgDatabaseError>());
    let place = refusal.and_then(|refusal| place(refusal.r#where()?));
    let detail = refusal.and_then(|refusal| refusal.detail().map(str::to_owned));
    let mut reason = reason(error);
    if let Some(detail) = detail {
        reason = format!("{reason} ({})", detail.trim_end_matches('.'));
    }
    match place {
        Some((row, column)) => Fault::Row {
            row,
            column,
            source: reason.into(),
        },
        None => Fault::refused(reason),
    }
}

/// The row and the column that a context such as `COPY t, line 3, column size: "many"` is about.
fn place(context: &str) -> Option<(u64, Option<String>)> {
    let (_, rest) = context
        .lines()
        .find_map(|line| line.strip_prefix("COPY ")?.split_once(", line "))?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let column = rest[digits.len()..].strip_prefix(", column ");
    let column = column.and_then(|rest| rest.split_once(':'));
    Some((
        digits.parse().ok()?,
        column.map(|(name, _)| name.to_owned()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_name_rows_and_columns() {
        for (context, expected) in [
            (
                "COPY t, line 3, column size: \"many\"",
                Some((3, Some("size".to_owned()))),
            ),
            ("COPY t, line 12", Some((12, None))),
            ("COPY t, line 12: \"1\t2\"", Some((12, None))),
            (
                "SQL function \"f\" statement 1\nCOPY t, line 7",
                Some((7, None)),
            ),
            ("PL/pgSQL function f() line 3", None),
        ] {
            assert_eq!(place(context), expected, "{context}");
        }
    }
}
