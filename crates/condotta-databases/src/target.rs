//! An update of a table as a target: it exists once its marker is there, as Luigi has it.

use std::{fmt, io};

use condotta_targets::{Target, TargetError};

use crate::{Column, CopyToTable, Database, DatabaseError, Query, connection, name::Name};

/// An update of a table in a database. It exists once the database's marker table has its row, which is
/// written in the transaction that changes the table.
///
/// The marker table is Luigi's `table_updates` (`update_id`, `target_table`, `inserted`): markers of
/// `luigi.contrib.postgres`, `mysqldb` and, for SQLite, `sqla` count here, and ours there.
#[derive(Clone, PartialEq, Eq)]
pub struct TableTarget {
    database: Database,
    table: String,
    update_id: String,
}

/// What a connection has to know of a target.
pub(crate) struct Marker<'a> {
    /// The marker table.
    pub(crate) markers: &'a Name,
    pub(crate) update_id: &'a str,
    /// The table, as its user writes it.
    pub(crate) target_table: &'a str,
    pub(crate) table: Name,
}

impl TableTarget {
    pub(crate) fn new(database: Database, table: &str, update_id: String) -> Self {
        Self {
            database,
            table: table.to_owned(),
            update_id,
        }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What tells this update from others.
    #[must_use]
    pub fn update_id(&self) -> &str {
        &self.update_id
    }

    /// Copies rows into these columns of the table, and marks the target.
    pub fn copy<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> CopyToTable<'_> {
        CopyToTable::new(self, columns.into_iter().map(Into::into).collect())
    }

    /// Runs statements, separated by `;`, and marks the target.
    pub fn query(&self, statements: impl Into<String>) -> Query<'_> {
        Query::new(self, statements.into())
    }

    /// Marks the target, in a transaction of its own. Marking it again changes nothing.
    ///
    /// # Errors
    /// It cannot be connected to, or refuses.
    pub fn touch(&self) -> Result<(), DatabaseError> {
        let touch = |connection: &mut dyn connection::Connection| connection.touch(&self.marker());
        connection::with(&self.database, touch).map_err(DatabaseError::of("mark", self))
    }

    pub(crate) fn marker(&self) -> Marker<'_> {
        Marker {
            markers: &self.database.marker_table,
            update_id: &self.update_id,
            target_table: &self.table,
            table: Name::new(&self.table),
        }
    }
}

impl Target for TableTarget {
    fn exists(&self) -> Result<bool, TargetError> {
        let is_marked =
            |connection: &mut dyn connection::Connection| connection.is_marked(&self.marker());
        connection::with_if_there(&self.database, is_marked)
            .map_err(DatabaseError::of("look for the marker of", self))
            .map_err(|error| TargetError::Io {
                action: "look for",
                target: self.to_string(),
                source: io::Error::other(error),
            })
    }
}

impl fmt::Display for TableTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.table, self.database)
    }
}

impl fmt::Debug for TableTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableTarget({self}, {})", self.update_id)
    }
}
