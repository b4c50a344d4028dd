//! The tables, and how those of older versions become the present ones.
//!
//! All names begin with `condotta_`, so a database may hold other things, too, such as the tables of
//! Luigi's own history. Keys of families and workers are hashes of their names, so that rows
//! refer to them without a look-up; that of a task is one, too, and is what its attempts are found by. What is known
//! of a task stands with each of its attempts: most have one, and rows of tasks by their keys would lie all over a
//! file that grows.

use sqlx::{AnyConnection, Row as _};

use crate::{
    database::{Value, begin, execute, fetch_all, fetch_one_whole},
    dialect::Dialect,
    store::places,
};

/// What makes of a version the next one.
#[derive(Clone, Copy)]
enum Step {
    /// These statements.
    Statements(fn(Dialect) -> Vec<String>),
    /// What is known of tasks moves from their table into the rows of their attempts.
    MoveTasks,
}

/// What makes of each version the next one. A step that was shipped never changes.
const STEPS: &[Step] = &[
    Step::Statements(first),
    Step::Statements(packs),
    Step::Statements(columns_of_tasks),
    Step::MoveTasks,
    Step::Statements(no_tasks),
];

/// The version that this program writes.
pub(crate) const VERSION: i64 = STEPS.len() as i64;

/// How many tasks are moved in one transaction.
const TASKS_AT_ONCE: usize = 500;

/// What can be wrong with the tables that are there.
#[derive(Debug)]
pub(crate) enum SchemaError {
    Newer(i64),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Makes the tables, or makes older ones the present ones. Newer ones are left alone.
pub(crate) async fn prepare(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<(), SchemaError> {
    prepare_by(connection, dialect, STEPS).await
}

async fn prepare_by(
    connection: &mut AnyConnection,
    dialect: Dialect,
    steps: &[Step],
) -> Result<(), SchemaError> {
    let found = version(connection, dialect).await?;
    let found_steps = usize::try_from(found).unwrap_or(usize::MAX);
    if found_steps > steps.len() {
        return Err(SchemaError::Newer(found));
    }
    for (index, step) in steps.iter().enumerate().skip(found_steps) {
        if matches!(step, Step::MoveTasks) {
            move_tasks(connection, dialect).await?;
        }
        // All of a step or nothing. MySQL commits with each change of a table: there, a step that was cut short
        // is done again from its beginning.
        let mut transaction = begin(connection, dialect).await?;
        if let Step::Statements(statements) = step {
            for statement in statements(dialect) {
                match execute(&mut transaction, dialect, &statement, &[]).await {
                    Err(error) if has_column_already(&error) => {}
                    done => drop(done?),
                }
            }
        }
        let done = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let note = "INSERT INTO condotta_history_version (version) VALUES (?)";
        execute(&mut transaction, dialect, note, &[done.into()]).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// What MySQL says of a column that is added again.
fn has_column_already(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "42S21")
}

/// The version of the tables that are there; 0 of none.
async fn version(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64, sqlx::Error> {
    let table = "CREATE TABLE IF NOT EXISTS condotta_history_version (version BIGINT NOT NULL)";
    execute(connection, dialect, table, &[]).await?;
    let latest = dialect.whole("COALESCE(MAX(version), 0)");
    let query = format!("SELECT {latest} AS whole FROM condotta_history_version");
    fetch_one_whole(connection, dialect, &query, &[]).await
}

fn first(dialect: Dialect) -> Vec<String> {
    let (text, double) = (dialect.text(), dialect.double());
    let clustered = dialect.clustered();
    let mut statements = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_families (id BIGINT NOT NULL PRIMARY KEY, \
             family {text} NOT NULL, module {text})"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_workers (id BIGINT NOT NULL PRIMARY KEY, \
             worker {text} NOT NULL, host {text})"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_tasks (id BIGINT NOT NULL PRIMARY KEY, \
             task_id {text} NOT NULL, params {text} NOT NULL, hidden {text})"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_totals (day BIGINT NOT NULL, \
             family BIGINT NOT NULL, outcome BIGINT NOT NULL, attempts BIGINT NOT NULL, \
             millis BIGINT NOT NULL, longest BIGINT NOT NULL, buckets {text} NOT NULL, \
             PRIMARY KEY (family, day, outcome)) {clustered}"
        ),
    ];
    let indexes = [
        ("task", "task", ""),
        ("family", "family", ""),
        ("worker", "worker", ""),
        (
            "outcome",
            "outcome",
            dialect.index_where(" WHERE outcome <> 1"),
        ),
    ];
    let inline = match dialect {
        // It has no CREATE INDEX IF NOT EXISTS.
        Dialect::MySql => indexes
            .map(|(name, column, _)| {
                format!(", KEY condotta_attempts_{name} ({column}, began, hash)")
            })
            .concat(),
        Dialect::Sqlite | Dialect::Postgres => String::new(),
    };
    statements.push(format!(
        "CREATE TABLE IF NOT EXISTS condotta_attempts (began BIGINT NOT NULL, hash BIGINT NOT NULL, \
         task BIGINT NOT NULL, family BIGINT NOT NULL, worker BIGINT, attempt BIGINT NOT NULL, \
         ended BIGINT, outcome BIGINT NOT NULL, scheduled BIGINT, ready BIGINT, \
         priority {double} NOT NULL, resources {text}, batch {text}, error {text}, \
         statistics {text}, PRIMARY KEY (began, hash){inline}) {clustered}"
    ));
    if dialect != Dialect::MySql {
        statements.extend(indexes.map(|(name, column, condition)| {
            format!(
                "CREATE INDEX IF NOT EXISTS condotta_attempts_{name} \
                 ON condotta_attempts ({column}, began, hash){condition}"
            )
        }));
    }
    statements
}

/// Columns for what is known of tasks, which had a table of its own.
fn columns_of_tasks(dialect: Dialect) -> Vec<String> {
    let text = dialect.text();
    ["task_id", "params", "hidden"]
        .map(|column| format!("ALTER TABLE condotta_attempts ADD COLUMN {column} {text}"))
        .into()
}

fn no_tasks(_: Dialect) -> Vec<String> {
    vec!["DROP TABLE IF EXISTS condotta_tasks".to_owned()]
}

/// Some tasks at a time, which are removed with that: it goes on where it was cut short, and takes no more of the
/// disk meanwhile than a few of them.
async fn move_tasks(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    let count = dialect.whole("COUNT(*)");
    let count = format!("SELECT {count} AS whole FROM condotta_tasks");
    let count = fetch_one_whole(connection, dialect, &count, &[]).await?;
    if count > 0 {
        tracing::info!(
            "the history is one of an older version: it is brought up, with {count} tasks, before it is used"
        );
    }
    let some = format!("SELECT id FROM condotta_tasks LIMIT {TASKS_AT_ONCE}");
    let sets = ["task_id", "params", "hidden"].map(|column| {
        format!("{column} = (SELECT t.{column} FROM condotta_tasks t WHERE t.id = condotta_attempts.task)")
    });
    let sets = sets.join(", ");
    loop {
        let mut transaction = begin(connection, dialect).await?;
        let rows = fetch_all(&mut transaction, dialect, &some, &[]).await?;
        let ids = rows.iter().map(|row| row.try_get::<i64, _>("id"));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() {
            return Ok(());
        }
        let places = places(1, ids.len());
        let ids: Vec<Value<'_>> = ids.into_iter().map(Value::from).collect();
        for statement in [
            format!("UPDATE condotta_attempts SET {sets} WHERE task IN {places}"),
            format!("DELETE FROM condotta_tasks WHERE id IN {places}"),
        ] {
            execute(&mut transaction, dialect, &statement, &ids).await?;
        }
        transaction.commit().await?;
    }
}

/// Attempts that began long ago, many in a pack, and by which keys a pack is found.
fn packs(dialect: Dialect) -> Vec<String> {
    let (bytes, clustered) = (dialect.bytes(), dialect.clustered());
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_packs (id INTEGER NOT NULL PRIMARY KEY, \
             first BIGINT NOT NULL UNIQUE, last BIGINT NOT NULL UNIQUE, attempts INTEGER NOT NULL, \
             data {bytes} NOT NULL)"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS condotta_pack_keys (name INTEGER NOT NULL, \
             pack INTEGER NOT NULL, PRIMARY KEY (name, pack)) {clustered}"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::Address, database};

    fn plain(_: Dialect) -> Vec<String> {
        vec!["CREATE TABLE things (a BIGINT)".to_owned()]
    }

    fn wider(_: Dialect) -> Vec<String> {
        vec!["ALTER TABLE things ADD COLUMN b BIGINT".to_owned()]
    }

    fn half_wrong(_: Dialect) -> Vec<String> {
        vec![
            "DELETE FROM things".to_owned(),
            "ALTER TABLE nothing".to_owned(),
        ]
    }

    #[tokio::test]
    async fn older_tables_are_brought_up_and_newer_ones_are_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let address = Address::file(&home.path().join("history.sqlite"));
        let mut connection = database::connect(&address).await.unwrap();
        let dialect = address.dialect();
        let old = [Step::Statements(plain)];
        let new = [Step::Statements(plain), Step::Statements(wider)];
        let broken = [new[0], new[1], Step::Statements(half_wrong)];
        prepare_by(&mut connection, dialect, &old).await.unwrap();
        let insert = "INSERT INTO things (a) VALUES (?)";
        execute(&mut connection, dialect, insert, &[7.into()])
            .await
            .unwrap();
        for _ in 0..2 {
            prepare_by(&mut connection, dialect, &new).await.unwrap();
        }
        // A step that fails leaves nothing.
        let failed = prepare_by(&mut connection, dialect, &broken).await;
        assert!(
            matches!(failed, Err(SchemaError::Database(_))),
            "{failed:?}"
        );
        let query = "SELECT a AS whole FROM things WHERE b IS NULL";
        let kept = fetch_one_whole(&mut connection, dialect, query, &[]).await;
        assert_eq!(kept.unwrap(), 7);
        let refused = prepare_by(&mut connection, dialect, &old).await;
        assert!(matches!(refused, Err(SchemaError::Newer(2))), "{refused:?}");
    }
}
