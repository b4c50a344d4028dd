//! What a table or a query holds at one moment, written to storage row by row.

mod csv;
mod json_lines;
#[cfg(feature = "parquet")]
mod parquet;

use condotta_targets::{BoxError, ReadWrite, Writer};

use crate::{Column, Database, DatabaseError, Value, connection, error::Fault};

/// What rows are written to.
type File<'a> = &'a mut Writer;

/// Takes rows as they come out of a database.
pub(crate) trait Sink {
    /// Says what the columns are, before the first row.
    fn start(&mut self, columns: &[Column]) -> Result<(), Fault>;

    /// Takes a row, with its number from 1.
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> Result<(), Fault>;

    /// Takes the end of the rows.
    fn end(&mut self) -> Result<(), Fault>;
}

/// All rows of a table or a query as they are at one moment, whatever others write meanwhile.
///
/// The rows are written as they come, in the memory of a few of them, and are the target's content
/// when all are there. Each way to write them gives their number.
#[must_use = "nothing is read until it is said where to"]
#[derive(Clone, Debug)]
pub struct Snapshot {
    database: Database,
    what: String,
    query: String,
}

impl Snapshot {
    pub(crate) fn new(database: Database, what: &str, query: String) -> Self {
        let what = what.to_owned();
        Self {
            database,
            what,
            query,
        }
    }

    /// Writes comma-separated values with a header.
    ///
    /// NULL is nothing, empty text is `""`. Bytes are `\x` and hexadecimal digits.
    ///
    /// # Errors
    /// The database refuses, or the target cannot be written; it is as it was.
    pub fn csv(&self, target: &impl ReadWrite) -> Result<u64, DatabaseError> {
        self.store(target, |file| Box::new(csv::Csv::new(file)))
    }

    /// Writes one JSON object for each row, on a line of its own.
    ///
    /// Numbers are numbers to the last digit, dates and times are text in ISO 8601, and bytes are text
    /// of `\x` and hexadecimal digits. What JSON has no number for, such as `NaN`, is text.
    ///
    /// # Errors
    /// The database refuses, or the target cannot be written; it is as it was.
    pub fn json_lines(&self, target: &impl ReadWrite) -> Result<u64, DatabaseError> {
        self.store(target, |file| Box::new(json_lines::JsonLines::new(file)))
    }

    /// Writes Parquet, compressed with Zstandard.
    ///
    /// Decimal numbers are text there, as is what has none of the types of [`Type`](crate::Type).
    ///
    /// # Errors
    /// The database refuses, a value is not what its column says (as can be in SQLite), or the target
    /// cannot be written; it is as it was.
    #[cfg(feature = "parquet")]
    pub fn parquet(&self, target: &impl ReadWrite) -> Result<u64, DatabaseError> {
        self.store(target, |file| Box::new(parquet::Parquet::new(file)))
    }

    /// Shows each row to `show`, which may end it with an error.
    ///
    /// # Errors
    /// The database refuses, or `show` does.
    pub fn for_each(
        &self,
        show: impl FnMut(&[Value<'_>]) -> Result<(), BoxError>,
    ) -> Result<u64, DatabaseError> {
        self.read_into(&mut Shown(show))
            .map_err(DatabaseError::of("read", self.subject()))
    }

    fn store(
        &self,
        target: &impl ReadWrite,
        layout: impl for<'a> FnOnce(File<'a>) -> Box<dyn Sink + 'a>,
    ) -> Result<u64, DatabaseError> {
        let stored = (|| {
            let mut file = target.writer().map_err(Fault::refused)?;
            let rows = self.read_into(&mut *layout(&mut file))?;
            file.commit().map_err(Fault::refused)?;
            Ok(rows)
        })();
        let rows = stored.map_err(DatabaseError::of("dump", self.subject()))?;
        tracing::debug!("Dumped {rows} rows of {} to {target}", self.subject());
        Ok(rows)
    }

    fn read_into(&self, sink: &mut dyn Sink) -> Result<u64, Fault> {
        let rows = connection::with(&self.database, |connection| {
            connection.read(&self.query, sink)
        })?;
        sink.end()?;
        Ok(rows)
    }

    fn subject(&self) -> String {
        format!("{} of {}", self.what, self.database)
    }
}

/// Shows rows to a function.
struct Shown<F>(F);

impl<F: FnMut(&[Value<'_>]) -> Result<(), BoxError>> Sink for Shown<F> {
    fn start(&mut self, _: &[Column]) -> Result<(), Fault> {
        Ok(())
    }

    fn row(&mut self, number: u64, values: &[Value<'_>]) -> Result<(), Fault> {
        (self.0)(values).map_err(|error| Fault::whole_row(number, error))
    }

    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
