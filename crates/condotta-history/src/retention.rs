//! Keeps the history within its bounds, oldest first and in small steps.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sqlx::{AnyConnection, Row as _};

use crate::{
    database::{Value, begin, execute, fetch_all, fetch_one_whole},
    dialect::Dialect,
    packing,
    recorder::Settings,
    store::Store,
};

/// How often it is looked whether something is to go.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How long to wait when there is more to go.
const GO_ON_AFTER: Duration = Duration::from_millis(200);
/// How long to wait after a failure.
const PUT_OFF_FOR: Duration = Duration::from_secs(5);
/// How many attempts go in one transaction.
const STEP: i64 = 500;
/// How long one look may take, while new entries wait.
const LOOK_FOR: Duration = Duration::from_millis(100);
/// How often it is told what went.
const TELL_EVERY: Duration = Duration::from_hours(1);
/// How many pages a file gives back at a time.
const PAGES_AT_ONCE: i64 = 2000;
/// How many free pages new attempts will soon take again.
const LEFT_FREE: i64 = 10_000;
/// For how many days attempts are rows, which SQL can ask; those before are packed. Where a file is half full,
/// it is one day.
const ROWS_FOR_DAYS: i64 = 15;
/// For how long after its end something may still be told of an attempt.
const LATE_MILLIS: i64 = 3_600_000;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    days: u64,
    totals_days: u64,
    max_bytes: Option<u64>,
}

impl Keeping {
    pub(crate) fn of(settings: &Settings) -> Self {
        let is_file = settings.address.is_file();
        Self {
            days: settings.keep_days,
            totals_days: settings.keep_totals_days,
            max_bytes: is_file.then_some(settings.max_bytes),
        }
    }
}

/// What went and was not told yet.
#[derive(Debug)]
pub(crate) struct Retention {
    keeping: Keeping,
    look_at: Instant,
    too_old: u64,
    too_much: u64,
    told: Option<Instant>,
    /// What went and was not counted yet.
    gone: u64,
}

/// Why attempts go.
enum Reason {
    Age,
    Size,
}

impl Retention {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self {
            keeping,
            look_at: Instant::now(),
            too_old: 0,
            too_much: 0,
            told: None,
            gone: 0,
        }
    }

    pub(crate) fn next_look(&self) -> Instant {
        self.look_at
    }

    pub(crate) fn is_due(&self) -> bool {
        self.look_at <= Instant::now()
    }

    /// Attempts that began before are too old.
    pub(crate) fn kept_since(&self) -> i64 {
        now_millis().saturating_sub(millis_of_days(self.keeping.days))
    }

    /// How many attempts went since this was last asked.
    pub(crate) fn take_gone(&mut self) -> u64 {
        std::mem::take(&mut self.gone)
    }

    /// It cannot be done now.
    pub(crate) fn put_off(&mut self) {
        self.look_at = Instant::now() + PUT_OFF_FOR;
    }

    /// Drops a little of what is to go.
    pub(crate) async fn look(&mut self, store: &mut Store) -> Result<(), sqlx::Error> {
        let end = Instant::now() + LOOK_FOR;
        let mut is_over = false;
        while !is_over && Instant::now() < end {
            is_over = !self.step(store).await?;
        }
        if is_over {
            self.drop_totals(store).await?;
            self.tell();
        }
        self.look_at = Instant::now() + if is_over { LOOK_EVERY } else { GO_ON_AFTER };
        Ok(())
    }

    /// Whether something went, or was packed.
    async fn step(&mut self, store: &mut Store) -> Result<bool, sqlx::Error> {
        let now = now_millis();
        let too_old = drop_oldest(store, self.kept_since()).await?;
        if too_old > 0 {
            self.too_old += too_old;
            self.gone += too_old;
            return Ok(true);
        }
        let held = self.held(store).await?;
        let is_half_full = held > self.keeping.max_bytes.unwrap_or(u64::MAX) / 2;
        let rows_for = if is_half_full { 1 } else { ROWS_FOR_DAYS };
        let pack_before = now - rows_for * MILLIS_PER_DAY;
        if packing::pack_oldest(store, pack_before, now - LATE_MILLIS).await? {
            give_back(store, LEFT_FREE).await?;
            return Ok(true);
        }
        if self.keeping.max_bytes.is_none_or(|most| held <= most) {
            return Ok(false);
        }
        let too_much = drop_oldest(store, i64::MAX).await?;
        self.too_much += too_much;
        self.gone += too_much;
        give_back(store, 0).await?;
        Ok(too_much > 0)
    }

    /// How many bytes there are, where they are counted.
    async fn held(&self, store: &mut Store) -> Result<u64, sqlx::Error> {
        match self.keeping.max_bytes {
            Some(_) => bytes(store).await,
            None => Ok(0),
        }
    }

    async fn drop_totals(&self, store: &mut Store) -> Result<(), sqlx::Error> {
        let days = i64::try_from(self.keeping.totals_days).unwrap_or(i64::MAX);
        let before = (now_millis() / MILLIS_PER_DAY).saturating_sub(days);
        let delete = "DELETE FROM condotta_totals WHERE day < ?";
        execute(
            &mut store.connection,
            store.dialect,
            delete,
            &[before.into()],
        )
        .await?;
        Ok(())
    }

    fn tell(&mut self) {
        if self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        let (days, bytes) = (self.keeping.days, self.keeping.max_bytes.unwrap_or(0));
        for (count, reason) in [
            (std::mem::take(&mut self.too_old), Reason::Age),
            (std::mem::take(&mut self.too_much), Reason::Size),
        ] {
            if count == 0 {
                continue;
            }
            self.told = Some(Instant::now());
            match reason {
                Reason::Age => tracing::info!(
                    "{count} attempts that began more than {days} days ago were dropped from the \
                     history, as [history] keep_days says; their counts and durations stay"
                ),
                Reason::Size => tracing::warn!(
                    "the {count} oldest attempts were dropped from the history, since it was larger \
                     than {} MB, as [history] max_mb says; their counts and durations stay",
                    bytes >> 20
                ),
            }
        }
    }
}

fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}

fn millis_of_days(days: u64) -> i64 {
    i64::try_from(days)
        .unwrap_or(i64::MAX)
        .saturating_mul(MILLIS_PER_DAY)
}

/// Drops some of the oldest attempts that began before that, and what only they referred to.
async fn drop_oldest(store: &mut Store, before: i64) -> Result<u64, sqlx::Error> {
    let dialect = store.dialect;
    let mut transaction = begin(&mut store.connection, dialect).await?;
    let oldest = "SELECT COALESCE(MIN(last), 0) AS whole FROM condotta_packs";
    let oldest = fetch_one_whole(&mut transaction, dialect, oldest, &[]).await?;
    // Rows that are older than the oldest pack go before it.
    let before_packs = if oldest > 0 {
        before.min(oldest)
    } else {
        before
    };
    let mut gone = drop_rows(&mut transaction, dialect, before_packs).await?;
    if gone == 0 && oldest > 0 {
        gone = packing::drop_oldest(&mut transaction, dialect, before).await?;
    }
    transaction.commit().await?;
    store.forget();
    Ok(gone)
}

async fn drop_rows(
    connection: &mut AnyConnection,
    dialect: Dialect,
    before: i64,
) -> Result<u64, sqlx::Error> {
    let select = format!(
        "SELECT began, hash, worker AS worker_key FROM condotta_attempts WHERE began < ? \
         ORDER BY began, hash LIMIT {STEP}"
    );
    let rows = fetch_all(connection, dialect, &select, &[before.into()]).await?;
    let Some(last) = rows.last() else {
        return Ok(0);
    };
    let [began, hash]: [i64; 2] = [last.try_get("began")?, last.try_get("hash")?];
    let delete = "DELETE FROM condotta_attempts WHERE began < ? OR (began = ? AND hash <= ?)";
    let values = [began, began, hash].map(Value::from);
    let gone = execute(connection, dialect, delete, &values).await?;
    packing::drop_unused_workers(connection, dialect, &rows).await?;
    Ok(gone)
}

/// What the file holds, without what is free in it.
async fn bytes(store: &mut Store) -> Result<u64, sqlx::Error> {
    debug_assert_eq!(store.dialect, Dialect::Sqlite);
    let query = "SELECT (p.page_count - f.freelist_count) * s.page_size AS whole \
                 FROM pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s";
    let bytes = fetch_one_whole(&mut store.connection, store.dialect, query, &[]).await?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Gives what is free in the file back to the file system, a part at a time, if that is more than
/// `left_free` pages.
async fn give_back(store: &mut Store, left_free: i64) -> Result<(), sqlx::Error> {
    if store.dialect != Dialect::Sqlite {
        return Ok(());
    }
    let free = "SELECT freelist_count AS whole FROM pragma_freelist_count()";
    let free = fetch_one_whole(&mut store.connection, store.dialect, free, &[]).await?;
    if free > left_free {
        let pragma = format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})");
        fetch_all(&mut store.connection, store.dialect, &pragma, &[]).await?;
    }
    Ok(())
}
