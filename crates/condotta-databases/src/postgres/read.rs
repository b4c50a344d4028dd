//! Rows out of a query with `COPY`, in its binary format: quick, and to the last bit. Types that have no
//! kind here come as the text that the server makes of them.

use std::{borrow::Cow, str};

use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
    postgres::{PgTypeInfo, PgTypeKind},
};

use super::fault;
use crate::{
    Column, Type, Value, calendar,
    database::Kind,
    error::Fault,
    name::quoted,
    server::{Server, some},
    snapshot::Sink,
};

/// What each stream starts with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, and the length of an extension that nobody has.
const HEADER: usize = SIGNATURE.len() + 8;

/// How a value comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Boolean,
    Integer,
    Double,
    /// Its text: a number of 32 bits is to have no digits that it has not.
    ShortDouble,
    Decimal,
    Text,
    Bytes,
    Date,
    Timestamp,
    TimestampTz,
}

/// Reads all rows, and gives their number.
pub(super) fn read(
    server: &mut Server<PgConnection>,
    query: &str,
    sink: &mut dyn Sink,
) -> Result<u64, Fault> {
    let Server {
        runtime,
        connection,
    } = server;
    let prepare = connection.prepare(AssertSqlSafe(query.to_owned()).into_sql_str());
    let statement = runtime.block_on(prepare).map_err(fault)?;
    let mut columns = Vec::new();
    let mut wires = Vec::new();
    let mut casts = Vec::new();
    for column in statement.columns() {
        let (wire, kind, cast) = wire(column.type_info());
        columns.push(Column::new(column.name(), kind));
        wires.push(wire);
        casts.push(cast);
    }
    if columns.is_empty() {
        return Err(Fault::refused("the query has no columns"));
    }
    sink.start(&columns)?;

    let statement = format!(
        "COPY ({}\n) TO STDOUT (FORMAT binary)",
        with_casts(query, &casts)
    );
    let mut rows = Rows {
        wires,
        columns,
        rest: Vec::new(),
        started: false,
        count: 0,
    };
    let mut messages = runtime
        .block_on(connection.copy_out_raw(&statement))
        .map_err(fault)?;
    loop {
        let some = some(runtime, |context| messages.as_mut().poll_next(context));
        if some.is_empty() {
            return Ok(rows.count);
        }
        for message in some {
            rows.take(&message.map_err(fault)?, sink)?;
        }
    }
}

/// The query, with what has no kind here as text.
fn with_casts(query: &str, casts: &[bool]) -> String {
    if !casts.contains(&true) {
        return query.to_owned();
    }
    // By place: two columns of a query may have one name.
    let name = |place: usize| quoted(&format!("c{place}"), Kind::Postgres);
    let names: Vec<String> = (0..casts.len()).map(name).collect();
    let cast = |(name, cast): (&String, &bool)| match cast {
        true => format!("{name}::text"),
        false => name.clone(),
    };
    let values: Vec<String> = names.iter().zip(casts).map(cast).collect();
    let (values, names) = (values.join(", "), names.join(", "));
    format!("SELECT {values} FROM ({query}\n) AS q({names})")
}

/// How a type comes, what it is here, and whether it has to be made text of.
fn wire(info: &PgTypeInfo) -> (Wire, Type, bool) {
    if let PgTypeKind::Domain(base) = info.kind() {
        return wire(base);
    }
    match info.name() {
        "BOOL" => (Wire::Boolean, Type::Boolean, false),
        "INT2" | "INT4" | "INT8" => (Wire::Integer, Type::Integer, false),
        "FLOAT8" => (Wire::Double, Type::Double, false),
        "FLOAT4" => (Wire::ShortDouble, Type::Double, true),
        "NUMERIC" => (Wire::Decimal, Type::Decimal(0, 0), true),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" => (Wire::Text, Type::Text, false),
        "BYTEA" => (Wire::Bytes, Type::Bytes, false),
        "DATE" => (Wire::Date, Type::Date, false),
        "TIMESTAMP" => (Wire::Timestamp, Type::Timestamp, false),
        "TIMESTAMPTZ" => (Wire::TimestampTz, Type::TimestampTz, false),
        _ => (Wire::Text, Type::Text, true),
    }
}

/// The rows in the messages. A message is a row, usually; that is not relied on.
struct Rows {
    wires: Vec<Wire>,
    columns: Vec<Column>,
    /// What came and is not yet a row.
    rest: Vec<u8>,
    started: bool,
    count: u64,
}

/// What the next bytes are.
enum Next<'a> {
    /// A row, and how many bytes it has.
    Row(Vec<Value<'a>>, usize),
    /// The end of all rows.
    End,
    /// Less than a row.
    Later,
}

impl Rows {
    fn take(&mut self, message: &[u8], sink: &mut dyn Sink) -> Result<(), Fault> {
        if self.rest.is_empty() {
            let taken = self.take_rows(message, sink)?;
            self.rest.extend_from_slice(&message[taken..]);
        } else {
            let mut bytes = std::mem::take(&mut self.rest);
            bytes.extend_from_slice(message);
            let taken = self.take_rows(&bytes, sink)?;
            bytes.drain(..taken);
            self.rest = bytes;
        }
        Ok(())
    }

    /// Takes all whole rows, and says how many bytes they are.
    fn take_rows(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<usize, Fault> {
        let mut place = 0;
        if !self.started {
            if bytes.len() < HEADER {
                return Ok(0);
            }
            if !bytes.starts_with(SIGNATURE) {
                return Err(Fault::refused("the server does not send what COPY should"));
            }
            self.started = true;
            place = HEADER;
        }
        loop {
            let (values, length) = match self.row(&bytes[place..])? {
                Next::Row(values, length) => (values, length),
                // Nothing comes after it.
                Next::End => return Ok(bytes.len()),
                Next::Later => return Ok(place),
            };
            place += length;
            self.count += 1;
            sink.row(self.count, &values)?;
        }
    }

    fn row<'a>(&self, bytes: &'a [u8]) -> Result<Next<'a>, Fault> {
        let Some((count, mut rest)) = bytes.split_first_chunk::<2>() else {
            return Ok(Next::Later);
        };
        // The end is a row of -1 values.
        if i16::from_be_bytes(*count) < 0 {
            return Ok(Next::End);
        }
        let mut values = Vec::with_capacity(self.wires.len());
        for (wire, column) in self.wires.iter().zip(&self.columns) {
            let Some((length, after)) = rest.split_first_chunk::<4>() else {
                return Ok(Next::Later);
            };
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                values.push(Value::Null);
                rest = after;
                continue;
            };
            let Some((value, after)) = after.split_at_checked(length) else {
                return Ok(Next::Later);
            };
            let value = value_of(*wire, value)
                .map_err(|problem| Fault::row(self.count + 1, &column.name, problem))?;
            values.push(value);
            rest = after;
        }
        Ok(Next::Row(values, bytes.len() - rest.len()))
    }
}

/// Seconds from 1970 to 2000, which is when PostgreSQL's time begins.
const EPOCH: i64 = 946_684_800;

fn value_of(wire: Wire, bytes: &[u8]) -> Result<Value<'_>, &'static str> {
    const UNFIT: &str = "the server sent it in an unknown form";
    let text = || str::from_utf8(bytes).map_err(|_| "it is not UTF-8");
    let whole = || match bytes.len() {
        2 => bytes
            .try_into()
            .map(|bytes| i16::from_be_bytes(bytes).into()),
        4 => bytes
            .try_into()
            .map(|bytes| i32::from_be_bytes(bytes).into()),
        _ => bytes.try_into().map(i64::from_be_bytes),
    };
    let whole = || whole().map_err(|_| UNFIT);
    Ok(match wire {
        Wire::Boolean => Value::Boolean(bytes != [0]),
        Wire::Integer => Value::Integer(whole()?),
        Wire::Double => Value::Double(f64::from_be_bytes(bytes.try_into().map_err(|_| UNFIT)?)),
        Wire::ShortDouble => Value::Double(text()?.parse().map_err(|_| UNFIT)?),
        Wire::Decimal => Value::Decimal(Cow::Borrowed(text()?)),
        Wire::Text => Value::Text(Cow::Borrowed(text()?)),
        Wire::Bytes => Value::Bytes(Cow::Borrowed(bytes)),
        Wire::Date => match whole()? {
            days if days == i64::from(i32::MAX) => Value::Text("infinity".into()),
            days if days == i64::from(i32::MIN) => Value::Text("-infinity".into()),
            days => {
                let day = days + EPOCH / 86_400;
                Value::Date(calendar::date_of_day(day).ok_or(OUTSIDE)?)
            }
        },
        Wire::Timestamp | Wire::TimestampTz => match whole()? {
            i64::MAX => Value::Text("infinity".into()),
            i64::MIN => Value::Text("-infinity".into()),
            microseconds => {
                let since_1970 = microseconds.checked_add(EPOCH * 1_000_000).ok_or(OUTSIDE)?;
                match wire {
                    Wire::TimestampTz => Value::TimestampTz(
                        Timestamp::from_microsecond(since_1970).map_err(|_| OUTSIDE)?,
                    ),
                    _ => {
                        Value::Timestamp(calendar::time_of_microsecond(since_1970).ok_or(OUTSIDE)?)
                    }
                }
            }
        },
    })
}

const OUTSIDE: &str = "its year has more than four digits: have the query make text of it";
