//! What the connections to servers share: a runtime of their own, statements, and what refusals say.

use std::{
    future::{Future, poll_fn},
    io,
    task::{Context, Poll},
    time::Duration,
};

use condotta_database_url::encryption;
use sqlx::{AssertSqlSafe, Connection, Error, Executor, raw_sql};
use tokio::runtime::{Builder, Runtime};

use crate::{Database, database::Kind, error::Fault, name::literal, target::Marker};

/// How long it may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// How many rows are taken at once out of what a server sends.
const AT_ONCE: usize = 32;

/// A connection to a server, and the runtime that it lives in: one thread, the caller's.
pub(crate) struct Server<C> {
    pub(crate) runtime: Runtime,
    pub(crate) connection: C,
}

impl<C: Connection> Server<C> {
    /// Connects as `connect` does.
    pub(crate) fn open<F>(database: &Database, connect: impl FnOnce() -> F) -> Result<Self, Fault>
    where
        F: Future<Output = Result<C, Error>>,
    {
        let refused = |source| Fault::Connect {
            place: database.to_string(),
            source,
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| refused(error.into()))?;
        let connecting = async {
            let connecting = tokio::time::timeout(CONNECT_WITHIN, connect()).await;
            connecting.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        };
        let connection = runtime.block_on(connecting);
        let connection = connection.map_err(|error| {
            let unreadable = encryption::unreadable(&database.url, &error);
            let said =
                unreadable.map_or_else(|| reason(error), |unreadable| unreadable.to_string());
            refused(said.into())
        })?;
        Ok(Self {
            runtime,
            connection,
        })
    }
}

impl<C> Server<C>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    /// Runs statements as they are. Gives the number of rows that they changed.
    pub(crate) fn run(&mut self, statements: &str) -> Result<u64, Error>
    where
        C::Database: RowsAffected,
    {
        let statements = AssertSqlSafe(statements.to_owned());
        let running = raw_sql(statements).execute(&mut self.connection);
        let result = self.runtime.block_on(running)?;
        Ok(C::Database::rows_affected(&result))
    }

    /// Whether a query finds a row.
    pub(crate) fn finds(&mut self, query: &str) -> Result<bool, Error> {
        let asking = raw_sql(AssertSqlSafe(query.to_owned())).fetch_optional(&mut self.connection);
        Ok(self.runtime.block_on(asking)?.is_some())
    }
}

/// What writes a marker.
pub(crate) fn insert(marker: &Marker<'_>, kind: Kind) -> String {
    format!(
        "INSERT INTO {} (update_id, target_table, inserted) VALUES ({}, {}, NOW())",
        marker.markers.quoted(kind),
        literal(marker.update_id, kind),
        literal(marker.target_table, kind),
    )
}

/// What finds a marker.
pub(crate) fn find(marker: &Marker<'_>, kind: Kind) -> String {
    format!(
        "SELECT 1 FROM {} WHERE update_id = {} LIMIT 1",
        marker.markers.quoted(kind),
        literal(marker.update_id, kind),
    )
}

/// The next few of what a server sends, in the order in which they come; none at the end. What is done
/// with rows may ask databases, too, so it is not done in the runtime.
pub(crate) fn some<T>(
    runtime: &Runtime,
    mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<T>>,
) -> Vec<T> {
    runtime.block_on(async {
        let mut some = Vec::with_capacity(AT_ONCE);
        while some.len() < AT_ONCE {
            match poll_fn(&mut next).await {
                Some(one) => some.push(one),
                None => break,
            }
        }
        some
    })
}

/// A database whose results say how many rows changed.
pub(crate) trait RowsAffected: sqlx::Database {
    fn rows_affected(result: &Self::QueryResult) -> u64;
}

#[cfg(feature = "postgres")]
impl RowsAffected for sqlx::Postgres {
    fn rows_affected(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }
}

#[cfg(feature = "mysql")]
impl RowsAffected for sqlx::MySql {
    fn rows_affected(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }
}

/// What the server said, or what became of the connection.
pub(crate) fn reason(error: Error) -> String {
    if let Some(trouble) = encryption::trouble(&error) {
        return trouble;
    }
    match error {
        Error::Database(refusal) => refusal.message().to_owned(),
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server has closed the connection".to_owned()
        }
        Error::Io(error) => format!("the connection failed: {error}"),
        other => other.to_string(),
    }
}
