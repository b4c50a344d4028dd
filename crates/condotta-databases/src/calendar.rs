//! Days and times as numbers since 1970, as files and databases store them.

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, date},
};

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

const EPOCH: Date = date(1970, 1, 1);

/// A day by its number, if its year has four digits.
pub(crate) fn date_of_day(day: i64) -> Option<Date> {
    // So many days are outside in any case.
    let day = i32::try_from(day)
        .ok()
        .filter(|day| day.abs() < 5_000_000)?;
    EPOCH.checked_add(day.days()).ok()
}

/// The number of a day.
#[cfg(any(test, feature = "parquet"))]
pub(crate) fn day_of_date(date: Date) -> i32 {
    let days = date.duration_since(EPOCH).as_hours() / 24;
    i32::try_from(days).expect("years have four digits")
}

/// A day and a time by its microseconds.
pub(crate) fn time_of_microsecond(microsecond: i64) -> Option<DateTime> {
    let date = date_of_day(microsecond.div_euclid(MICROSECONDS_A_DAY))?;
    let microseconds = microsecond.rem_euclid(MICROSECONDS_A_DAY);
    let seconds = i32::try_from(microseconds / 1_000_000).ok()?;
    let part = |number: i32| i8::try_from(number).ok();
    let time = Time::new(
        part(seconds / 3600)?,
        part(seconds / 60 % 60)?,
        part(seconds % 60)?,
        i32::try_from(microseconds % 1_000_000).ok()? * 1000,
    );
    Some(DateTime::from_parts(date, time.ok()?))
}

/// The microseconds of a day and a time.
#[cfg(any(test, feature = "parquet"))]
pub(crate) fn microsecond_of_time(time: DateTime) -> i64 {
    let midnight = i64::from(day_of_date(time.date())) * MICROSECONDS_A_DAY;
    let since_midnight = time.time().duration_since(Time::midnight());
    midnight + i64::try_from(since_midnight.as_micros()).expect("a day has fewer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_days_are_the_same() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-01-01", 10_957),
            ("9999-12-31", 2_932_896),
            ("0001-01-01", -719_162),
        ] {
            let date: Date = text.parse().expect(text);
            assert_eq!(date_of_day(day), Some(date));
            assert_eq!(i64::from(day_of_date(date)), day);
        }
        assert_eq!(date_of_day(2_932_897), None);
        assert_eq!(date_of_day(i64::MIN), None);
    }

    #[test]
    fn numbers_and_times_are_the_same() {
        for (text, microsecond) in [
            ("1970-01-01T00:00:00.000001", 1),
            ("1969-12-31T23:59:59.999999", -1),
            ("9999-12-31T23:59:59.999999", 253_402_300_799_999_999),
        ] {
            let time: DateTime = text.parse().expect(text);
            assert_eq!(time_of_microsecond(microsecond), Some(time));
            assert_eq!(microsecond_of_time(time), microsecond);
        }
        assert_eq!(time_of_microsecond(i64::MAX), None);
    }
}
