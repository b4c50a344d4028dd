//! Which database: its URL, with the password inside, and how people name it, without.

use std::{fmt, path::PathBuf, str::FromStr};

use condotta_database_url::{DatabaseUrl, Dialect, ServerUrl};

use crate::{BadUrl, DatabaseError, Snapshot, TableTarget, connection, name::Name};

/// The table of the markers, as Luigi calls it.
const MARKER_TABLE: &str = "table_updates";

/// What speaks SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MySql,
    Sqlite,
}

/// A database, by its URL. Nothing is connected before something is asked.
///
/// | URL | Database |
/// | --- | --- |
/// | `postgresql://user:password@host:5432/name` or `postgres://…` | PostgreSQL |
/// | `mysql://user:password@host:3306/name` or `mariadb://…` | MySQL, MariaDB |
/// | `sqlite:///relative/file`, `sqlite:////absolute/file` | a SQLite file |
///
/// A driver as SQLAlchemy names it (`postgresql+psycopg2://`) is left out. A password need not be in
/// the URL: for PostgreSQL it is also taken from `PGPASSWORD` or `~/.pgpass`, for MySQL from
/// `MYSQL_PWD`. It is never shown: neither by [`Display`](fmt::Display) nor in errors.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    pub(crate) kind: Kind,
    /// For a server its URL with all that is secret, for SQLite the path.
    pub(crate) url: String,
    place: String,
    pub(crate) marker_table: Name,
}

impl Database {
    /// The database of a URL.
    ///
    /// # Errors
    /// The URL names no database that is known here. The error does not repeat it.
    pub fn new(url: &str) -> Result<Self, BadUrl> {
        match DatabaseUrl::parse(url)? {
            DatabaseUrl::File(path) => Ok(Self::sqlite(path)),
            DatabaseUrl::Server(server) => Ok(Self::server(&server)),
        }
    }

    /// A SQLite file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        let path = path.into().to_string_lossy().into_owned();
        Self {
            kind: Kind::Sqlite,
            place: path.clone(),
            url: path,
            marker_table: Name::new(MARKER_TABLE),
        }
    }

    fn server(server: &ServerUrl<'_>) -> Self {
        let place = server.place();
        if server.left_out > 0 {
            let count = server.left_out;
            tracing::warn!(
                "{place}: {count} of the URL's parameters are not known here, and left out"
            );
        }
        Self {
            kind: match server.dialect {
                Dialect::Postgres => Kind::Postgres,
                Dialect::MySql => Kind::MySql,
                Dialect::Sqlite => Kind::Sqlite,
            },
            url: server.url(),
            place,
            marker_table: Name::new(MARKER_TABLE),
        }
    }

    /// Keeps the markers in another table than `table_updates`.
    #[must_use]
    pub fn marker_table(mut self, name: &str) -> Self {
        self.marker_table = Name::new(name);
        self
    }

    /// An update of a table: the target that exists once the update has been marked.
    ///
    /// `table` may have a schema in front: `weather.monthly`. `update_id` tells this update from
    /// others; in a task it is `self.task_id()`.
    pub fn table(&self, table: &str, update_id: impl Into<String>) -> TableTarget {
        TableTarget::new(self.clone(), table, update_id.into())
    }

    /// All rows of a table, to be written to storage.
    pub fn snapshot(&self, table: &str) -> Snapshot {
        let name = Name::new(table);
        Snapshot::new(
            self.clone(),
            table,
            format!("SELECT * FROM {}", name.quoted(self.kind)),
        )
    }

    /// What a query finds, to be written to storage.
    pub fn query_snapshot(&self, query: &str) -> Snapshot {
        let query = query.trim().trim_end_matches(';');
        Snapshot::new(self.clone(), "a query", query.to_owned())
    }

    /// Runs statements, separated by `;`, in one transaction and without any marker, as to set up
    /// what a pipeline expects. (MySQL commits at each statement that defines something.)
    ///
    /// # Errors
    /// It cannot be connected to, or refuses.
    pub fn execute(&self, statements: &str) -> Result<(), DatabaseError> {
        let run = |connection: &mut dyn connection::Connection| {
            connection.query(statements, None, false).map(drop)
        };
        connection::with(self, run).map_err(DatabaseError::of("run statements in", self))
    }

    /// Whether a table is there.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn has_table(&self, table: &str) -> Result<bool, DatabaseError> {
        let name = Name::new(table);
        let has = |connection: &mut dyn connection::Connection| connection.has_table(&name);
        connection::with_if_there(self, has).map_err(DatabaseError::of("look into", self))
    }
}

impl FromStr for Database {
    type Err = BadUrl;

    fn from_str(url: &str) -> Result<Self, BadUrl> {
        Self::new(url)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_databases() {
        for (url, place) in [
            ("sqlite:///weather.db", "weather.db"),
            ("sqlite:////srv/my weather.db", "/srv/my weather.db"),
            ("postgres://u:p@db:5433/runs", "postgresql://db:5433/runs"),
            (
                "postgresql+psycopg2://u:p@db/runs?sslmode=require",
                "postgresql://db/runs",
            ),
            ("mysql+pymysql://u:p@db/runs", "mysql://db/runs"),
            ("mariadb://db/runs", "mysql://db/runs"),
        ] {
            assert_eq!(Database::new(url).expect(url).to_string(), place);
        }
    }

    /// Of each parameter that is let through the driver says nothing, and of others it would.
    #[cfg(feature = "postgres")]
    #[test]
    fn the_driver_logs_no_parameter() {
        use std::{
            io::Write,
            sync::{Arc, Mutex},
        };

        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);
        impl Write for Log {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().expect("nobody panics").write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let logged = |url: &str| {
            let log = Log::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_writer(move || writer.clone())
                .finish();
            let parsed = tracing::subscriber::with_default(subscriber, || {
                url.parse::<sqlx::postgres::PgConnectOptions>()
            });
            parsed.expect("the driver takes it");
            let bytes = log.0.lock().expect("nobody panics").clone();
            String::from_utf8(bytes).expect("text")
        };
        assert!(logged("postgresql://me@db/runs?pasword=secret").contains("secret"));
        for name in condotta_database_url::POSTGRES_PARAMETERS {
            let name = match name.strip_prefix("options") {
                Some("[") => "options[search_path]",
                Some("%5B") => "options%5Bsearch_path%5D",
                _ => name,
            };
            let value = match name {
                "port" | "statement-cache-capacity" => "5432",
                "sslmode" | "ssl-mode" => "require",
                "hostaddr" => "127.0.0.1",
                _ => "secret",
            };
            let database = Database::new(&format!(
                "postgresql://me@db/runs?{name}={value}&pasword=secret"
            ));
            let url = database.expect("a good URL").url;
            assert!(url.contains(name), "{url}");
            assert_eq!(logged(&url), "", "{name}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let database = Database::new("postgresql://me:secret%40@db/runs?password=secret");
        let database = database.expect("it is a good URL");
        let target = database.table("t", "id");
        let shown = format!("{database} {database:?} {target} {target:?}");
        assert!(!shown.contains("secret"), "{shown}");
        for wrong in [
            "oracle://me:secret@db/runs",
            "postgresql://me:secret@db",
            "me:secret@db/runs",
            "sqlite://",
            "sqlite:///:memory:",
        ] {
            let error = Database::new(wrong).expect_err(wrong).to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains("://"), "{error}");
        }
    }
}
