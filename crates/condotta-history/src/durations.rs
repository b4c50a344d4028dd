//! How long attempts take, out of what was counted of each day.

use std::collections::BTreeMap;

use crate::totals::Tally;

/// How long attempts that succeeded took, in seconds.
///
/// Percentiles of families are at most 8% too long, those of single tasks exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations {
    /// How many there were.
    pub count: u64,
    /// What half of them did not exceed. `None` when there were none.
    pub median: Option<f64>,
    /// What nine of ten did not exceed.
    pub p90: Option<f64>,
    /// What 95 of a hundred did not exceed.
    pub p95: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// All of them together.
    pub total: f64,
    /// The same for each day (of UTC) on which some ended, in order.
    pub days: Vec<Day>,
}

/// How long attempts took that ended on one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// Days since 1970.
    pub day: i64,
    /// How many there were.
    pub count: u64,
    /// What half of them did not exceed, in seconds.
    pub median: Option<f64>,
    /// What 95 of a hundred did not exceed, in seconds.
    pub p95: Option<f64>,
    /// The longest, in seconds.
    pub max: Option<f64>,
}

/// What was counted of a family.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FamilyTotals {
    /// The family.
    pub family: String,
    /// How many attempts ended how.
    pub outcomes: BTreeMap<crate::Outcome, u64>,
    /// How long those took that succeeded; without the days.
    pub durations: Durations,
}

impl Tally {
    /// Without the days.
    pub(crate) fn durations(&self) -> Durations {
        let secs = |share| self.percentile_secs(share);
        Durations {
            count: self.attempts.unsigned_abs(),
            median: secs(0.5),
            p90: secs(0.9),
            p95: secs(0.95),
            max: (self.attempts > 0).then(|| in_secs(self.longest)),
            total: in_secs(self.millis),
            days: Vec::new(),
        }
    }

    pub(crate) fn day(&self, day: i64) -> Day {
        let Durations {
            count,
            median,
            p95,
            max,
            ..
        } = self.durations();
        Day {
            day,
            count,
            median,
            p95,
            max,
        }
    }

    /// No percentile is above the longest, of which the exact length is known.
    fn percentile_secs(&self, share: f64) -> Option<f64> {
        let millis = self.buckets.percentile(share)?;
        Some((millis / 1000.0).min(in_secs(self.longest)))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for hundreds of thousands of years"
)]
fn in_secs(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// Of single durations in milliseconds with the days on which they ended.
pub(crate) fn exact(mut ended: Vec<(i64, i64)>) -> Durations {
    ended.sort_unstable();
    let mut days = Vec::new();
    for of_day in ended.chunk_by(|one, other| one.0 == other.0) {
        let millis: Vec<i64> = of_day.iter().map(|&(_, millis)| millis).collect();
        days.push(Day {
            day: of_day[0].0,
            count: millis.len() as u64,
            median: rank(&millis, 50),
            p95: rank(&millis, 95),
            max: rank(&millis, 100),
        });
    }
    let mut all: Vec<i64> = ended.into_iter().map(|(_, millis)| millis).collect();
    all.sort_unstable();
    Durations {
        count: all.len() as u64,
        median: rank(&all, 50),
        p90: rank(&all, 90),
        p95: rank(&all, 95),
        max: rank(&all, 100),
        total: in_secs(all.iter().sum()),
        days,
    }
}

/// What this many of a hundred do not exceed, of sorted milliseconds.
fn rank(sorted: &[i64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map(|&millis| in_secs(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_durations_are_exact() {
        let ended = (1..=100).map(|it| (it / 51, it * 1000)).collect();
        let durations = exact(ended);
        assert_eq!(durations.count, 100);
        assert_eq!(durations.median, Some(50.0));
        assert_eq!(durations.p90, Some(90.0));
        assert_eq!(durations.p95, Some(95.0));
        assert_eq!(durations.max, Some(100.0));
        let medians: Vec<_> = durations.days.iter().map(|day| day.median).collect();
        assert_eq!(medians, [Some(25.0), Some(75.0)]);
        assert_eq!(exact(Vec::new()), Durations::default());
    }
}
