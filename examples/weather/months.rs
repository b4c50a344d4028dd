//! Computes the months from the daily report and the hourly temperatures. It knows nothing of tasks.

use std::{collections::BTreeMap, io::Read};

use condotta::Error;

/// What is known of one month; temperatures in degrees Celsius.
#[derive(Debug, PartialEq)]
pub(crate) struct Month {
    /// As in `2012-01`.
    pub(crate) month: String,
    /// Days on which anything fell from the sky.
    pub(crate) rain_days: u32,
    /// All that fell, in millimetres.
    pub(crate) precipitation: f64,
    /// The highest temperature of any day.
    pub(crate) highest: f64,
    /// The lowest temperature of any day.
    pub(crate) lowest: f64,
    /// What is usual in this month of the year: the mean of the hourly temperatures.
    pub(crate) normal: f64,
}

/// A line of the report: date, precipitation, highest, lowest, wind, weather.
type Day = (String, f64, f64, f64, f64, String);

/// Joins the days of the report, by month, with what is usual in that month of the year.
pub(crate) fn by_month(report: impl Read, temperatures: impl Read) -> Result<Vec<Month>, Error> {
    let normals = normals(temperatures)?;
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    for day in csv::Reader::from_reader(report).deserialize() {
        let (date, precipitation, highest, lowest, _, _): Day = day?;
        let (year, rest) = date
            .split_once('/')
            .ok_or_else(|| format!("{date:?} is no date"))?;
        let month_of_year = rest.split('/').next().unwrap_or_default();
        let normal = normals
            .get(month_of_year)
            .ok_or_else(|| format!("no temperatures for month {month_of_year:?} of {date:?}"))?;
        let name = format!("{year}-{month_of_year}");
        let month = months.entry(name.clone()).or_insert_with(|| Month {
            month: name,
            rain_days: 0,
            precipitation: 0.0,
            highest,
            lowest,
            normal: *normal,
        });
        month.rain_days += u32::from(precipitation > 0.0);
        month.precipitation += precipitation;
        month.highest = month.highest.max(highest);
        month.lowest = month.lowest.min(lowest);
    }
    Ok(months.into_values().collect())
}

/// The mean temperature of each month of the year, from lines of time and degrees Fahrenheit.
fn normals(temperatures: impl Read) -> Result<BTreeMap<String, f64>, Error> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for hour in csv::Reader::from_reader(temperatures).deserialize() {
        let (measured_at, fahrenheit): (String, f64) = hour?;
        let month = measured_at
            .get(5..7)
            .ok_or_else(|| format!("{measured_at:?} is no time"))?;
        let (sum, count) = sums.entry(month.to_owned()).or_default();
        *sum += (fahrenheit - 32.0) * 5.0 / 9.0;
        *count += 1.0;
    }
    let mean = |(month, (sum, count))| (month, sum / count);
    Ok(sums.into_iter().map(mean).collect())
}
