//! Questions to the history, on connections of their own.

use std::collections::BTreeMap;

use condotta_scheduler::Timestamp;
use sqlx::{AnyPool, Row as _, any::AnyRow};

use crate::{
    HistoryError,
    address::Address,
    attempt::{Attempt, Outcome},
    attempt_id::AttemptId,
    database::{self, Value},
    dialect::Dialect,
    durations::{Durations, FamilyTotals, exact},
    keys,
    pages::{self, Filter, Page},
    totals::{Tally, day_of},
};

/// Of how many of a task's last attempts the durations are looked at.
const MOST_DURATIONS: u32 = 10_000;
const HOUR_MILLIS: i64 = 3_600_000;

/// Answers questions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    address: Address,
    readers: AnyPool,
}

/// How many attempts ended how, by the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of days (of UTC) or hours since 1970; those in which none ended are left out.
    pub by_time: BTreeMap<i64, BTreeMap<Outcome, u64>>,
}

impl History {
    /// The history in this place. Connects when it is asked something.
    ///
    /// # Errors
    ///
    /// When the address cannot be read.
    pub fn new(address: Address) -> Result<Self, HistoryError> {
        let readers = database::readers(&address);
        let readers = readers.map_err(|source| HistoryError::Database {
            place: address.place().to_owned(),
            source,
        })?;
        Ok(Self { address, readers })
    }

    /// Where it is, without what is secret.
    #[must_use]
    pub fn place(&self) -> &str {
        self.address.place()
    }

    /// A page of attempts, newest first. A full page may have another one after it.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn attempts(
        &self,
        filter: &Filter,
        page: &Page,
    ) -> Result<Vec<Attempt>, HistoryError> {
        let (sql, values) = pages::select(self.dialect(), filter, page);
        self.fetch(&sql, &values, pages::read).await
    }

    /// An attempt; `None` when there is none of that name, or not any more.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>, HistoryError> {
        let (sql, values) = pages::select_one(id);
        Ok(self.fetch(&sql, &values, pages::read).await?.pop())
    }

    /// How long the attempts of a family took that succeeded and ended on that day or later, until
    /// today.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn family_durations(
        &self,
        family: &str,
        since: Timestamp,
    ) -> Result<Durations, HistoryError> {
        let sql = "SELECT day, attempts, millis, longest, buckets FROM condotta_totals \
                   WHERE family = ? AND day >= ? AND outcome = 1 ORDER BY day";
        let values = [keys::family(family).into(), day_of(since).into()];
        let tallies = self
            .fetch(sql, &values, |row| {
                Ok((row.try_get("day")?, Tally::read(row)?))
            })
            .await?;
        let mut all = Tally::default();
        let mut days = Vec::new();
        for (day, tally) in &tallies {
            all.merge(tally);
            days.push(tally.day(*day));
        }
        Ok(Durations {
            days,
            ..all.durations()
        })
    }

    /// How long the attempts of a task took that succeeded and began then or later; the last ten
    /// thousand of them.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn task_durations(
        &self,
        task_id: &str,
        since: Timestamp,
    ) -> Result<Durations, HistoryError> {
        let sql = format!(
            "SELECT began, ended FROM condotta_attempts WHERE task = ? AND began >= ? AND outcome = 1 \
             ORDER BY began DESC, hash DESC LIMIT {MOST_DURATIONS}"
        );
        let values = [keys::task(task_id).into(), keys::millis(since).into()];
        let times = self
            .fetch(&sql, &values, |row| {
                Ok((
                    row.try_get::<i64, _>("began")?,
                    row.try_get::<Option<i64>, _>("ended")?,
                ))
            })
            .await?;
        let ended = times.into_iter().filter_map(|(began, ended)| {
            let ended = ended?;
            Some((day_of(keys::timestamp(ended)), (ended - began).max(0)))
        });
        Ok(exact(ended.collect()))
    }

    /// What was counted of each family since that day, the families in the order of their names.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn families(&self, since: Timestamp) -> Result<Vec<FamilyTotals>, HistoryError> {
        let sql = "SELECT f.family, t.outcome, t.attempts, t.millis, t.longest, t.buckets \
                   FROM condotta_totals t JOIN condotta_families f ON f.id = t.family \
                   WHERE t.day >= ?";
        let rows = self
            .fetch(sql, &[day_of(since).into()], |row| {
                let family: String = row.try_get("family")?;
                let outcome = Outcome::from_code(row.try_get("outcome")?);
                Ok((family, outcome, Tally::read(row)?))
            })
            .await?;
        let mut families: BTreeMap<String, (BTreeMap<Outcome, u64>, Tally)> = BTreeMap::new();
        for (family, outcome, tally) in rows {
            let (outcomes, done) = families.entry(family).or_default();
            *outcomes.entry(outcome).or_default() += tally.attempts.unsigned_abs();
            if outcome == Outcome::Done {
                done.merge(&tally);
            }
        }
        let totals = families
            .into_iter()
            .map(|(family, (outcomes, done))| FamilyTotals {
                family,
                outcomes,
                durations: done.durations(),
            });
        Ok(totals.collect())
    }

    /// How many attempts ended how on each day since that one; of one family, or of all.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn counts_by_day(
        &self,
        family: Option<&str>,
        since: Timestamp,
    ) -> Result<Counts, HistoryError> {
        let mut values = vec![day_of(since).into()];
        values.extend(family.map(|family| Value::from(keys::family(family))));
        let of_family = family.map_or("", |_| "AND family = ?");
        let sum = self.dialect().whole("SUM(attempts)");
        let sql = format!(
            "SELECT day AS moment, outcome, {sum} AS attempts FROM condotta_totals \
             WHERE day >= ? {of_family} GROUP BY day, outcome"
        );
        self.counts(&sql, &values).await
    }

    /// How many attempts ended how in each hour since that one. Looks at each attempt: meant for days,
    /// not for years. Attempts that began more than a day before `since` are left out.
    ///
    /// # Errors
    ///
    /// When the database is not to be had.
    pub async fn counts_by_hour(
        &self,
        family: Option<&str>,
        since: Timestamp,
    ) -> Result<Counts, HistoryError> {
        let since = keys::millis(since).div_euclid(HOUR_MILLIS) * HOUR_MILLIS;
        let mut values = vec![(since - 24 * HOUR_MILLIS).into(), since.into()];
        values.extend(family.map(|family| Value::from(keys::family(family))));
        let of_family = family.map_or("", |_| "AND family = ?");
        let hour = self.dialect().hour_of("ended");
        let count = self.dialect().whole("COUNT(*)");
        let sql = format!(
            "SELECT {hour} AS moment, outcome, {count} AS attempts FROM condotta_attempts \
             WHERE began >= ? AND ended >= ? {of_family} GROUP BY {hour}, outcome"
        );
        self.counts(&sql, &values).await
    }

    async fn counts(&self, sql: &str, values: &[Value]) -> Result<Counts, HistoryError> {
        let rows = self
            .fetch(sql, values, |row| {
                let outcome = Outcome::from_code(row.try_get("outcome")?);
                let attempts: i64 = row.try_get("attempts")?;
                Ok((row.try_get("moment")?, outcome, attempts.unsigned_abs()))
            })
            .await?;
        let mut counts = Counts::default();
        for (moment, outcome, attempts) in rows {
            let outcomes = counts.by_time.entry(moment).or_default();
            *outcomes.entry(outcome).or_default() += attempts;
        }
        Ok(counts)
    }

    /// Ends its connections.
    pub async fn close(&self) {
        self.readers.close().await;
    }

    fn dialect(&self) -> Dialect {
        self.address.dialect()
    }

    async fn fetch<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: impl Fn(&AnyRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, HistoryError> {
        let rows = database::query(self.dialect(), sql, values)
            .fetch_all(&self.readers)
            .await;
        let read = rows.and_then(|rows| rows.iter().map(read).collect());
        read.map_err(|source| HistoryError::Database {
            place: self.place().to_owned(),
            source,
        })
    }
}
