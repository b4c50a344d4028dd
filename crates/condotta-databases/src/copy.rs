//! Luigi's `CopyToTable`: many rows into a table, and the marker that says so, in one transaction.

use std::io::BufRead;

use condotta_targets::BoxError;

use crate::{
    Column, DatabaseError, Delimited, Row, TableTarget, connection,
    error::Fault,
    text,
    value::{ToValue as _, Value},
};

/// Takes the next row, whose values fit their columns.
pub(crate) type Push<'a> = &'a mut dyn FnMut(&[Value<'_>]) -> Result<(), Fault>;

/// The same with the row's number, counted from 1.
pub(crate) type PushCounted<'a> = &'a mut dyn FnMut(u64, &[Value<'_>]) -> Result<(), Fault>;

/// Rows that come one after the other.
pub(crate) trait Rows {
    /// Hands over each row; its values fit their columns.
    fn each(self: Box<Self>, columns: &[Column], push: Push<'_>) -> Result<(), Fault>;
}

/// Copies rows into the table of a target and marks the target: all of it or nothing.
///
/// The rows go to the database as they come, by the quickest way that it has: `COPY` in PostgreSQL,
/// inserts of many rows in MySQL, a prepared insert in SQLite. Whatever happens on the way (a row that
/// does not fit, a lost connection, a killed process), there are neither rows nor a marker.
///
/// A table that is missing is made from the columns. In MySQL, whose definitions cannot be taken
/// back, it stays, empty, if the rows then fail.
#[must_use = "nothing is copied until rows are given"]
#[derive(Debug)]
pub struct CopyToTable<'a> {
    target: &'a TableTarget,
    load: Load,
}

/// What to do besides copying.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) columns: Vec<Column>,
    pub(crate) before: Vec<String>,
    pub(crate) after: Vec<String>,
}

impl<'a> CopyToTable<'a> {
    pub(crate) fn new(target: &'a TableTarget, columns: Vec<Column>) -> Self {
        let load = Load {
            columns,
            before: Vec::new(),
            after: Vec::new(),
        };
        Self { target, load }
    }

    /// Runs a statement before the rows come, in the same transaction: Luigi's `init_copy`, for
    /// example to remove old rows with `DELETE`.
    pub fn before(mut self, statement: impl Into<String>) -> Self {
        self.load.before.push(statement.into());
        self
    }

    /// Runs a statement after the rows, in the same transaction: Luigi's `post_copy`. MySQL commits
    /// where a statement defines something (`CREATE`, `ALTER`, `TRUNCATE`…), so there it is refused.
    pub fn after(mut self, statement: impl Into<String>) -> Self {
        self.load.after.push(statement.into());
        self
    }

    /// Copies rows: tuples, arrays or `Vec`s of values in the order of the columns. Text is read by
    /// the column's type. Gives the number of rows.
    ///
    /// # Errors
    /// A row does not fit, or the database refuses: nothing has changed.
    pub fn rows<R: Row>(self, rows: impl IntoIterator<Item = R>) -> Result<u64, DatabaseError> {
        self.try_rows(rows.into_iter().map(Ok::<R, BoxError>))
    }

    /// Copies rows each of which may be an error instead.
    ///
    /// # Errors
    /// As [`rows`](Self::rows), and the first of these errors.
    pub fn try_rows<R: Row, E: Into<BoxError>>(
        self,
        rows: impl IntoIterator<Item = Result<R, E>>,
    ) -> Result<u64, DatabaseError> {
        self.run(Box::new(GivenRows(rows.into_iter())))
    }

    /// Copies a CSV file with a header, as [`Snapshot::csv`](crate::Snapshot::csv) writes it.
    ///
    /// # Errors
    /// As [`rows`](Self::rows), or the file is no such file.
    pub fn csv(self, file: impl BufRead) -> Result<u64, DatabaseError> {
        self.delimited(file, Delimited::csv())
    }

    /// Copies a text file of another layout.
    ///
    /// # Errors
    /// As [`rows`](Self::rows), or the file is no such file.
    pub fn delimited(self, file: impl BufRead, layout: Delimited) -> Result<u64, DatabaseError> {
        self.run(Box::new(layout.rows(file)))
    }

    fn run(self, rows: Box<dyn Rows + '_>) -> Result<u64, DatabaseError> {
        let Self { target, load } = self;
        let copied = if load.columns.is_empty() {
            Err(Fault::refused("no columns are declared"))
        } else {
            let copy = |connection: &mut dyn connection::Connection| {
                connection.copy(&target.marker(), &load, Counted::of(rows, &load.columns))
            };
            connection::with(target.database(), copy)
        };
        let rows = copied.map_err(DatabaseError::of("copy to", target))?;
        tracing::debug!("Copied {rows} rows to {target}");
        Ok(rows)
    }
}

/// Rows that look at NULLs and are counted, for a connection to take.
pub(crate) struct Counted<'a> {
    rows: Box<dyn Rows + 'a>,
    columns: &'a [Column],
}

impl<'a> Counted<'a> {
    fn of(rows: Box<dyn Rows + 'a>, columns: &'a [Column]) -> Self {
        Self { rows, columns }
    }

    /// Hands over each row with its number, counted from 1. Gives the number of rows.
    pub(crate) fn each(self, push: PushCounted<'_>) -> Result<u64, Fault> {
        let columns = self.columns;
        let mut count = 0;
        self.rows.each(columns, &mut |values| {
            count += 1;
            for (column, value) in columns.iter().zip(values) {
                if column.required && *value == Value::Null {
                    return Err(Fault::row(count, &column.name, "it may not be NULL"));
                }
            }
            push(count, values)
        })?;
        Ok(count)
    }
}

struct GivenRows<I>(I);

impl<R: Row, E: Into<BoxError>, I: Iterator<Item = Result<R, E>>> Rows for GivenRows<I> {
    fn each(self: Box<Self>, columns: &[Column], push: Push<'_>) -> Result<(), Fault> {
        for (number, row) in (1..).zip(self.0) {
            let row = row.map_err(|error| Fault::whole_row(number, error))?;
            row.with_values(|values| {
                if values.len() != columns.len() {
                    let problem = format!("it has {} values, not {}", values.len(), columns.len());
                    return Err(Fault::whole_row(number, problem));
                }
                let mut fitting = Vec::with_capacity(columns.len());
                for (column, value) in columns.iter().zip(values) {
                    let value = text::conform(value.to_value(), &column.kind);
                    let value = value.map_err(|problem| Fault::row(number, &column.name, problem));
                    fitting.push(value?);
                }
                push(&fitting)
            })?;
        }
        Ok(())
    }
}
