//! Luigi's `Query`: statements that run once, and the marker that says so.

use crate::{DatabaseError, TableTarget, connection};

/// Runs statements and marks the target, in one transaction.
#[must_use = "nothing runs until `run` is called"]
#[derive(Debug)]
pub struct Query<'a> {
    target: &'a TableTarget,
    statements: String,
    autocommit: bool,
}

impl<'a> Query<'a> {
    pub(crate) fn new(target: &'a TableTarget, statements: String) -> Self {
        Self {
            target,
            statements,
            autocommit: false,
        }
    }

    /// Runs it outside of a transaction, as `VACUUM` must be. The marker is written afterwards.
    pub fn autocommit(mut self) -> Self {
        self.autocommit = true;
        self
    }

    /// Runs it, and gives the number of rows that it changed.
    ///
    /// # Errors
    /// The database refuses: nothing has changed, unless it was outside of a transaction. (MySQL
    /// commits at each statement that defines something, as `CREATE TABLE` does.)
    pub fn run(self) -> Result<u64, DatabaseError> {
        let marker = self.target.marker();
        let run = |connection: &mut dyn connection::Connection| {
            connection.query(&self.statements, Some(&marker), self.autocommit)
        };
        connection::with(self.target.database(), run)
            .map_err(DatabaseError::of("run a query for", self.target))
    }
}
