//! What a database's URL says, in our words or in SQLAlchemy's: which database, and what its driver may be told.
//!
//! A URL may hold a password, so beside it there is a place that shows none. It knows no driver and connects to
//! nothing.

pub mod encryption;

/// What speaks SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

/// The parameters of a PostgreSQL URL that its driver knows. It writes others into the log, value and all, and one
/// may be a misspelt `password`.
pub const POSTGRES_PARAMETERS: [&str; 20] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
    // With the name of a setting in brackets.
    "options[",
    "options%5B",
];

/// A database's URL, taken apart. There is no `Debug`, which would show what is secret.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl<'a> {
    /// A file of SQLite, by its path.
    File(&'a str),
    /// A database on a server.
    Server(ServerUrl<'a>),
}

/// A database on a server. There is no `Debug`, which would show what is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl<'a> {
    /// Which one; none of files.
    pub dialect: Dialect,
    scheme: &'static str,
    authority: &'a str,
    name: &'a str,
    parameters: Vec<&'a str>,
    /// How many parameters the driver does not know; they are left out.
    pub left_out: usize,
}

/// Why a text is no database's URL. It does not repeat the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No database that is known here: what stands before `://`, which holds no secret, and three dots.
    Unknown(String),
    /// A database without a name, on a server with this scheme.
    NoName(&'static str),
    /// SQLite without a file.
    InMemory,
    /// A parameter about encryption that the driver would pass over: what to write instead.
    Encryption(&'static str),
}

impl<'a> DatabaseUrl<'a> {
    /// Reads `sqlite:///file` (relative) or `sqlite:////file`, `postgresql://…` or `postgres://…`, `mysql://…` or
    /// `mariadb://…`. A driver as SQLAlchemy names it (`mysql+pymysql://…`) is left out.
    ///
    /// # Errors
    /// It names no database that is known here.
    pub fn parse(url: &'a str) -> Result<Self, Problem> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(Problem::unknown(""));
        };
        let database = scheme.split('+').next().unwrap_or_default();
        let server = |dialect, scheme| ServerUrl::parse(dialect, scheme, rest).map(Self::Server);
        match database.to_lowercase().as_str() {
            "postgresql" | "postgres" => server(Dialect::Postgres, "postgresql"),
            "mysql" | "mariadb" => server(Dialect::MySql, "mysql"),
            "sqlite" => {
                let path = rest.strip_prefix('/').unwrap_or(rest);
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() || path == ":memory:" {
                    return Err(Problem::InMemory);
                }
                Ok(Self::File(path))
            }
            _ => Err(Problem::unknown(scheme)),
        }
    }
}

impl<'a> ServerUrl<'a> {
    fn parse(dialect: Dialect, scheme: &'static str, rest: &'a str) -> Result<Self, Problem> {
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, name) = address.split_once('/').unwrap_or((address, ""));
        if name.is_empty() {
            return Err(Problem::NoName(scheme));
        }
        let given = parameters
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .collect::<Vec<_>>();
        if let Some(advice) = encryption::advice(dialect, &given) {
            return Err(Problem::Encryption(advice));
        }
        let (parameters, others): (Vec<_>, Vec<_>) = given
            .into_iter()
            .partition(|parameter| dialect != Dialect::Postgres || is_known_to_postgres(parameter));
        Ok(Self {
            dialect,
            scheme,
            authority,
            name,
            parameters,
            left_out: others.len(),
        })
    }

    /// The same without a parameter, if it is there.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parameters
            .retain(|parameter| name_of(parameter) != name);
        self
    }

    /// With all that is secret: for the driver alone.
    #[must_use]
    pub fn url(&self) -> String {
        let address = format!("{}://{}/{}", self.scheme, self.authority, self.name);
        let mut parameters = self.parameters.clone();
        // Of several the last counts.
        parameters.extend(encryption::addition(self.dialect, &parameters));
        match parameters.as_slice() {
            [] => address,
            parameters => format!("{address}?{}", parameters.join("&")),
        }
    }

    /// How people name it, without what is secret.
    #[must_use]
    pub fn place(&self) -> String {
        let authority = self.authority;
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        format!("{}://{host}/{}", self.scheme, self.name)
    }
}

impl Problem {
    fn unknown(scheme: &str) -> Self {
        Self::Unknown(format!(
            "{}://…",
            scheme.chars().take(40).collect::<String>()
        ))
    }
}

/// Whether the driver knows a parameter, `name=value`.
fn is_known_to_postgres(parameter: &str) -> bool {
    let name = name_of(parameter);
    POSTGRES_PARAMETERS
        .iter()
        .any(|known| match known.strip_prefix("options") {
            Some(bracket) if !bracket.is_empty() => name.starts_with(known),
            _ => name == *known,
        })
}

fn name_of(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The driver's URL and the place; of a file, its path twice.
    fn parsed(url: &str) -> Result<(String, String), Problem> {
        Ok(match DatabaseUrl::parse(url)? {
            DatabaseUrl::File(path) => (path.to_owned(), path.to_owned()),
            DatabaseUrl::Server(server) => (server.url(), server.place()),
        })
    }

    #[test]
    fn urls_are_read_as_sqlalchemy_has_them() {
        for (url, for_the_driver, place) in [
            ("sqlite:///runs.db", "runs.db", "runs.db"),
            (
                "sqlite:////srv/my runs.db?mode=ro",
                "/srv/my runs.db",
                "/srv/my runs.db",
            ),
            (
                "postgres://u:p@db:5433/runs",
                "postgresql://u:p@db:5433/runs",
                "postgresql://db:5433/runs",
            ),
            (
                "PostgreSQL+psycopg2://u:p@db/runs?sslmode=require",
                "postgresql://u:p@db/runs?sslmode=require",
                "postgresql://db/runs",
            ),
            (
                "mysql+pymysql://u:p%40@db/runs",
                "mysql://u:p%40@db/runs",
                "mysql://db/runs",
            ),
            ("mariadb://db/runs", "mysql://db/runs", "mysql://db/runs"),
            (
                "mysql://db/runs?ssl-ca=ca.pem",
                "mysql://db/runs?ssl-ca=ca.pem&ssl-mode=VERIFY_CA",
                "mysql://db/runs",
            ),
        ] {
            let expected = (for_the_driver.to_owned(), place.to_owned());
            assert_eq!(parsed(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn parameters_that_the_driver_would_log_do_not_reach_it() {
        let server = |url| match DatabaseUrl::parse(url) {
            Ok(DatabaseUrl::Server(server)) => server,
            _ => panic!("{url} is a server's"),
        };
        let given = server(
            "postgresql://me@db/runs?sslmode=require&pasword=secret&&options[a]=b&connect_timeout=9&application_name=x",
        );
        assert_eq!(
            given.url(),
            "postgresql://me@db/runs?sslmode=require&options[a]=b&application_name=x"
        );
        assert_eq!(given.left_out, 2);
        let escaped = server("postgresql://me@db/runs?%70assword=secret");
        assert_eq!(escaped.url(), "postgresql://me@db/runs");
        let mysql = "mysql://me@db/runs?charset=utf8mb4&other=1";
        assert_eq!(server(mysql).url(), mysql);
        assert_eq!(
            server(mysql).without("charset").url(),
            "mysql://me@db/runs?other=1"
        );
    }

    #[test]
    fn a_problem_shows_nothing_secret() {
        for (wrong, problem) in [
            (
                "oracle://me:secret@db/runs",
                Problem::Unknown("oracle://…".to_owned()),
            ),
            ("me:secret@db/runs", Problem::Unknown("://…".to_owned())),
            ("postgresql://me:secret@db", Problem::NoName("postgresql")),
            (
                "mysql://me:secret@db/runs?sslsecret",
                Problem::Encryption(
                    "ssl-mode=VERIFY_IDENTITY and ssl-ca=/path/of/the/authority.pem",
                ),
            ),
            ("sqlite://", Problem::InMemory),
            ("sqlite:///:memory:", Problem::InMemory),
        ] {
            assert_eq!(parsed(wrong), Err(problem), "{wrong}");
        }
    }
}
