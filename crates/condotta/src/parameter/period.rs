//! Moments and periods on a grid: `#[param(interval = 15)]` on a `DateMinute` keeps quarters of an
//! hour.

use super::Parameter;

/// A parameter type whose values follow one another at equal distances.
pub trait Periodic: Parameter + Copy {
    /// The first of 1970: where the grid of an interval starts unless the parameter says `start`.
    fn epoch() -> Self;

    /// This many units after `start`; less than none before it.
    fn units_since(self, start: Self) -> i64;

    /// This many units later, or earlier where `units` is negative. `None` when that is beyond
    /// the years 1 to 9999.
    fn step(self, units: i64) -> Option<Self>;

    /// The last point of the grid that is not after this one.
    #[must_use]
    fn floor(self, interval: i64, start: Self) -> Self {
        let beyond = self.units_since(start).rem_euclid(interval.max(1));
        self.step(-beyond).unwrap_or(self)
    }
}
