//! What can go wrong with a database: what was tried, where, and why it failed. No error has a URL in
//! it, which may hold a password.

use condotta_database_url::Problem;
use condotta_targets::BoxError;

/// A URL that names no database. Does not repeat the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// No database that is known here.
    #[error(
        "`{0}` is no database: write postgresql://user@host/name, mysql://user@host/name or \
         sqlite:///path/of/the/file"
    )]
    Unknown(String),
    /// A database without a name.
    #[error("the URL names no database: write {0}://user@host/name")]
    NoName(&'static str),
    /// SQLite without a file.
    #[error("a database in memory is gone at once: name a file, as in sqlite:///weather.sqlite")]
    InMemory,
    /// A parameter about encryption that would be passed over.
    #[error("the URL says something of encryption that is not known here: write {0}")]
    Encryption(&'static str),
}

impl From<Problem> for BadUrl {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Unknown(scheme) => Self::Unknown(scheme),
            Problem::NoName(scheme) => Self::NoName(scheme),
            Problem::InMemory => Self::InMemory,
            Problem::Encryption(advice) => Self::Encryption(advice),
        }
    }
}

/// An action on a database that failed. The reason is its source.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be connected to.
    #[error("cannot connect to {place}")]
    Connect {
        /// The database.
        place: String,
        /// Why.
        source: BoxError,
    },
    /// It refused, the connection broke, or what was read cannot be stored. Nothing has changed.
    #[error("cannot {action} {what}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// With which table, in which database.
        what: String,
        /// Why it failed.
        source: BoxError,
    },
    /// A row is not what its table or its reader expects. Nothing has changed.
    #[error("cannot {action} {what}: row {row}{}", column.as_ref().map(|name| format!(", column {name}")).unwrap_or_default())]
    Row {
        /// What was tried.
        action: &'static str,
        /// With which table, in which database.
        what: String,
        /// Which row, counted from 1. A header does not count.
        row: u64,
        /// Which column, if it is known.
        column: Option<String>,
        /// What is wrong with it.
        source: BoxError,
    },
    /// Somebody else marked the same update meanwhile. Nothing has changed.
    #[error(
        "cannot {action} {what}: the update is marked already, so another run did it meanwhile"
    )]
    Marked {
        /// What was tried.
        action: &'static str,
        /// With which table, in which database.
        what: String,
    },
}

impl DatabaseError {
    /// For `map_err`: names what was tried and with what.
    pub(crate) fn of(
        action: &'static str,
        what: impl ToString,
    ) -> impl FnOnce(Fault) -> DatabaseError {
        move |fault| {
            let what = what.to_string();
            match fault {
                Fault::Connect { place, source } => Self::Connect { place, source },
                Fault::Refused(source) => Self::Failed {
                    action,
                    what,
                    source,
                },
                Fault::Row {
                    row,
                    column,
                    source,
                } => Self::Row {
                    action,
                    what,
                    row,
                    column,
                    source,
                },
                Fault::Marked => Self::Marked { action, what },
            }
        }
    }
}

/// Why something failed, before it is known what was tried.
#[derive(Debug)]
pub(crate) enum Fault {
    Connect {
        place: String,
        source: BoxError,
    },
    Refused(BoxError),
    Row {
        row: u64,
        column: Option<String>,
        source: BoxError,
    },
    Marked,
}

impl Fault {
    /// A row with something wrong in one column.
    pub(crate) fn row(row: u64, column: &str, source: impl Into<BoxError>) -> Self {
        Self::Row {
            row,
            column: Some(column.to_owned()),
            source: source.into(),
        }
    }

    /// A row that is wrong as a whole.
    pub(crate) fn whole_row(row: u64, source: impl Into<BoxError>) -> Self {
        Self::Row {
            row,
            column: None,
            source: source.into(),
        }
    }

    /// Text for the reason.
    pub(crate) fn refused(reason: impl Into<BoxError>) -> Self {
        Self::Refused(reason.into())
    }
}
