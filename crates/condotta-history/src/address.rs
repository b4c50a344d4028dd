//! Where a history is: a file, or a database by its URL, in our words or in SQLAlchemy's.
//!
//! A URL may hold a password, so it is never shown: what is shown is the place.

use std::{
    fmt,
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use condotta_database_url::{self as database_url, DatabaseUrl, Problem, ServerUrl};

use crate::dialect::Dialect;

/// Where a history is.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    dialect: Dialect,
    /// With all that is secret.
    url: String,
    place: String,
}

/// A URL that names no place of a history. Does not repeat the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// No database that is known here.
    #[error(
        "`{0}` is no database for the history: write sqlite:///path/of/the/file, \
         postgresql://user:password@host/database or mysql://user:password@host/database"
    )]
    Unknown(String),
    /// A database without a name.
    #[error("the URL names no database: write {0}://user:password@host/database")]
    NoDatabase(&'static str),
    /// SQLite without a file.
    #[error(
        "a history in memory is none: name a file, as in sqlite:////var/lib/condotta/history.sqlite"
    )]
    InMemory,
    /// A parameter about encryption that would be passed over.
    #[error("the history's URL says something of encryption that is not known here: write {0}")]
    Encryption(&'static str),
}

impl From<Problem> for BadAddress {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Unknown(scheme) => Self::Unknown(scheme),
            Problem::NoName(scheme) => Self::NoDatabase(scheme),
            Problem::InMemory => Self::InMemory,
            Problem::Encryption(advice) => Self::Encryption(advice),
        }
    }
}

impl Address {
    /// A SQLite file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        let path = path.to_string_lossy();
        Self {
            dialect: Dialect::Sqlite,
            url: format!("sqlite://{}?mode=rwc", escaped(&path)),
            place: path.into_owned(),
        }
    }

    /// What a URL says: `sqlite:///file` (relative) or `sqlite:////file`, `postgresql://…`,
    /// `mysql://…` or `mariadb://…`. A driver as SQLAlchemy names it (`mysql+pymysql://…`) is left
    /// out.
    ///
    /// # Errors
    ///
    /// When it names no database that is known here.
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        match DatabaseUrl::parse(url)? {
            DatabaseUrl::File(path) => Ok(Self::file(Path::new(path))),
            DatabaseUrl::Server(server) => Ok(Self::server(server)),
        }
    }

    fn server(server: ServerUrl<'_>) -> Self {
        // SQLAlchemy's option for the character set; here it always is the full one.
        let server = server.without("charset");
        Self {
            dialect: match server.dialect {
                database_url::Dialect::Postgres => Dialect::Postgres,
                database_url::Dialect::MySql => Dialect::MySql,
                database_url::Dialect::Sqlite => Dialect::Sqlite,
            },
            url: server.url(),
            place: server.place(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// With all that is secret: for the driver alone.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same for whoever makes nothing.
    pub(crate) fn url_to_ask(&self) -> String {
        self.url.replace("?mode=rwc", "?mode=rw")
    }

    /// The place without what is secret.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Makes an empty file, where it is one that is not there: for its owner's eyes alone.
    pub(crate) fn make_file(&self) -> io::Result<()> {
        let path = Path::new(&self.place);
        if !self.is_file() || path.exists() {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.open(path).map(drop)
    }

    /// Whether it is a file of its own.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.place)
    }
}

/// A path as a URL has it.
fn escaped(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_sqlalchemy_has_them() {
        for (url, place) in [
            ("sqlite:///history.db", "history.db"),
            ("sqlite:////srv/my history.db", "/srv/my history.db"),
            ("postgres://u:p@db:5433/runs", "postgresql://db:5433/runs"),
            (
                "postgresql+psycopg2://u:p@db/runs?sslmode=require",
                "postgresql://db/runs",
            ),
            (
                "mysql+pymysql://u:p@db/runs?charset=utf8mb4",
                "mysql://db/runs",
            ),
            ("mariadb://db/runs", "mysql://db/runs"),
        ] {
            assert_eq!(Address::parse(url).unwrap().place(), place, "{url}");
        }
        let address = Address::parse("mysql+pymysql://u:p@db/runs?charset=utf8mb4").unwrap();
        assert_eq!(address.url(), "mysql://u:p@db/runs");
        let url = "postgresql://u:p@db/runs?sslmode=require&pasword=secret&options[a]=b";
        assert_eq!(
            Address::parse(url).unwrap().url(),
            "postgresql://u:p@db/runs?sslmode=require&options[a]=b"
        );
    }

    #[test]
    fn passwords_are_never_shown() {
        let address = Address::parse("postgresql://me:secret%40@db/runs").unwrap();
        assert!(!format!("{address} {address:?}").contains("secret"));
        for wrong in [
            "oracle://me:secret@db/runs",
            "postgresql://me:secret@db",
            "me:secret@db/runs",
            "sqlite://",
            "sqlite:///:memory:",
        ] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains("://"), "{error}");
        }
    }
}
