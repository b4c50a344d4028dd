//! Durations counted by their size, so that medians of millions are at hand.
//!
//! Each bucket is 8% wider than the one before, and a percentile is the end of its bucket: so many were really no
//! longer, and it is at most 8% too long. Counts of several days add up to the counts of all of them.

use std::{collections::BTreeMap, fmt::Write as _};

/// How much wider each bucket is.
const GROWTH: f64 = 1.08;

/// How many durations of which size there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buckets {
    counts: BTreeMap<u32, u64>,
}

impl Buckets {
    /// One more of so many milliseconds.
    pub(crate) fn add(&mut self, millis: u64) {
        *self.counts.entry(bucket_of(millis)).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.counts {
            *self.counts.entry(bucket).or_default() += count;
        }
    }

    /// A duration in milliseconds that this share of them does not exceed; `None` of none.
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.counts.values().sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among fewer than 2^52, from 1 up"
        )]
        let rank = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().find(|&(_, &count)| {
            seen += count;
            seen >= rank
        });
        bucket.map(|(&bucket, _)| end_of(bucket))
    }

    /// As it is stored: `12:3,14:1`.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (bucket, count) in &self.counts {
            let comma = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{comma}{bucket}:{count}");
        }
        text
    }

    /// What is stored; what makes no sense counts nothing.
    pub(crate) fn from_text(text: &str) -> Self {
        let pairs = text.split(',').filter_map(|pair| {
            let (bucket, count) = pair.split_once(':')?;
            Some((bucket.parse().ok()?, count.parse().ok()?))
        });
        Self {
            counts: pairs.collect(),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a logarithm is small, and of a number from 1 up not negative"
)]
fn bucket_of(millis: u64) -> u32 {
    if millis == 0 {
        return 0;
    }
    1 + ((millis as f64).ln() / GROWTH.ln()) as u32
}

/// In milliseconds: all in the bucket are shorter, or as long.
fn end_of(bucket: u32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    GROWTH.powf(f64::from(bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_near_the_real_ones() {
        let mut buckets = Buckets::default();
        for millis in 1..=10_000 {
            buckets.add(millis);
        }
        for (share, real) in [
            (0.5, 5000.0),
            (0.9, 9000.0),
            (0.95, 9500.0),
            (1.0, 10_000.0),
        ] {
            let found = buckets.percentile(share).unwrap();
            assert!(found >= real, "{share}: {found}");
            assert!(found / real < 1.081, "{share}: {found}");
        }
        assert_eq!(Buckets::default().percentile(0.5), None);
    }

    #[test]
    fn counts_add_up_and_come_back_from_text() {
        let (mut one, mut other) = (Buckets::default(), Buckets::default());
        one.add(0);
        one.add(70);
        other.add(70);
        one.merge(&other);
        let text = one.to_text();
        assert!(text.starts_with("0:1,") && text.ends_with(":2"), "{text}");
        assert_eq!(Buckets::from_text(&text), one);
        assert_eq!(Buckets::from_text(""), Buckets::default());
        assert_eq!(Buckets::from_text("x:1,,3"), Buckets::default());
    }
}
