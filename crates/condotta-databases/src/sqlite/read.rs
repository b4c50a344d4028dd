//! Rows out of a query. SQLite's values have types of their own, whatever their column says: what its
//! declaration promises is made of a value where it can be, and else the value is as it is.

use std::borrow::Cow;

use rusqlite::{Connection, types::ValueRef};

use crate::{Column, Type, Value, error::Fault, snapshot::Sink, text};

/// Reads all rows, and gives their number.
pub(super) fn read(file: &Connection, query: &str, sink: &mut dyn Sink) -> Result<u64, Fault> {
    let mut statement = file.prepare(query).map_err(Fault::refused)?;
    let declared: Vec<(String, Option<Type>)> = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.decl_type().and_then(kind)))
        .collect();
    if declared.is_empty() {
        return Err(Fault::refused("the query has no columns"));
    }
    let mut columns = Vec::new();
    let mut rows = statement.query(()).map_err(Fault::refused)?;
    let mut count = 0;
    loop {
        let row = rows.next().map_err(Fault::refused)?;
        if columns.is_empty() {
            // The columns of an expression are what its first value is.
            for (place, (name, kind)) in declared.iter().enumerate() {
                let first = row.and_then(|row| row.get_ref(place).ok());
                let kind = kind.clone().unwrap_or_else(|| kind_of(first));
                columns.push(Column::new(name.clone(), kind));
            }
            sink.start(&columns)?;
        }
        let Some(row) = row else {
            return Ok(count);
        };
        count += 1;
        let mut values = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            let value = row.get_ref(place).map_err(Fault::refused)?;
            let value = value_of(value, &column.kind);
            values.push(value.map_err(|problem| Fault::row(count, &column.name, problem))?);
        }
        sink.row(count, &values)?;
    }
}

/// What a declaration promises, by SQLite's own rules and our names of dates.
fn kind(declaration: &str) -> Option<Type> {
    let declaration = declaration.to_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declaration.contains(word));
    Some(match () {
        () if has(&["BOOL"]) => Type::Boolean,
        () if has(&["TIMESTAMPTZ", "WITH TIME ZONE"]) => Type::TimestampTz,
        () if has(&["TIMESTAMP", "DATETIME"]) => Type::Timestamp,
        () if has(&["DATE"]) => Type::Date,
        () if has(&["INT"]) => Type::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Type::Text,
        () if has(&["BLOB"]) => Type::Bytes,
        () if has(&["REAL", "FLOA", "DOUB"]) => Type::Double,
        () if has(&["DECIMAL", "NUMERIC"]) => Type::Decimal(0, 0),
        () => return None,
    })
}

fn kind_of(value: Option<ValueRef<'_>>) -> Type {
    match value {
        Some(ValueRef::Integer(_)) => Type::Integer,
        Some(ValueRef::Real(_)) => Type::Double,
        Some(ValueRef::Blob(_)) => Type::Bytes,
        Some(ValueRef::Text(_) | ValueRef::Null) | None => Type::Text,
    }
}

fn value_of<'a>(value: ValueRef<'a>, kind: &Type) -> Result<Value<'a>, &'static str> {
    Ok(match (value, kind) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(0), Type::Boolean) => Value::Boolean(false),
        (ValueRef::Integer(1), Type::Boolean) => Value::Boolean(true),
        #[expect(
            clippy::cast_precision_loss,
            reason = "SQLite stores whole doubles as integers"
        )]
        (ValueRef::Integer(value), Type::Double) => Value::Double(value as f64),
        (ValueRef::Integer(value), Type::Decimal(..)) => {
            Value::Decimal(Cow::Owned(value.to_string()))
        }
        (ValueRef::Real(value), Type::Decimal(..)) => Value::Decimal(Cow::Owned(value.to_string())),
        (ValueRef::Integer(value), _) => Value::Integer(value),
        (ValueRef::Real(value), _) => Value::Double(value),
        (ValueRef::Blob(bytes), _) => Value::Bytes(Cow::Borrowed(bytes)),
        (ValueRef::Text(bytes), kind) => {
            let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
            match kind {
                Type::Date | Type::Timestamp | Type::TimestampTz | Type::Decimal(..) => {
                    text::read(text, kind).unwrap_or(Value::Text(Cow::Borrowed(text)))
                }
                _ => Value::Text(Cow::Borrowed(text)),
            }
        }
    })
}
