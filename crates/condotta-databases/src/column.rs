//! Columns and their types, and what the databases call them.

use std::{borrow::Cow, fmt};

use crate::{database::Kind, name::quoted};

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Double,
    /// An exact number: digits in all, and digits after the point. (SQLite keeps about 15 digits.)
    Decimal(u8, u8),
    /// Text of any length.
    Text,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A day and a time without a time zone.
    Timestamp,
    /// A moment, whatever the time zone. In MySQL it is a `TIMESTAMP`, which ends in 2038.
    TimestampTz,
    /// Any other type, in the words of the database; what else belongs to the column's definition may
    /// follow: `Type::sql("VARCHAR(16) PRIMARY KEY")`. The database checks the values.
    Sql(Cow<'static, str>),
}

impl Type {
    /// Another type, in the words of the database.
    pub fn sql(words: impl Into<Cow<'static, str>>) -> Self {
        Self::Sql(words.into())
    }

    /// How a value is written as text, by examples; of text, and of what the database checks, nothing is known.
    fn form(&self) -> Option<&'static str> {
        Some(match self {
            Self::Boolean => "`true` or `false`",
            Self::Integer => "`-42`",
            Self::Double => "`98.5` or `1e-7`",
            Self::Decimal(..) => "`12.50`",
            Self::Bytes => "`\\x00ff`",
            Self::Date => "`2026-11-27`",
            Self::Timestamp => "`2026-11-27 08:00:00.5`",
            Self::TimestampTz => "`2026-11-27 08:00:00.5Z` or with `+01:00` in place of the `Z`",
            Self::Text | Self::Sql(_) => return None,
        })
    }

    /// That a text is none of this type, and how one is written.
    pub(crate) fn misfit(&self, text: &str) -> String {
        match self.form() {
            Some(form) => format!("`{text}` is no {self}, which is written as {form}"),
            None => format!("`{text}` is no {self}"),
        }
    }

    /// As a table's definition has it.
    fn definition(&self, kind: Kind) -> Cow<'_, str> {
        let by_kind = |postgres, my_sql, sqlite| match kind {
            Kind::Postgres => Cow::Borrowed(postgres),
            Kind::MySql => Cow::Borrowed(my_sql),
            Kind::Sqlite => Cow::Borrowed(sqlite),
        };
        match self {
            Self::Boolean => Cow::Borrowed("BOOLEAN"),
            Self::Integer => Cow::Borrowed("BIGINT"),
            Self::Double => Cow::Borrowed("DOUBLE PRECISION"),
            Self::Decimal(digits, after) => Cow::Owned(format!("DECIMAL({digits}, {after})")),
            // Told apart to the letter, as the others do.
            Self::Text => by_kind(
                "TEXT",
                "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                "TEXT",
            ),
            Self::Bytes => by_kind("BYTEA", "LONGBLOB", "BLOB"),
            Self::Date => Cow::Borrowed("DATE"),
            Self::Timestamp => by_kind("TIMESTAMP", "DATETIME(6)", "TIMESTAMP"),
            // MySQL gives the first TIMESTAMP of a table the time of each change, unless it may be NULL.
            Self::TimestampTz => by_kind("TIMESTAMPTZ", "TIMESTAMP(6) NULL", "TIMESTAMPTZ"),
            Self::Sql(words) => Cow::Borrowed(words),
        }
    }
}

/// As errors name it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Double => "number",
            Self::Decimal(..) => "decimal number",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamp with a time zone",
            Self::Sql(words) => words,
        })
    }
}

/// A column of a table: a pair of name and type makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) required: bool,
}

impl Column {
    /// A column that may be NULL.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Self {
            name: name.into(),
            kind,
            required: false,
        }
    }

    /// Refuses NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.required = true;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> &Type {
        &self.kind
    }
}

impl<N: Into<String>> From<(N, Type)> for Column {
    fn from((name, kind): (N, Type)) -> Self {
        Self::new(name, kind)
    }
}

/// The names of columns, as SQL lists them.
pub(crate) fn names(columns: &[Column], kind: Kind) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| quoted(&column.name, kind))
        .collect();
    names.join(", ")
}

/// The statement that makes a table.
pub(crate) fn create_table(table: &str, columns: &[Column], kind: Kind) -> String {
    let define = |column: &Column| {
        let name = quoted(&column.name, kind);
        let required = match column.required {
            true if kind == Kind::MySql && column.kind == Type::TimestampTz => {
                " DEFAULT NOW(6) NOT NULL"
            }
            true => " NOT NULL",
            false => "",
        };
        let definition = column.kind.definition(kind);
        let definition = match column.required {
            true => definition.trim_end_matches(" NULL"),
            false => &definition,
        };
        format!("{name} {definition}{required}")
    };
    let columns: Vec<String> = columns.iter().map(define).collect();
    // Of MySQL's kinds of tables, this one has transactions.
    let engine = match kind {
        Kind::MySql => " ENGINE=InnoDB",
        Kind::Postgres | Kind::Sqlite => "",
    };
    format!("CREATE TABLE {table} ({}){engine}", columns.join(", "))
}
