//! The statements of a transaction that writes.
//!
//! A file of SQLite's is written right here: through the driver that asks it, each statement would be handed to
//! another thread and back, which takes longer than what most of them do.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter, types};
use sqlx::{Any, AnyConnection, Row as _, Transaction, any::AnyRow};

use crate::{
    database::{self, SQLITE, SQLITE_TO_WRITE, Value},
    dialect::Dialect,
    error::DatabaseError,
};

/// How many statements stay prepared: there are fewer.
const PREPARED: usize = 64;

/// A connection for transactions that write.
pub(crate) enum Writer<'a> {
    File(&'a mut Connection),
    Server(Dialect, &'a mut AnyConnection),
}

/// A transaction.
pub(crate) enum Statements<'a> {
    File(rusqlite::Transaction<'a>),
    Server(Dialect, Transaction<'a, Any>),
}

/// A row that was read.
pub(crate) enum ReadRow {
    File(Vec<types::Value>),
    Server(AnyRow),
}

/// Opens a file that is there and has its tables.
pub(crate) fn open_file(path: &Path) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    for pragma in SQLITE.iter().chain(SQLITE_TO_WRITE) {
        connection.execute_batch(pragma)?;
    }
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

impl<'a> Writer<'a> {
    pub(crate) async fn begin(self) -> Result<Statements<'a>, DatabaseError> {
        Ok(match self {
            Self::File(connection) => {
                let behavior = TransactionBehavior::Immediate;
                Statements::File(connection.transaction_with_behavior(behavior)?)
            }
            Self::Server(dialect, connection) => {
                Statements::Server(dialect, database::begin(connection, dialect).await?)
            }
        })
    }
}

impl Statements<'_> {
    /// How many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        text: &str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        Ok(match self {
            Self::File(transaction) => {
                let mut statement = transaction.prepare_cached(text)?;
                statement.execute(params_from_iter(values))? as u64
            }
            Self::Server(dialect, transaction) => {
                database::execute(transaction, *dialect, text, values).await?
            }
        })
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_row(
        &mut self,
        text: &str,
        values: &[Value<'_>],
    ) -> Result<Option<ReadRow>, DatabaseError> {
        Ok(match self {
            Self::File(transaction) => {
                let mut statement = transaction.prepare_cached(text)?;
                let columns = statement.column_count();
                let mut rows = statement.query(params_from_iter(values))?;
                let row = rows.next()?.map(|row| {
                    let columns = (0..columns).map(|column| row.get(column));
                    columns.collect::<Result<_, _>>()
                });
                row.transpose()?.map(ReadRow::File)
            }
            Self::Server(dialect, transaction) => {
                let rows = database::fetch_all(transaction, *dialect, text, values).await?;
                rows.into_iter().next().map(ReadRow::Server)
            }
        })
    }

    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        match self {
            Self::File(transaction) => transaction.commit()?,
            Self::Server(_, transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl ReadRow {
    pub(crate) fn whole(&self, column: usize) -> Result<i64, DatabaseError> {
        match self {
            Self::File(values) => match values.get(column) {
                Some(types::Value::Integer(whole)) => Ok(*whole),
                other => Err(unexpected(column, other)),
            },
            Self::Server(row) => Ok(row.try_get(column)?),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, DatabaseError> {
        match self {
            Self::File(values) => match values.get(column) {
                Some(types::Value::Text(text)) => Ok(text),
                other => Err(unexpected(column, other)),
            },
            Self::Server(row) => Ok(row.try_get(column)?),
        }
    }
}

fn unexpected(column: usize, value: Option<&types::Value>) -> DatabaseError {
    let kind = value.map_or(types::Type::Null, types::Value::data_type);
    rusqlite::Error::InvalidColumnType(column, "of the history".to_owned(), kind).into()
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<types::ToSqlOutput<'_>> {
        use types::{ToSqlOutput::Borrowed, ValueRef};
        Ok(Borrowed(match self {
            Self::Whole(Some(whole)) => ValueRef::Integer(*whole),
            Self::Fraction(fraction) => ValueRef::Real(*fraction),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Whole(None) | Self::Text(None) => ValueRef::Null,
        }))
    }
}
