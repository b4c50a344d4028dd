//! Rows into a table, hundreds with each insert. The statement is prepared, so values need no quoting.

use std::{mem, sync::Arc};

use sqlx::{
    Arguments as _, AssertSqlSafe, Error, Executor as _, MySqlConnection, mysql::MySqlArguments,
    query_with,
};

use crate::{
    Column, Value, column,
    copy::Counted,
    database::Kind,
    error::Fault,
    name::Name,
    server::{Server, reason},
    text,
};

/// The rows of a statement, at most.
const ROWS: usize = 1000;
/// The values of a statement, at most: the server counts them with 16 bits.
const VALUES: usize = 65_535;
/// The bytes of a statement, about. Servers refuse more than 16 MiB unless they are told otherwise.
const BYTES: usize = 1024 * 1024;

/// Copies all rows, and gives their number.
pub(super) fn copy(
    server: &mut Server<MySqlConnection>,
    table: &Name,
    columns: &[Column],
    rows: Counted<'_>,
) -> Result<u64, Fault> {
    let mut batch = Batch {
        server,
        start: format!(
            "INSERT INTO {} ({}) VALUES ",
            table.quoted(Kind::MySql),
            column::names(columns, Kind::MySql),
        ),
        columns: columns.len(),
        most_rows: ROWS.min(VALUES / columns.len()).max(1),
        full: None,
        arguments: MySqlArguments::default(),
        rows: 0,
        bytes: 0,
        sent: 0,
    };
    let count = rows.each(&mut |number, values| batch.push(number, values))?;
    batch.send()?;
    Ok(count)
}

/// Rows that are sent together.
struct Batch<'a> {
    server: &'a mut Server<MySqlConnection>,
    /// The statement up to the rows.
    start: String,
    columns: usize,
    most_rows: usize,
    /// The statement for as many rows as there may be, once it has been needed.
    full: Option<Arc<str>>,
    arguments: MySqlArguments,
    rows: usize,
    bytes: usize,
    /// The rows of earlier statements.
    sent: u64,
}

impl Batch<'_> {
    fn push(&mut self, number: u64, values: &[Value<'_>]) -> Result<(), Fault> {
        for value in values {
            self.bytes +=
                add(&mut self.arguments, value).map_err(|error| Fault::whole_row(number, error))?;
        }
        self.rows += 1;
        if self.rows == self.most_rows || self.bytes >= BYTES {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Fault> {
        if self.rows == 0 {
            return Ok(());
        }
        let is_full = self.rows == self.most_rows;
        let statement = match (is_full, &self.full) {
            (true, Some(statement)) => Arc::clone(statement),
            _ => self.statement().into(),
        };
        if is_full {
            self.full = Some(Arc::clone(&statement));
        }
        let arguments = mem::take(&mut self.arguments);
        let insert = query_with(AssertSqlSafe(statement), arguments).persistent(is_full);
        let inserted = self
            .server
            .runtime
            .block_on(self.server.connection.execute(insert));
        inserted.map_err(|error| self.fault(error))?;
        self.sent += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    fn statement(&self) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        self.start.clone() + &vec![&*row; self.rows].join(",")
    }

    /// What the server says of a row of this statement, with the row's number among all.
    fn fault(&self, error: Error) -> Fault {
        let is_refusal = error.as_database_error().is_some();
        let reason = reason(error);
        let (first, last) = (self.sent + 1, self.sent + self.rows as u64);
        match row_of(&reason) {
            Some((what, row)) => Fault::whole_row(self.sent + row, what.to_owned()),
            None if !is_refusal => Fault::refused(reason),
            None => Fault::refused(format!("{reason} (in one of the rows {first} to {last})")),
        }
    }
}

/// The row of a message such as `Out of range value for column 'size' at row 3`, and what is before.
fn row_of(reason: &str) -> Option<(&str, u64)> {
    let (what, row) = reason.rsplit_once(" at row ")?;
    Some((what, row.parse().ok()?))
}

/// Adds a value, and says how many bytes it has.
fn add(
    arguments: &mut MySqlArguments,
    value: &Value<'_>,
) -> Result<usize, sqlx::error::BoxDynError> {
    match value {
        Value::Null => arguments.add(None::<i64>)?,
        Value::Boolean(value) => arguments.add(*value)?,
        Value::Integer(value) => arguments.add(*value)?,
        Value::Double(value) => arguments.add(*value)?,
        Value::Text(text) | Value::Decimal(text) => {
            arguments.add(&**text)?;
            return Ok(text.len());
        }
        Value::Bytes(bytes) => {
            arguments.add(&**bytes)?;
            return Ok(bytes.len());
        }
        Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_) => {
            let mut written = Vec::with_capacity(32);
            text::write(value, b' ', &mut written);
            // Moments are sent in the session's time zone, which is UTC.
            let written = String::from_utf8(written)?;
            arguments.add(written.trim_end_matches('Z'))?;
        }
    }
    Ok(8)
}
