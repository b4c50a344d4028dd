//! Counts and durations of each family and day, kept for years when single attempts are gone.

use std::collections::BTreeMap;

use condotta_scheduler::Timestamp;
use sqlx::Row as _;

use crate::{
    attempt::Outcome, buckets::Buckets, dialect::Dialect, error::DatabaseError, keys,
    statements::Statements,
};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// What happened, not yet added to what is stored.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    tallies: BTreeMap<(i64, i64, i64), Tally>,
}

/// Attempts of one day, family and outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) attempts: i64,
    pub(crate) millis: i64,
    pub(crate) longest: i64,
    pub(crate) buckets: Buckets,
}

/// The day, of UTC, since 1970.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    keys::millis(time).div_euclid(MILLIS_PER_DAY)
}

impl Tallies {
    /// One more, on the day of its end.
    pub(crate) fn count(
        &mut self,
        family: i64,
        began: Timestamp,
        ended: Option<Timestamp>,
        outcome: Outcome,
    ) {
        let day = day_of(ended.unwrap_or(began));
        let tally = self
            .tallies
            .entry((day, family, outcome.code()))
            .or_default();
        tally.attempts += 1;
        if let Some(ended) = ended {
            let millis = (keys::millis(ended) - keys::millis(began)).max(0);
            tally.millis += millis;
            tally.longest = tally.longest.max(millis);
            tally.buckets.add(millis.unsigned_abs());
        }
    }
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.millis += other.millis;
        self.longest = self.longest.max(other.longest);
        self.buckets.merge(&other.buckets);
    }

    /// From the columns `attempts, millis, longest, buckets`.
    pub(crate) fn read(row: &sqlx::any::AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            attempts: row.try_get("attempts")?,
            millis: row.try_get("millis")?,
            longest: row.try_get("longest")?,
            buckets: Buckets::from_text(row.try_get("buckets")?),
        })
    }
}

/// Adds to what is stored, within the transaction of the attempts themselves.
pub(crate) async fn add(
    statements: &mut Statements<'_>,
    dialect: Dialect,
    tallies: &Tallies,
) -> Result<(), DatabaseError> {
    let (insert, absent) = dialect.insert_if_absent();
    let insert = format!(
        "{insert} INTO condotta_totals (day, family, outcome, attempts, millis, longest, buckets) \
         VALUES (?, ?, ?, 0, 0, 0, ''){absent}"
    );
    let here = "WHERE day = ? AND family = ? AND outcome = ?";
    let select = format!(
        "SELECT attempts, millis, longest, buckets FROM condotta_totals {here}{}",
        dialect.for_update()
    );
    let update = format!(
        "UPDATE condotta_totals SET attempts = ?, millis = ?, longest = ?, buckets = ? {here}"
    );
    for (&(day, family, outcome), new) in &tallies.tallies {
        let key = [day.into(), family.into(), outcome.into()];
        statements.execute(&insert, &key).await?;
        let row = statements.fetch_row(&select, &key).await?;
        let mut tally = match row {
            Some(row) => Tally {
                attempts: row.whole(0)?,
                millis: row.whole(1)?,
                longest: row.whole(2)?,
                buckets: Buckets::from_text(row.text(3)?),
            },
            None => Tally::default(),
        };
        tally.merge(new);
        let mut values = vec![
            tally.attempts.into(),
            tally.millis.into(),
            tally.longest.into(),
            tally.buckets.to_text().into(),
        ];
        values.extend(key);
        statements.execute(&update, &values).await?;
    }
    Ok(())
}
