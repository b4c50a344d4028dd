//! What SQLite, PostgreSQL and MySQL write differently. All else is written once.

use std::fmt::Write as _;

/// The database's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    /// A statement with `?` for each value, as this database has it. None of ours holds a `?`
    /// otherwise.
    pub(crate) fn sql(self, text: &str) -> String {
        if self != Self::Postgres {
            return text.to_owned();
        }
        let mut sql = String::with_capacity(text.len() + 16);
        let mut number = 0;
        for c in text.chars() {
            if c == '?' {
                number += 1;
                let _ = write!(sql, "${number}");
            } else {
                sql.push(c);
            }
        }
        sql
    }

    /// The type of texts of any length, told apart to the letter.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "TEXT",
            Self::MySql => "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        }
    }

    /// The type of bytes of any length.
    pub(crate) const fn bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "BLOB",
            Self::Postgres => "BYTEA",
            Self::MySql => "LONGBLOB",
        }
    }

    /// The type of fractions.
    pub(crate) const fn double(self) -> &'static str {
        match self {
            Self::Sqlite | Self::MySql => "DOUBLE",
            Self::Postgres => "DOUBLE PRECISION",
        }
    }

    /// What stands after the columns of a table whose rows are kept in the order of its key.
    pub(crate) const fn clustered(self) -> &'static str {
        match self {
            Self::Sqlite => "WITHOUT ROWID",
            Self::Postgres | Self::MySql => "",
        }
    }

    /// The condition of an index that leaves out what is done, where an index can have one.
    pub(crate) const fn index_where(self, condition: &'static str) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => condition,
            Self::MySql => "",
        }
    }

    /// The words before `INTO` and after the rows of an insertion that leaves alone what is there.
    pub(crate) const fn insert_if_absent(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite | Self::Postgres => ("INSERT", " ON CONFLICT DO NOTHING"),
            Self::MySql => ("INSERT IGNORE", ""),
        }
    }

    /// What stands after the rows of an insertion that replaces this column of what is there under the same `id`.
    pub(crate) fn or_replace(self, column: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => {
                format!(" ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}")
            }
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE {column} = VALUES({column})"),
        }
    }

    /// Locks the rows that were read for the rest of the transaction, where that is needed.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            // There is one writer at a time anyway.
            Self::Sqlite => "",
            Self::Postgres | Self::MySql => " FOR UPDATE",
        }
    }

    /// A sum or count as a whole number of 64 bits.
    pub(crate) fn whole(self, expression: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("CAST({expression} AS BIGINT)"),
            Self::MySql => format!("CAST({expression} AS SIGNED)"),
        }
    }

    /// Whole milliseconds as whole hours.
    pub(crate) fn hour_of(self, column: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("{column} / 3600000"),
            Self::MySql => format!("{column} DIV 3600000"),
        }
    }

    /// A condition that a column holds a text.
    pub(crate) fn contains(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({column}, ?) > 0"),
            Self::Postgres => format!("strpos({column}, ?) > 0"),
            Self::MySql => format!("LOCATE(?, {column}) > 0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_for_postgresql() {
        let sql = "SELECT a FROM b WHERE c = ? AND d < ?";
        assert_eq!(Dialect::Sqlite.sql(sql), sql);
        let numbered = "SELECT a FROM b WHERE c = $1 AND d < $2";
        assert_eq!(Dialect::Postgres.sql(sql), numbered);
    }
}
