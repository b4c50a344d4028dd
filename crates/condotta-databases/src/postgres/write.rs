//! Rows into a table with `COPY`, in its text format: the server reads each value by the column's type,
//! whatever integer or text type that is.

use sqlx::PgConnection;

use super::fault;
use crate::{
    Column, Value, column, copy::Counted, database::Kind, error::Fault, name::Name, server::Server,
    text,
};

/// The bytes that are collected before they are sent.
const BUFFER: usize = 256 * 1024;

/// Copies all rows, and gives their number.
pub(super) fn copy(
    server: &mut Server<PgConnection>,
    table: &Name,
    columns: &[Column],
    rows: Counted<'_>,
) -> Result<u64, Fault> {
    let Server {
        runtime,
        connection,
    } = server;
    let statement = format!(
        "COPY {} ({}) FROM STDIN (FORMAT text)",
        table.quoted(Kind::Postgres),
        column::names(columns, Kind::Postgres),
    );
    let mut copy = runtime
        .block_on(connection.copy_in_raw(&statement))
        .map_err(fault)?;
    let mut buffer = Vec::with_capacity(2 * BUFFER);
    let given = rows.each(&mut |_, values| {
        encode(values, &mut buffer);
        if buffer.len() >= BUFFER {
            runtime.block_on(copy.send(&buffer[..])).map_err(fault)?;
            buffer.clear();
        }
        Ok(())
    });
    match given {
        Ok(count) => {
            runtime.block_on(copy.send(&buffer[..])).map_err(fault)?;
            runtime.block_on(copy.finish()).map_err(fault)?;
            Ok(count)
        }
        Err(reason) => {
            // What counts is why the rows ended, not whether the server could be told.
            let _ = runtime.block_on(copy.abort("the rows ended with an error"));
            Err(reason)
        }
    }
}

/// A line of the text format.
fn encode(values: &[Value<'_>], out: &mut Vec<u8>) {
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(b'\t');
        }
        match value {
            Value::Null => out.extend_from_slice(b"\\N"),
            Value::Text(text) | Value::Decimal(text) => escape(text.as_bytes(), out),
            Value::Bytes(_) => {
                // The backslash in front of the digits is one of the value's.
                out.push(b'\\');
                text::write(value, b' ', out);
            }
            value => text::write(value, b' ', out),
        }
    }
    out.push(b'\n');
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t');
    let mut rest = text;
    while let Some(place) = rest.iter().position(is_special) {
        out.extend_from_slice(&rest[..place]);
        let letter = match rest[place] {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            other => other,
        };
        out.extend_from_slice(&[b'\\', letter]);
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line() {
        let values = [
            Value::Text("a\tb\\N\r\n".into()),
            Value::Null,
            Value::Bytes(b"\xff".into()),
            Value::Boolean(true),
            Value::Integer(-1),
        ];
        let mut out = Vec::new();
        encode(&values, &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "a\\tb\\\\N\\r\\n\t\\N\t\\\\xff\ttrue\t-1\n"
        );
    }
}
