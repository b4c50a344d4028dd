//! Rows as Parquet: columns, in groups of so many rows as fit into a few megabytes.

use std::{mem, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type as Schema,
};

use super::{File, Sink};
use crate::{Column, Type, Value, calendar, error::Fault, text};

/// The rows of a group, at most.
const GROUP_ROWS: usize = 64 * 1024;
/// The bytes of text of a group, about, at most.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Writes rows as Parquet.
pub(super) struct Parquet<'a> {
    /// Until the columns are known.
    file: Option<File<'a>>,
    writer: Option<SerializedFileWriter<File<'a>>>,
    columns: Vec<Collected>,
    rows: usize,
    bytes: usize,
}

/// A column of the group that is being collected.
struct Collected {
    column: Column,
    values: Values,
    /// For each row whether there is a value.
    defined: Vec<i16>,
}

/// The values without NULLs, as Parquet stores them.
enum Values {
    Booleans(Vec<bool>),
    Days(Vec<i32>),
    Wholes(Vec<i64>),
    Doubles(Vec<f64>),
    Bytes(Vec<ByteArray>),
}

impl<'a> Parquet<'a> {
    pub(super) fn new(file: File<'a>) -> Self {
        Self {
            file: Some(file),
            writer: None,
            columns: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let writer = self.writer.as_mut().expect("the columns came first");
        let mut group = writer.next_row_group()?;
        for collected in &mut self.columns {
            let mut column = group.next_column()?.expect("one for each of the schema's");
            let defined = mem::take(&mut collected.defined);
            match &mut collected.values {
                Values::Booleans(values) => write::<BoolType>(&mut column, values, &defined)?,
                Values::Days(values) => write::<Int32Type>(&mut column, values, &defined)?,
                Values::Wholes(values) => write::<Int64Type>(&mut column, values, &defined)?,
                Values::Doubles(values) => write::<DoubleType>(&mut column, values, &defined)?,
                Values::Bytes(values) => write::<ByteArrayType>(&mut column, values, &defined)?,
            }
            column.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn write<T: DataType>(
    column: &mut parquet::file::writer::SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    defined: &[i16],
) -> Result<(), ParquetError> {
    column
        .typed::<T>()
        .write_batch(values, Some(defined), None)?;
    values.clear();
    Ok(())
}

impl Sink for Parquet<'_> {
    fn start(&mut self, columns: &[Column]) -> Result<(), Fault> {
        let fields: Result<_, _> = columns
            .iter()
            .map(|column| field(column).map(Arc::new))
            .collect();
        let schema = Schema::group_type_builder("rows")
            .with_fields(fields.map_err(Fault::refused)?)
            .build()
            .map_err(Fault::refused)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let file = self.file.take().expect("it starts once");
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        self.writer = Some(writer.map_err(Fault::refused)?);
        self.columns = columns.iter().cloned().map(Collected::new).collect();
        Ok(())
    }

    fn row(&mut self, number: u64, values: &[Value<'_>]) -> Result<(), Fault> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.bytes += column.push(number, value)?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group().map_err(Fault::refused)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.rows > 0 {
            self.write_group().map_err(Fault::refused)?;
        }
        let writer = self.writer.take().expect("the columns came first");
        writer.close().map_err(Fault::refused)?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<Schema, ParquetError> {
    let (physical, logical) = match &column.kind {
        Type::Boolean => (Physical::BOOLEAN, None),
        Type::Integer => (Physical::INT64, None),
        Type::Double => (Physical::DOUBLE, None),
        Type::Bytes => (Physical::BYTE_ARRAY, None),
        Type::Date => (Physical::INT32, Some(LogicalType::Date)),
        Type::Timestamp => (
            Physical::INT64,
            Some(LogicalType::timestamp(false, TimeUnit::MICROS)),
        ),
        Type::TimestampTz => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
        ),
        Type::Text | Type::Decimal(..) | Type::Sql(_) => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
    };
    Schema::primitive_type_builder(&column.name, physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::OPTIONAL)
        .build()
}

impl Collected {
    fn new(column: Column) -> Self {
        let values = match &column.kind {
            Type::Boolean => Values::Booleans(Vec::new()),
            Type::Date => Values::Days(Vec::new()),
            Type::Integer | Type::Timestamp | Type::TimestampTz => Values::Wholes(Vec::new()),
            Type::Double => Values::Doubles(Vec::new()),
            Type::Bytes | Type::Text | Type::Decimal(..) | Type::Sql(_) => {
                Values::Bytes(Vec::new())
            }
        };
        let defined = Vec::new();
        Self {
            column,
            values,
            defined,
        }
    }

    /// Adds a value, and says how many bytes it has.
    fn push(&mut self, row: u64, value: &Value<'_>) -> Result<usize, Fault> {
        self.defined.push((*value != Value::Null).into());
        match (&mut self.values, value) {
            (_, Value::Null) => {}
            (Values::Booleans(values), Value::Boolean(value)) => values.push(*value),
            (Values::Doubles(values), Value::Double(value)) => values.push(*value),
            (Values::Days(values), Value::Date(date)) => values.push(calendar::day_of_date(*date)),
            (Values::Wholes(values), value) => match (&self.column.kind, value) {
                (Type::Integer, Value::Integer(value)) => values.push(*value),
                (Type::Timestamp, Value::Timestamp(time)) => {
                    values.push(calendar::microsecond_of_time(*time));
                }
                (Type::TimestampTz, Value::TimestampTz(time)) => values.push(time.as_microsecond()),
                (_, value) => return Err(self.misfit(row, value)),
            },
            (Values::Bytes(values), Value::Bytes(bytes)) if self.column.kind == Type::Bytes => {
                values.push(bytes.to_vec().into());
                return Ok(bytes.len());
            }
            (Values::Bytes(values), value) if self.column.kind != Type::Bytes => {
                let mut text = Vec::new();
                text::write(value, b'T', &mut text);
                let length = text.len();
                values.push(text.into());
                return Ok(length);
            }
            (_, value) => return Err(self.misfit(row, value)),
        }
        Ok(8)
    }

    fn misfit(&self, row: u64, value: &Value<'_>) -> Fault {
        let mut text = Vec::new();
        text::write(value, b'T', &mut text);
        let text = String::from_utf8_lossy(&text);
        let problem = format!(
            "`{text}` is no {}, as the column is in Parquet",
            self.column.kind
        );
        Fault::row(row, &self.column.name, problem)
    }
}
