//! SQLite: one prepared statement for all rows, and every change is one transaction.

mod read;

use std::{path::Path, time::Duration};

use rusqlite::{
    CachedStatement, Connection as Sqlite, Error, ErrorCode, OpenFlags, TransactionBehavior, ffi,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    Database, Value,
    column::{self, names},
    connection::Connection,
    copy::{Counted, Load},
    database::Kind,
    error::Fault,
    name::Name,
    snapshot::Sink,
    target::Marker,
    text,
};

/// How long it waits for others who write.
const BUSY_FOR: Duration = Duration::from_secs(60);

/// An open file.
pub(crate) struct SqliteFile {
    file: Sqlite,
}

impl SqliteFile {
    pub(crate) fn open(database: &Database) -> Result<Self, Fault> {
        let open = || {
            let path = Path::new(&database.url);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Only the path is meant, whatever it looks like.
            let flags = OpenFlags::default() & !OpenFlags::SQLITE_OPEN_URI;
            let file = Sqlite::open_with_flags(path, flags)?;
            file.busy_timeout(BUSY_FOR)?;
            Ok(Self { file })
        };
        open().map_err(|source| Fault::Connect {
            place: database.to_string(),
            source,
        })
    }

    fn create_marker_table(file: &Sqlite, markers: &Name) -> Result<(), Error> {
        let markers = markers.quoted(Kind::Sqlite);
        file.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {markers} (update_id VARCHAR(128) NOT NULL, \
             target_table VARCHAR(128), inserted DATETIME, PRIMARY KEY (update_id))"
        ))
    }

    fn insert_marker(file: &Sqlite, marker: &Marker<'_>, verb: &str) -> Result<(), Fault> {
        // The time is local, as Luigi's module for SQLAlchemy has it.
        let insert = format!(
            "{verb} INTO {} (update_id, target_table, inserted) \
             VALUES (?, ?, strftime('%Y-%m-%d %H:%M:%f000', 'now', 'localtime'))",
            marker.markers.quoted(Kind::Sqlite)
        );
        match file.execute(&insert, (marker.update_id, marker.target_table)) {
            Err(Error::SqliteFailure(error, _)) if is_taken(error) => Err(Fault::Marked),
            inserted => inserted.map(drop).map_err(Fault::refused),
        }
    }

    /// Does something in a transaction, which is taken back where it fails.
    fn transaction<T>(
        &mut self,
        change: impl FnOnce(&Sqlite) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // It waits for others who write now, since later it could not.
        let transaction = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Fault::refused)?;
        let value = change(&transaction)?;
        transaction.commit().map_err(Fault::refused)?;
        Ok(value)
    }
}

fn is_taken(error: ffi::Error) -> bool {
    [
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ffi::SQLITE_CONSTRAINT_UNIQUE,
    ]
    .contains(&error.extended_code)
}

impl Connection for SqliteFile {
    fn has_table(&mut self, table: &Name) -> Result<bool, Fault> {
        let query = format!("SELECT 1 FROM {} LIMIT 0", table.quoted(Kind::Sqlite));
        match self.file.prepare(&query) {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(Fault::refused(error)),
        }
    }

    fn is_marked(&mut self, marker: &Marker<'_>) -> Result<bool, Fault> {
        let query = format!(
            "SELECT 1 FROM {} WHERE update_id = ? AND target_table = ?",
            marker.markers.quoted(Kind::Sqlite)
        );
        match self.file.prepare(&query) {
            Ok(mut query) => query
                .exists((marker.update_id, marker.target_table))
                .map_err(Fault::refused),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(Fault::refused(error)),
        }
    }

    fn touch(&mut self, marker: &Marker<'_>) -> Result<(), Fault> {
        self.transaction(|file| {
            Self::create_marker_table(file, marker.markers).map_err(Fault::refused)?;
            Self::insert_marker(file, marker, "INSERT OR IGNORE")
        })
    }

    fn copy(&mut self, marker: &Marker<'_>, load: &Load, rows: Counted<'_>) -> Result<u64, Fault> {
        self.transaction(|file| {
            let run = |statement: &str| file.execute_batch(statement).map_err(Fault::refused);
            let table = marker.table.quoted(Kind::Sqlite);
            let create = column::create_table(&table, &load.columns, Kind::Sqlite);
            run(&create.replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))?;
            load.before
                .iter()
                .try_for_each(|statement| run(statement))?;
            let places = vec!["?"; load.columns.len()].join(", ");
            let names = names(&load.columns, Kind::Sqlite);
            let insert = format!("INSERT INTO {table} ({names}) VALUES ({places})");
            let mut insert = file.prepare_cached(&insert).map_err(Fault::refused)?;
            let count = rows.each(&mut |number, values| {
                let inserted = bind(&mut insert, values).and_then(|()| insert.raw_execute());
                inserted.map_err(|error| Fault::whole_row(number, error))?;
                Ok(())
            })?;
            load.after.iter().try_for_each(|statement| run(statement))?;
            Self::create_marker_table(file, marker.markers).map_err(Fault::refused)?;
            Self::insert_marker(file, marker, "INSERT")?;
            Ok(count)
        })
    }

    fn query(
        &mut self,
        statements: &str,
        marker: Option<&Marker<'_>>,
        autocommit: bool,
    ) -> Result<u64, Fault> {
        let run = |file: &Sqlite| {
            let before = file.total_changes();
            file.execute_batch(statements).map_err(Fault::refused)?;
            Ok(file.total_changes() - before)
        };
        let mark = |file: &Sqlite| {
            marker.map_or(Ok(()), |marker| {
                Self::create_marker_table(file, marker.markers).map_err(Fault::refused)?;
                Self::insert_marker(file, marker, "INSERT")
            })
        };
        if autocommit {
            let count = run(&self.file)?;
            self.transaction(mark)?;
            return Ok(count);
        }
        self.transaction(|file| {
            let count = run(file)?;
            mark(file)?;
            Ok(count)
        })
    }

    fn read(&mut self, query: &str, sink: &mut dyn Sink) -> Result<u64, Fault> {
        // One statement sees one state of the file.
        read::read(&self.file, query, sink)
    }
}

/// Whether a statement speaks of a table that is not there. SQLite has no code of its own for that.
fn is_missing(error: &Error) -> bool {
    match error {
        Error::SqlInputError { msg, error, .. } => {
            error.code == ErrorCode::Unknown && msg.starts_with("no such table")
        }
        Error::SqliteFailure(_, Some(message)) => message.starts_with("no such table"),
        _ => false,
    }
}

fn bind(insert: &mut CachedStatement<'_>, values: &[Value<'_>]) -> Result<(), Error> {
    let mut written = Vec::new();
    for (place, value) in values.iter().enumerate() {
        let value = match value {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer((*value).into()),
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Double(value) => ValueRef::Real(*value),
            Value::Text(text) | Value::Decimal(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_) => {
                written.clear();
                text::write(value, b' ', &mut written);
                ValueRef::Text(&written)
            }
        };
        insert.raw_bind_parameter(place + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(())
}
