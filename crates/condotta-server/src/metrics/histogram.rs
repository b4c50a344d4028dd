//! Values by size, as Prometheus counts them. Many threads may count at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds, in seconds, for what should take milliseconds.
pub(crate) const QUICK: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bounds, in seconds, for what may take hours.
pub(crate) const LONG: &[f64] = &[
    0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
];
/// Bounds for numbers of things.
pub(crate) const NUMBERS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How many values there were up to each of some bounds, and their sum.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    /// One more than bounds: the last is for all that is greater.
    counts: Vec<AtomicU64>,
    /// The bits of a floating-point number.
    sum: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0.0f64.to_bits()),
        }
    }

    /// One more value.
    pub(crate) fn observe(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        let add = |sum: u64| Some((f64::from_bits(sum) + value).to_bits());
        // It cannot fail: the closure always gives a value.
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Up to each bound so many, the last for all.
    pub(crate) fn cumulative(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let mut total = 0;
        let counts = self.counts.iter().map(|count| {
            total += count.load(Ordering::Relaxed);
            total
        });
        bounds.zip(counts.collect::<Vec<u64>>()).collect()
    }

    pub(crate) fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let histogram = Histogram::new(&[1.0, 5.0]);
        for value in [0.5, 1.0, 4.0, 6.0] {
            histogram.observe(value);
        }
        let expected = [(1.0, 2), (5.0, 3), (f64::INFINITY, 4)];
        assert_eq!(histogram.cumulative(), expected);
        assert_eq!(histogram.sum(), 11.5);
    }
}
