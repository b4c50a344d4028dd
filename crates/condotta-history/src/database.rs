//! Connections and statements, whichever database it is.

use std::{borrow::Cow, str::FromStr as _, sync::Once, time::Duration};

use condotta_database_url::encryption;
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _,
    Transaction,
    any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow},
    query::Query,
};

use crate::{address::Address, dialect::Dialect};

/// How many questions are answered at a time.
const READERS: u32 = 4;
/// How long a question waits until it is its turn.
const WAIT_FOR_A_READER: Duration = Duration::from_secs(10);
/// How long it may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What SQLite is told on each connection. What was written before the machine lost its power may be
/// lost with that, though not before the process was killed; the file stays sound.
pub(crate) const SQLITE: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
];
/// What SQLite is told besides where attempts are written: what a transaction writes lies all over the indexes, so
/// there is room for what one touches, and what is touched again and again is copied into the file seldom.
pub(crate) const SQLITE_TO_WRITE: &[&str] = &[
    "PRAGMA cache_size = -16000",
    "PRAGMA wal_autocheckpoint = 4000",
];
/// What SQLite is told on connections that only ask.
const SQLITE_TO_ASK: &[&str] = &["PRAGMA busy_timeout = 10000", "PRAGMA query_only = ON"];

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Whole(Option<i64>),
    Fraction(f64),
    Text(Option<Cow<'a, str>>),
    Bytes(Vec<u8>),
}

impl From<i64> for Value<'_> {
    fn from(whole: i64) -> Self {
        Self::Whole(Some(whole))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(text.into()))
    }
}

fn options(url: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    Ok(AnyConnectOptions::from_str(url)?.disable_statement_logging())
}

/// One connection of one's own.
pub(crate) async fn connect(address: &Address) -> Result<AnyConnection, sqlx::Error> {
    let connecting = AnyConnection::connect_with(&options(address.url())?).await;
    let mut connection = connecting.map_err(|error| {
        encryption::unreadable(address.url(), &error).map_or(error, sqlx::Error::Io)
    })?;
    if address.is_file() {
        greet(&mut connection, SQLITE).await?;
    }
    Ok(connection)
}

/// As [`connect`], but not for ever.
pub(crate) async fn connect_soon(address: &Address) -> Result<AnyConnection, sqlx::Error> {
    let connecting = tokio::time::timeout(CONNECT_WITHIN, connect(address)).await;
    connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Connections for questions, made when they are needed.
pub(crate) fn readers(address: &Address) -> Result<AnyPool, sqlx::Error> {
    let greeting = if address.is_file() {
        SQLITE_TO_ASK
    } else {
        &[]
    };
    let pool = AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT_FOR_A_READER)
        .after_connect(move |connection, _| Box::pin(greet(connection, greeting)))
        .connect_lazy_with(options(&address.url_to_ask())?);
    Ok(pool)
}

async fn greet(
    connection: &mut AnyConnection,
    pragmas: &'static [&'static str],
) -> Result<(), sqlx::Error> {
    for &pragma in pragmas {
        sqlx::raw_sql(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A statement with its values.
pub(crate) fn query(
    dialect: Dialect,
    text: &str,
    values: &[Value<'_>],
) -> Query<'static, sqlx::Any, AnyArguments> {
    let mut query = sqlx::query(AssertSqlSafe(dialect.sql(text)));
    for value in values {
        query = match value.clone() {
            Value::Whole(whole) => query.bind(whole),
            Value::Fraction(fraction) => query.bind(fraction),
            Value::Text(text) => query.bind(text.map(Cow::into_owned)),
            Value::Bytes(bytes) => query.bind(bytes),
        };
    }
    query
}

/// Begins to write. What is read in it nobody else changes meanwhile.
pub(crate) async fn begin(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<Transaction<'_, Any>, sqlx::Error> {
    match dialect {
        // Others may write, too, if only a little when they connect: it waits for them now, since
        // later it could not.
        Dialect::Sqlite => connection.begin_with("BEGIN IMMEDIATE").await,
        Dialect::Postgres | Dialect::MySql => connection.begin().await,
    }
}

/// How many rows it changed.
pub(crate) async fn execute(
    connection: &mut AnyConnection,
    dialect: Dialect,
    text: &str,
    values: &[Value<'_>],
) -> Result<u64, sqlx::Error> {
    let done = query(dialect, text, values).execute(connection).await?;
    Ok(done.rows_affected())
}

pub(crate) async fn fetch_all(
    connection: &mut AnyConnection,
    dialect: Dialect,
    text: &str,
    values: &[Value<'_>],
) -> Result<Vec<AnyRow>, sqlx::Error> {
    query(dialect, text, values).fetch_all(connection).await
}

/// The column `whole` of the only row.
pub(crate) async fn fetch_one_whole(
    connection: &mut AnyConnection,
    dialect: Dialect,
    text: &str,
    values: &[Value<'_>],
) -> Result<i64, sqlx::Error> {
    let row = query(dialect, text, values).fetch_one(connection).await?;
    row.try_get("whole")
}
