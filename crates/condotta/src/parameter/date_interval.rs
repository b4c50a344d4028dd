//! A range of days: a year, a month, a week, one day, or any two dates.

use std::fmt;

use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::{Month, Parameter, ParseError, Periodic as _, Year, date::Reader};

/// A range of days, `2013`, `2013-02`, `2013-W05`, `2013-01-02` or `2013-01-01-2013-02-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateInterval {
    /// A year.
    Year(Year),
    /// A month.
    Month(Month),
    /// A week by ISO 8601.
    Week(Week),
    /// One day.
    Date(Date),
    /// From a day up to and without another.
    Custom(Date, Date),
}

impl DateInterval {
    /// The first day.
    #[must_use]
    pub fn start(self) -> Date {
        match self {
            Self::Year(year) => year.first_day(),
            Self::Month(month) => month.first_day(),
            Self::Week(week) => week.first_day(),
            Self::Date(day) | Self::Custom(day, _) => day,
        }
    }

    /// The first day after it.
    #[must_use]
    pub fn end(self) -> Date {
        let last = match self {
            Self::Custom(_, end) => return end,
            Self::Year(year) => year.last_day(),
            Self::Month(month) => month.last_day(),
            Self::Week(week) => week.first_day().step(6).unwrap_or(Date::MAX),
            Self::Date(day) => day,
        };
        last.tomorrow().unwrap_or(Date::MAX)
    }

    /// All days in it.
    pub fn days(self) -> impl Iterator<Item = Date> {
        let end = self.end();
        std::iter::successors(Some(self.start()), |day| day.tomorrow().ok())
            .take_while(move |day| *day < end)
    }

    /// Whether a day is in it.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.start() <= day && day < self.end()
    }

    /// The range of the same kind after it. `None` for two dates of one's own.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.neighbour(1)
    }

    /// The range of the same kind before it. `None` for two dates of one's own.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.neighbour(-1)
    }

    fn neighbour(self, units: i64) -> Option<Self> {
        match self {
            Self::Year(year) => year.step(units).map(Self::Year),
            Self::Month(month) => month.step(units).map(Self::Month),
            Self::Week(week) => week
                .first_day()
                .step(7 * units)
                .map(Week::of)
                .map(Self::Week),
            Self::Date(day) => day.step(units).map(Self::Date),
            Self::Custom(..) => None,
        }
    }
}

impl Parameter for DateInterval {
    const FORM: &'static str = "YYYY[-MM[-DD]]|YYYY-Www|DAY-DAY";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let custom = || {
            let (from, to) = (text.get(..10)?, text.get(10..)?.strip_prefix('-')?);
            Some(Self::Custom(Date::parse(from).ok()?, Date::parse(to).ok()?))
        };
        let parsed = match text.len() {
            4 => Year::parse(text).ok().map(Self::Year),
            7 => Month::parse(text).ok().map(Self::Month),
            8 => Week::parse(text).ok().map(Self::Week),
            10 => Date::parse(text).ok().map(Self::Date),
            _ => custom(),
        };
        parsed.ok_or_else(|| {
            ParseError::new("expected YYYY, YYYY-MM, YYYY-Www, YYYY-MM-DD or YYYY-MM-DD-YYYY-MM-DD")
        })
    }

    fn serialize(&self) -> String {
        match self {
            Self::Year(year) => year.serialize(),
            Self::Month(month) => month.serialize(),
            Self::Week(week) => week.serialize(),
            Self::Date(day) => day.serialize(),
            Self::Custom(from, to) => format!("{}-{}", from.serialize(), to.serialize()),
        }
    }
}

impl fmt::Display for DateInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.serialize())
    }
}

impl condotta_programs::Argument for DateInterval {
    fn to_argument(&self) -> std::ffi::OsString {
        self.serialize().into()
    }
}

/// A week by ISO 8601, `2013-W05`: Monday to Sunday, and the first has the year's first Thursday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(Date);

impl Week {
    /// The week that this day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        let days = i64::from(day.weekday().to_monday_zero_offset());
        Self(day.step(-days).unwrap_or(day))
    }

    /// A week by its numbers; `None` when the year has no such week.
    #[must_use]
    pub fn new(year: i16, week: i8) -> Option<Self> {
        ISOWeekDate::new(year, week, Weekday::Monday)
            .ok()
            .map(|monday| Self(monday.date()))
    }

    /// Its Monday.
    #[must_use]
    pub fn first_day(self) -> Date {
        self.0
    }
}

impl Parameter for Week {
    const FORM: &'static str = "YYYY-Www";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::new(text);
        let parsed = (|| {
            let year = reader.year()?;
            reader.literal('-')?;
            reader.literal('W')?;
            let week = reader.two()?;
            reader.end()?;
            Self::new(year, week)
        })();
        parsed.ok_or_else(|| ParseError::new("expected a week, YYYY-Www"))
    }

    fn serialize(&self) -> String {
        let week = self.0.iso_week_date();
        format!("{:04}-W{:02}", week.year(), week.week())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_text_its_days_and_its_neighbours() {
        let cases = [
            (
                "2013",
                "2013-01-01",
                "2014-01-01",
                Some("2014"),
                Some("2012"),
            ),
            (
                "2013-12",
                "2013-12-01",
                "2014-01-01",
                Some("2014-01"),
                Some("2013-11"),
            ),
            (
                "2009-W53",
                "2009-12-28",
                "2010-01-04",
                Some("2010-W01"),
                Some("2009-W52"),
            ),
            (
                "2013-01-02",
                "2013-01-02",
                "2013-01-03",
                Some("2013-01-03"),
                Some("2013-01-01"),
            ),
            (
                "2013-01-01-2013-02-01",
                "2013-01-01",
                "2013-02-01",
                None,
                None,
            ),
        ];
        for (text, start, end, next, previous) in cases {
            let interval = DateInterval::parse(text).unwrap();
            assert_eq!(interval.serialize(), text);
            assert_eq!(interval.start().serialize(), start);
            assert_eq!(interval.end().serialize(), end);
            assert_eq!(
                interval.next().map(|next| next.serialize()).as_deref(),
                next
            );
            assert_eq!(
                interval.previous().map(|last| last.serialize()).as_deref(),
                previous
            );
        }
    }

    #[test]
    fn days_are_those_from_start_to_end() {
        let week = DateInterval::parse("2013-W05").unwrap();
        assert_eq!(week.days().count(), 7);
        assert!(week.contains(jiff::civil::date(2013, 2, 3)));
        assert!(!week.contains(jiff::civil::date(2013, 2, 4)));
        assert!(DateInterval::parse("2013-W54").is_err());
    }
}
