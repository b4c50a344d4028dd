//! Rows out of a query, as the server sends them: as text, which holds every type to its last digit.

use std::{borrow::Cow, str};

use jiff::tz::Offset;
use sqlx::{
    AssertSqlSafe, Column as _, Decode, Executor as _, MySqlConnection, Row as _, SqlSafeStr as _,
    Statement as _, Type as SqlxType, TypeInfo as _, ValueRef as _,
    mysql::{MySql, MySqlColumn, MySqlRow, MySqlTypeInfo},
    raw_sql,
};

use super::fault;
use crate::{
    Column, Type, Value,
    error::Fault,
    server::{Server, some},
    snapshot::Sink,
    text,
};

/// Reads all rows, and gives their number.
pub(super) fn read(
    server: &mut Server<MySqlConnection>,
    query: &str,
    sink: &mut dyn Sink,
) -> Result<u64, Fault> {
    let Server {
        runtime,
        connection,
    } = server;
    let statement = AssertSqlSafe(query.to_owned()).into_sql_str();
    let statement = runtime
        .block_on(connection.prepare(statement))
        .map_err(fault)?;
    let of = |column: &MySqlColumn| Column::new(column.name(), kind(column.type_info()));
    let columns: Vec<Column> = statement.columns().iter().map(of).collect();
    if columns.is_empty() {
        return Err(Fault::refused("the query has no columns"));
    }
    sink.start(&columns)?;

    let mut rows = raw_sql(AssertSqlSafe(query.to_owned())).fetch(connection);
    let mut count = 0;
    loop {
        let some = some(runtime, |context| rows.as_mut().poll_next(context));
        if some.is_empty() {
            return Ok(count);
        }
        for row in some {
            let row = row.map_err(fault)?;
            count += 1;
            let mut values = Vec::with_capacity(columns.len());
            for (place, column) in columns.iter().enumerate() {
                let value = value_of(&row, place, &column.kind);
                values.push(value.map_err(|problem| Fault::row(count, &column.name, problem))?);
            }
            sink.row(count, &values)?;
        }
    }
}

/// What a type of the server's is here. A number that may be too large for an integer is a decimal one.
fn kind(info: &MySqlTypeInfo) -> Type {
    match info.name() {
        // The name of text in an exact collation is one of bytes.
        _ if <str as SqlxType<MySql>>::compatible(info) => Type::Text,
        "BOOLEAN" => Type::Boolean,
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "YEAR" | "TINYINT UNSIGNED"
        | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" => Type::Integer,
        "FLOAT" | "DOUBLE" => Type::Double,
        "DECIMAL" | "BIGINT UNSIGNED" => Type::Decimal(0, 0),
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" | "BIT"
        | "GEOMETRY" => Type::Bytes,
        "DATE" => Type::Date,
        "DATETIME" => Type::Timestamp,
        "TIMESTAMP" => Type::TimestampTz,
        _ => Type::Text,
    }
}

fn value_of<'a>(row: &'a MySqlRow, place: usize, kind: &Type) -> Result<Value<'a>, String> {
    let value = row.try_get_raw(place).map_err(|error| error.to_string())?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let bytes = <&[u8] as Decode<MySql>>::decode(value).map_err(|error| error.to_string())?;
    if *kind == Type::Bytes {
        return Ok(Value::Bytes(Cow::Borrowed(bytes)));
    }
    let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    Ok(match kind {
        // A boolean of MySQL's is a number of one digit, and need not be 0 or 1.
        Type::Boolean => match text {
            "0" => Value::Boolean(false),
            "1" => Value::Boolean(true),
            number => text::read(number, &Type::Integer)?,
        },
        Type::Text => Value::Text(Cow::Borrowed(text)),
        Type::TimestampTz => match text.parse() {
            // The session's time zone is UTC.
            Ok(time) => Value::TimestampTz(
                Offset::UTC
                    .to_timestamp(time)
                    .map_err(|error| error.to_string())?,
            ),
            Err(_) => Value::Text(Cow::Borrowed(text)),
        },
        // There are days here that are none, such as 0000-00-00.
        Type::Date | Type::Timestamp => {
            text::read(text, kind).unwrap_or(Value::Text(Cow::Borrowed(text)))
        }
        kind => text::read(text, kind)?,
    })
}
