//! Where a history is: a file, or a database by its URL, in our words or in SQLAlchemy's.
//!
//! A URL may hold a password, so it is never shown: what is shown is the place.

use std::{
    fmt,
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

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
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(BadAddress::Unknown(scheme_of(url)));
        };
        let database = scheme.split('+').next().unwrap_or_default();
        match database.to_lowercase().as_str() {
            "sqlite" => {
                let path = rest.strip_prefix('/').unwrap_or(rest);
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() || path == ":memory:" {
                    return Err(BadAddress::InMemory);
                }
                Ok(Self::file(&PathBuf::from(path)))
            }
            "postgresql" | "postgres" => Self::server(Dialect::Postgres, "postgresql", rest),
            "mysql" | "mariadb" => Self::server(Dialect::MySql, "mysql", rest),
            _ => Err(BadAddress::Unknown(scheme_of(url))),
        }
    }

    fn server(dialect: Dialect, scheme: &'static str, rest: &str) -> Result<Self, BadAddress> {
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        if database.is_empty() {
            return Err(BadAddress::NoDatabase(scheme));
        }
        // SQLAlchemy's option for the character set; here it always is the full one.
        let options: Vec<&str> = options
            .split('&')
            .filter(|option| !option.is_empty() && !option.starts_with("charset="))
            .collect();
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let options = options.join("&");
        let question = if options.is_empty() { "" } else { "?" };
        Ok(Self {
            dialect,
            url: format!("{scheme}://{authority}/{database}{question}{options}"),
            place: format!("{scheme}://{host}/{database}"),
        })
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

/// What stands before `://`, which holds no secret; nothing of a text that is no URL.
fn scheme_of(url: &str) -> String {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{}://…", scheme.chars().take(40).collect::<String>())
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
        let address = Address::parse("postgresql://u:p@db/runs?sslmode=require").unwrap();
        assert_eq!(address.url(), "postgresql://u:p@db/runs?sslmode=require");
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
