//! Questions to the history, on connections of their own.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use condotta_scheduler::Timestamp;
use sqlx::{AnyPool, Row as _, any::AnyRow};

use crate::{
    HistoryError,
    address::Address,
    attempt::{Attempt, Outcome},
    attempt_id::AttemptId,
    complaints::{self, Complaints, Due},
    database::{self, Value},
    dialect::Dialect,
    durations::{Durations, FamilyTotals, exact},
    keys,
    pack::Wanted,
    pages::{self, Filter, Found, Page},
    texts,
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
    trouble: Arc<Complaints>,
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
            source: source.into(),
        })?;
        Ok(Self {
            address,
            readers,
            trouble: Arc::new(Complaints::new(complaints::TELL_EVERY)),
        })
    }

    /// Where it is, without what is secret.
    #[must_use]
    pub fn place(&self) -> &str {
        self.address.place()
    }

    /// A page of attempts, newest first. A full page may have another one after it, and so may one that says
    /// where it goes on.
    ///
    /// # Errors
    ///
    /// When the database is not to be had, or something in it is damaged.
    pub async fn attempts(&self, filter: &Filter, page: &Page) -> Result<Found, HistoryError> {
        // First the rows: what is packed meanwhile is found twice, and not missed.
        let mut until = self.too_many(filter, page).await?;
        let (sql, values) = pages::select(self.dialect(), filter, page, until);
        let mut attempts = self.fetch(&sql, &values, pages::read).await?;
        let limit = page.limit as usize;
        let last = attempts.last().filter(|_| attempts.len() >= limit);
        let at_least = last.map(|last| last.id.millis()).max(until);
        let wanted = Wanted::new(filter, page.after.as_ref());
        let packed = self.packed(wanted, limit, at_least).await?;
        attempts.extend(packed.attempts);
        until = until.max(packed.looked_until);
        attempts.retain(|attempt| until.is_none_or(|until| attempt.id.millis() >= until));
        attempts.sort_by_cached_key(|attempt| Reverse(keys::attempt(&attempt.id)));
        attempts.dedup_by(|one, other| one.id == other.id);
        attempts.truncate(limit);
        let goes_on = until.filter(|_| attempts.len() < limit);
        Ok(Found {
            attempts,
            goes_on_after: goes_on.map(|until| AttemptId::of_parts(until, 0)),
        })
    }

    /// Where to end looking for parameters in rows; nothing if in all.
    async fn too_many(&self, filter: &Filter, page: &Page) -> Result<Option<i64>, HistoryError> {
        if filter.params.is_empty() {
            return Ok(None);
        }
        let (sql, values) = pages::too_many(filter, page);
        let found = self.fetch(&sql, &values, |row| row.try_get::<i64, _>("whole"));
        Ok(found.await?.pop().map(|began| began + 1))
    }

    /// An attempt; `None` when there is none of that name, or not any more.
    ///
    /// # Errors
    ///
    /// When the database is not to be had, or something in it is damaged.
    pub async fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>, HistoryError> {
        let (sql, values) = pages::select_one(id);
        match self.fetch(&sql, &values, pages::read).await?.pop() {
            Some(attempt) => Ok(Some(attempt)),
            None => self.packed_attempt(id).await,
        }
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
    /// thousand of them, or fewer if it ran so seldom that these are hard to find.
    ///
    /// # Errors
    ///
    /// When the database is not to be had, or something in it is damaged.
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
        let rows = self
            .fetch(&sql, &values, |row| {
                Ok((
                    row.try_get::<i64, _>("began")?,
                    row.try_get::<Option<i64>, _>("ended")?,
                ))
            })
            .await?;
        let filter = Filter {
            task_id: Some(task_id.to_owned()),
            outcomes: vec![Outcome::Done],
            since: Some(since),
            ..Filter::default()
        };
        let most = (MOST_DURATIONS as usize).saturating_sub(rows.len());
        let packed = self.packed(Wanted::new(&filter, None), most, None).await?;
        let packed = packed.attempts.iter();
        let mut times: BTreeMap<i64, Option<i64>> = packed
            .map(|it| (it.id.millis(), it.ended.map(keys::whole_millis)))
            .collect();
        times.extend(rows);
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
        let mut counts = self.counts(&sql, &values).await?;
        let family = family.map(texts::clean);
        self.each_pack(since - 24 * HOUR_MILLIS, |pack| {
            for (began, ended, of, outcome) in pack.ends() {
                let ended =
                    ended.filter(|&ended| ended >= since && began >= since - 24 * HOUR_MILLIS);
                if let Some(ended) =
                    ended.filter(|_| family.as_ref().is_none_or(|family| family == of))
                {
                    let hour = counts
                        .by_time
                        .entry(ended.div_euclid(HOUR_MILLIS))
                        .or_default();
                    *hour.entry(outcome).or_default() += 1;
                }
            }
        })
        .await?;
        Ok(counts)
    }

    async fn counts(&self, sql: &str, values: &[Value<'_>]) -> Result<Counts, HistoryError> {
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

    pub(crate) async fn fetch<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&AnyRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, HistoryError> {
        let rows = database::query(self.dialect(), sql, values)
            .fetch_all(&self.readers)
            .await;
        let read = rows.and_then(|rows| rows.iter().map(read).collect());
        let read = read.map_err(|source| HistoryError::Database {
            place: self.place().to_owned(),
            source: source.into(),
        });
        self.tell(read.as_ref().err());
        read.map_err(|error| self.since_when(error))
    }

    /// Says for how long it has been so, if not only now.
    fn since_when(&self, error: HistoryError) -> HistoryError {
        let secs = self.trouble.lasts().map_or(0, |lasts| lasts.as_secs());
        match error {
            HistoryError::Database { place, source } if secs > 0 => HistoryError::Away {
                place,
                secs,
                source,
            },
            other => other,
        }
    }

    /// What goes wrong is told here, since whoever asks may ask again and again.
    fn tell(&self, error: Option<&HistoryError>) {
        let Some(error) = error else {
            if let Some((questions, after)) = self.trouble.succeeded() {
                let secs = after.as_secs();
                tracing::info!(
                    "questions to the history are answered again; {questions} were not, in {secs} s"
                );
            }
            return;
        };
        match self.trouble.failed() {
            Some(Due::Begun) => tracing::error!("a question to the history failed: {error}"),
            Some(Due::GoesOn(questions, since)) => tracing::error!(
                "{questions} questions to the history failed in {} s: {error}",
                since.as_secs()
            ),
            None => {}
        }
    }
}
