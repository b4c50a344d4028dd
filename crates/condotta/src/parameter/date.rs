//! Dates and moments: a day, a month, a year, an hour, a minute, a second.
//!
//! Without time zones, as in Luigi.

use std::fmt;

use jiff::{
    SignedDuration,
    civil::{Date, DateTime, date},
};

use super::{Parameter, ParseError, Periodic};

impl Parameter for Date {
    const FORM: &'static str = "YYYY-MM-DD";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::new(text);
        let parsed = (|| {
            let (year, month, day) = (reader.year()?, reader.month()?, reader.day()?);
            reader.end()?;
            Self::new(year, month, day).ok()
        })();
        parsed.ok_or_else(|| ParseError::new("expected a date, YYYY-MM-DD"))
    }

    fn serialize(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }

    fn next_in_enumeration(&self) -> Option<Self> {
        self.step(1)
    }
}

impl Periodic for Date {
    fn epoch() -> Self {
        date(1970, 1, 1)
    }

    fn units_since(self, start: Self) -> i64 {
        self.duration_since(start).as_hours() / 24
    }

    fn step(self, units: i64) -> Option<Self> {
        let days = SignedDuration::from_hours(units.checked_mul(24)?);
        in_range(self.checked_add(days).ok()?)
    }
}

/// A month of a year, `2013-07`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    /// The month that this day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// A month by its numbers; `None` when there is no such month.
    #[must_use]
    pub fn new(year: i16, month: i8) -> Option<Self> {
        in_range(Date::new(year, month, 1).ok()?).map(Self)
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        self.0
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.0.last_of_month()
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, from 1.
    #[must_use]
    pub fn month(self) -> i8 {
        self.0.month()
    }
}

impl Parameter for Month {
    const FORM: &'static str = "YYYY-MM";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::new(text);
        let parsed = (|| {
            let (year, month) = (reader.year()?, reader.month()?);
            reader.end()?;
            Self::new(year, month)
        })();
        parsed.ok_or_else(|| ParseError::new("expected a month, YYYY-MM"))
    }

    fn serialize(&self) -> String {
        format!("{:04}-{:02}", self.year(), self.month())
    }

    fn next_in_enumeration(&self) -> Option<Self> {
        self.step(1)
    }
}

impl Periodic for Month {
    fn epoch() -> Self {
        Self(date(1970, 1, 1))
    }

    fn units_since(self, start: Self) -> i64 {
        let months = |at: Self| i64::from(at.year()) * 12 + i64::from(at.month());
        months(self) - months(start)
    }

    fn step(self, units: i64) -> Option<Self> {
        let months = i64::from(self.year()) * 12 + i64::from(self.month()) - 1;
        let months = months.checked_add(units)?;
        let year = i16::try_from(months.div_euclid(12)).ok()?;
        let month = i8::try_from(months.rem_euclid(12)).ok()? + 1;
        Self::new(year, month)
    }
}

/// A year, `2013`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Year(Date);

impl Year {
    /// The year that this day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self(day.first_of_year())
    }

    /// A year by its number; `None` when that is not from 1 to 9999.
    #[must_use]
    pub fn new(year: i16) -> Option<Self> {
        in_range(Date::new(year, 1, 1).ok()?).map(Self)
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        self.0
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.0.last_of_year()
    }

    /// The number.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0.year()
    }
}

impl Parameter for Year {
    const FORM: &'static str = "YYYY";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::new(text);
        let parsed = (|| {
            let year = reader.year()?;
            reader.end()?;
            Self::new(year)
        })();
        parsed.ok_or_else(|| ParseError::new("expected a year, YYYY"))
    }

    fn serialize(&self) -> String {
        format!("{:04}", self.year())
    }

    fn next_in_enumeration(&self) -> Option<Self> {
        self.step(1)
    }
}

impl Periodic for Year {
    fn epoch() -> Self {
        Self(date(1970, 1, 1))
    }

    fn units_since(self, start: Self) -> i64 {
        i64::from(self.year()) - i64::from(start.year())
    }

    fn step(self, units: i64) -> Option<Self> {
        Self::new(i16::try_from(i64::from(self.year()).checked_add(units)?).ok()?)
    }
}

/// A moment that is known to a unit of time, and that unit's texts.
macro_rules! moments {
    ($(
        $(#[$doc:meta])*
        $name:ident: $seconds:literal seconds, $what:literal $form:literal,
        truncated $truncate:expr, read $read:expr, written $write:expr;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(DateTime);

        impl $name {
            /// The one that this moment is in.
            #[must_use]
            pub fn of(moment: DateTime) -> Self {
                let truncate: fn(DateTime) -> (i8, i8, i8) = $truncate;
                let (hour, minute, second) = truncate(moment);
                Self(moment.date().at(hour, minute, second, 0))
            }

            /// When it starts.
            #[must_use]
            pub fn datetime(self) -> DateTime {
                self.0
            }

            /// The day.
            #[must_use]
            pub fn date(self) -> Date {
                self.0.date()
            }
        }

        /// Midnight.
        impl From<Date> for $name {
            fn from(day: Date) -> Self {
                Self::of(day.at(0, 0, 0, 0))
            }
        }

        impl Parameter for $name {
            const FORM: &'static str = $form;

            fn parse(text: &str) -> Result<Self, ParseError> {
                let read: fn(&mut Reader<'_>) -> Option<(i8, i8, i8)> = $read;
                let mut reader = Reader::new(text);
                let parsed = (|| {
                    let (year, month, day) = (reader.year()?, reader.month()?, reader.day()?);
                    reader.literal('T')?;
                    let (hour, minute, second) = read(&mut reader)?;
                    reader.end()?;
                    DateTime::new(year, month, day, hour, minute, second, 0).ok().map(Self)
                })();
                parsed.ok_or_else(|| ParseError::new(concat!("expected ", $what, ", ", $form)))
            }

            fn serialize(&self) -> String {
                let write: fn(DateTime) -> String = $write;
                format!("{}T{}", self.date().serialize(), write(self.0))
            }

            fn next_in_enumeration(&self) -> Option<Self> {
                self.step(1)
            }
        }

        impl Periodic for $name {
            fn epoch() -> Self {
                Self::from(date(1970, 1, 1))
            }

            fn units_since(self, start: Self) -> i64 {
                self.0.duration_since(start.0).as_secs() / $seconds
            }

            fn step(self, units: i64) -> Option<Self> {
                let time = SignedDuration::from_secs(units.checked_mul($seconds)?);
                let moment = self.0.checked_add(time).ok()?;
                in_range(moment.date()).map(|_| Self(moment))
            }
        }
    )*};
}

moments! {
    /// An hour of a day, `2013-07-10T19`.
    DateHour: 3600 seconds, "an hour" "YYYY-MM-DDTHH",
        truncated |at| (at.hour(), 0, 0),
        read |reader| Some((reader.two()?, 0, 0)),
        written |at| format!("{:02}", at.hour());

    /// A minute of a day, `2013-07-10T1907`.
    DateMinute: 60 seconds, "a minute" "YYYY-MM-DDTHHMM",
        truncated |at| (at.hour(), at.minute(), 0),
        read |reader| {
            let hour = reader.two()?;
            // Luigi's older form, `T19H07`.
            let _ = reader.literal('H');
            Some((hour, reader.two()?, 0))
        },
        written |at| format!("{:02}{:02}", at.hour(), at.minute());

    /// A second of a day, `2013-07-10T190738`.
    DateSecond: 1 seconds, "a second" "YYYY-MM-DDTHHMMSS",
        truncated |at| (at.hour(), at.minute(), at.second()),
        read |reader| Some((reader.two()?, reader.two()?, reader.two()?)),
        written |at| format!("{:02}{:02}{:02}", at.hour(), at.minute(), at.second());
}

macro_rules! displayed_as_serialized {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.serialize())
            }
        }

        impl condotta_programs::Argument for $name {
            fn to_argument(&self) -> std::ffi::OsString {
                self.serialize().into()
            }
        }
    )*};
}
displayed_as_serialized!(Month Year DateHour DateMinute DateSecond);

/// Python knows the years 1 to 9999; what is written with four digits reads back.
fn in_range(day: Date) -> Option<Date> {
    (1..=9999).contains(&day.year()).then_some(day)
}

/// Reads the parts of a date one after the other; `None` when the text has another form.
pub(super) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn year(&mut self) -> Option<i16> {
        self.number(4).filter(|year| *year > 0)
    }

    fn month(&mut self) -> Option<i8> {
        self.literal('-')?;
        self.one_or_two()
    }

    fn day(&mut self) -> Option<i8> {
        self.literal('-')?;
        self.one_or_two()
    }

    pub(super) fn two(&mut self) -> Option<i8> {
        i8::try_from(self.number(2)?).ok()
    }

    /// As Python's `strptime` reads months and days.
    fn one_or_two(&mut self) -> Option<i8> {
        let digits = self
            .rest
            .bytes()
            .take(2)
            .take_while(u8::is_ascii_digit)
            .count();
        i8::try_from(self.number(digits)?).ok()
    }

    fn number(&mut self, digits: usize) -> Option<i16> {
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| number.parse().ok())?
    }

    pub(super) fn literal(&mut self, literal: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    pub(super) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Parameter + PartialEq + fmt::Debug>(text: &str, next: &str) {
        let value = T::parse(text).unwrap();
        assert_eq!(value.serialize(), text);
        assert_eq!(value.next_in_enumeration().unwrap().serialize(), next);
    }

    #[test]
    fn values_follow_one_another() {
        check::<Date>("2016-02-28", "2016-02-29");
        check::<Month>("2013-12", "2014-01");
        check::<Year>("0999", "1000");
        check::<DateHour>("2013-07-10T23", "2013-07-11T00");
        check::<DateMinute>("2013-07-10T1959", "2013-07-10T2000");
        check::<DateSecond>("2013-12-31T235959", "2014-01-01T000000");
        assert_eq!(
            Date::parse("9999-12-31").unwrap().next_in_enumeration(),
            None
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "2013-02-29",
            "2013-07-",
            "2013-07-10 ",
            "13-07-10",
            "2013/07/10",
            "",
            "２013-07-10",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
        assert_eq!(Date::parse("2013-7-1"), Date::parse("2013-07-01"));
        assert!(DateHour::parse("2013-07-10T24").is_err());
        assert_eq!(
            Month::parse("2013-13"),
            Err("expected a month, YYYY-MM".into())
        );
        assert_eq!(
            DateMinute::parse("2013-07-10T19H07"),
            DateMinute::parse("2013-07-10T1907")
        );
    }

    #[test]
    fn the_grid_is_counted_from_its_start() {
        let floor =
            |text: &str, interval| Date::parse(text).unwrap().floor(interval, Date::epoch());
        assert_eq!(floor("2013-07-10", 7).serialize(), "2013-07-04");
        assert_eq!(floor("1969-12-31", 7).serialize(), "1969-12-25");
        let month = Month::parse("2013-08").unwrap();
        assert_eq!(month.floor(3, Month::epoch()).serialize(), "2013-07");
        assert_eq!(
            month.floor(3, Month::parse("2013-02").unwrap()).serialize(),
            "2013-08"
        );
        let minute = DateMinute::parse("2013-07-10T1925").unwrap();
        assert_eq!(
            minute.floor(15, DateMinute::epoch()).serialize(),
            "2013-07-10T1915"
        );
    }
}
