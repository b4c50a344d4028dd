//! Puts attempts that began long ago together into packs, and drops packs.
//!
//! Packs follow each other in time: none has attempts that began before the last of the one before it.
//! What still ran when its neighbours were packed stays a row, until it is dropped.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{
    attempt::Attempt,
    database::{Value, begin, execute, fetch_all, fetch_one_whole},
    dialect::Dialect,
    pack::Pack,
    pages,
    store::{Store, chunks, places},
};

/// How many attempts a pack has, or a few less.
const PACK_OF: usize = 1000;

/// Packs the oldest attempts that are not packed, if there are enough that began before `before` and ended
/// before `ended_before`. Whether it did.
pub(crate) async fn pack_oldest(
    store: &mut Store,
    before: i64,
    ended_before: i64,
) -> Result<bool, sqlx::Error> {
    let dialect = store.dialect;
    let mut transaction = begin(&mut store.connection, dialect).await?;
    let newest = "SELECT COALESCE(MAX(last), 0) AS whole FROM condotta_packs";
    let newest = fetch_one_whole(&mut transaction, dialect, newest, &[]).await?;
    let over = "outcome <> 0 AND (ended IS NULL OR ended < ?)";
    let select = pages::joined(&format!(
        "SELECT * FROM condotta_attempts WHERE began > ? AND began < ? AND {over} \
         ORDER BY began, hash LIMIT {PACK_OF}"
    ));
    let values = [newest, before, ended_before].map(Value::from);
    let mut rows = fetch_all(&mut transaction, dialect, &select, &values).await?;
    if rows.len() < PACK_OF {
        return Ok(false);
    }
    rows.reverse();
    let attempts = rows
        .iter()
        .map(pages::read)
        .collect::<Result<Vec<_>, _>>()?;
    let attempts = without_the_last_moment(&attempts);
    rows.truncate(attempts.len());
    let last = write(&mut transaction, dialect, attempts).await?;
    let delete = format!("DELETE FROM condotta_attempts WHERE began > ? AND began <= ? AND {over}");
    let values = [newest, last, ended_before].map(Value::from);
    execute(&mut transaction, dialect, &delete, &values).await?;
    drop_unused_workers(&mut transaction, dialect, &rows).await?;
    transaction.commit().await?;
    store.forget();
    Ok(true)
}

/// Those of the last millisecond may not all be here; so they wait for the next pack, if there are others.
fn without_the_last_moment(attempts: &[Attempt]) -> &[Attempt] {
    let moment = |attempt: &Attempt| attempt.id.millis();
    let last = attempts.last().map(moment);
    let before = attempts.iter().take_while(|it| Some(moment(it)) != last);
    match before.count() {
        0 => attempts,
        before => &attempts[..before],
    }
}

/// Writes a pack. When its last attempt began.
async fn write(
    connection: &mut AnyConnection,
    dialect: Dialect,
    attempts: &[Attempt],
) -> Result<i64, sqlx::Error> {
    let id = "SELECT COALESCE(MAX(id), 0) + 1 AS whole FROM condotta_packs";
    let id = fetch_one_whole(connection, dialect, id, &[]).await?;
    let moment = |attempt: Option<&Attempt>| attempt.map_or(0, |attempt| attempt.id.millis());
    let (first, last) = (moment(attempts.first()), moment(attempts.last()));
    let pack = Pack::of(attempts);
    let insert =
        "INSERT INTO condotta_packs (id, first, last, attempts, data) VALUES (?, ?, ?, ?, ?)";
    let count = i64::try_from(attempts.len()).unwrap_or(i64::MAX);
    let values = [
        id.into(),
        first.into(),
        last.into(),
        count.into(),
        pack.to_bytes().into(),
    ];
    execute(connection, dialect, insert, &values).await?;
    let keys: Vec<i64> = pack.keys().into_iter().collect();
    for chunk in chunks(&keys) {
        let places = places(chunk.len(), 2);
        let insert = format!("INSERT INTO condotta_pack_keys (name, pack) VALUES {places}");
        let values: Vec<Value<'_>> = chunk
            .iter()
            .flat_map(|&key| [key, id])
            .map(Value::from)
            .collect();
        execute(connection, dialect, &insert, &values).await?;
    }
    Ok(last)
}

/// Drops the oldest pack, if all that is in it began before `before`. How many attempts it had.
pub(crate) async fn drop_oldest(
    connection: &mut AnyConnection,
    dialect: Dialect,
    before: i64,
) -> Result<u64, sqlx::Error> {
    let select = "SELECT id, attempts, data FROM condotta_packs WHERE last < ? ORDER BY id LIMIT 1";
    let rows = fetch_all(connection, dialect, select, &[before.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    let whole = |column: &str| row.try_get::<i64, _>(column);
    let id = whole("id")?;
    match Pack::from_bytes(row.try_get("data")?) {
        Ok(pack) => {
            let keys: Vec<i64> = pack.keys().into_iter().collect();
            for chunk in chunks(&keys) {
                let names = places(1, chunk.len());
                let delete =
                    format!("DELETE FROM condotta_pack_keys WHERE pack = ? AND name IN {names}");
                let values = std::iter::once(&id).chain(chunk);
                let values: Vec<Value<'_>> = values.copied().map(Value::from).collect();
                execute(connection, dialect, &delete, &values).await?;
            }
        }
        Err(error) => {
            tracing::error!("{error}; it is dropped since it is too old or there is too much");
            let delete = "DELETE FROM condotta_pack_keys WHERE pack = ?";
            execute(connection, dialect, delete, &[id.into()]).await?;
        }
    }
    let delete = "DELETE FROM condotta_packs WHERE id = ?";
    execute(connection, dialect, delete, &[id.into()]).await?;
    Ok(whole("attempts")?.unsigned_abs())
}

/// Drops the workers of rows that are gone, unless other rows refer to them. The rows have `worker_key`.
pub(crate) async fn drop_unused_workers(
    connection: &mut AnyConnection,
    dialect: Dialect,
    rows: &[AnyRow],
) -> Result<(), sqlx::Error> {
    let keys = rows
        .iter()
        .map(|row| row.try_get::<Option<i64>, _>("worker_key"));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let mut keys: Vec<i64> = keys.into_iter().flatten().collect();
    keys.sort_unstable();
    keys.dedup();
    for chunk in chunks(&keys) {
        let places = places(1, chunk.len());
        let delete = format!(
            "DELETE FROM condotta_workers WHERE id IN {places} AND NOT EXISTS \
             (SELECT 1 FROM condotta_attempts a WHERE a.worker = condotta_workers.id)"
        );
        let values: Vec<Value<'_>> = chunk.iter().copied().map(Value::from).collect();
        execute(connection, dialect, &delete, &values).await?;
    }
    Ok(())
}
