//! A length of time, as Luigi's `TimeDeltaParameter` reads and writes it.

use std::time::Duration;

use super::{Parameter, ParseError};

/// The units from the longest to the shortest: the words, and the seconds in each.
const UNITS: [(&str, u64); 5] = [
    ("weeks", 604_800),
    ("days", 86_400),
    ("hours", 3600),
    ("minutes", 60),
    ("seconds", 1),
];

impl Parameter for Duration {
    const FORM: &'static str = "SECONDS|1h30m|PT1H30M";

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        plain_seconds(text)
            .or_else(|| iso_8601(text))
            .or_else(|| in_words(text))
            .ok_or_else(|| {
                ParseError::new(
                    "expected seconds, words as in `1 week 2 d 3 hours`, or ISO 8601 as in PT3H",
                )
            })
    }

    /// Always all five units. Luigi leaves fractions of a second away; here they stay, so that the
    /// text reads back as the same length.
    fn serialize(&self) -> String {
        let mut rest = self.as_secs();
        let mut text = String::new();
        for (unit, seconds) in UNITS {
            let count = rest / seconds;
            rest %= seconds;
            let fraction = match self.subsec_nanos() {
                nanos if nanos > 0 && unit == "seconds" => {
                    format!(".{nanos:09}").trim_end_matches('0').to_owned()
                }
                _ => String::new(),
            };
            let space = if text.is_empty() { "" } else { " " };
            text.push_str(&format!("{space}{count}{fraction} {}", &unit[..1]));
        }
        text
    }
}

fn plain_seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(f64::parse(text).ok()?).ok()
}

/// `PnW`, or `PnDTnHnMnS` where each part may be absent, but not all.
fn iso_8601(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('P')?;
    let (days, times) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((days, times)) => (days, times),
        None => (text, ""),
    };
    let words = |text: &str, units: &str| -> Option<String> {
        let allowed = text
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || units.contains(c));
        allowed.then(|| text.to_ascii_lowercase())
    };
    in_words(&(words(days, "WD")? + &words(times, "HMS")?))
}

/// Counts with units, from the longest to the shortest; a unit is its first letter, its word, or
/// its word without the `s`.
fn in_words(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut units = UNITS.iter();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let after = after.trim_start();
        let word_end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (word, after) = after.split_at(word_end);
        let (name, seconds) = units.find(|(name, _)| {
            word == &name[..1] || word == *name || word == &name[..name.len() - 1]
        })?;
        total = total.checked_add(counted(number, *name == "seconds", *seconds)?)?;
        rest = after.trim_start();
    }
    Some(total)
}

/// Only seconds have fractions.
fn counted(number: &str, fractions: bool, seconds: u64) -> Option<Duration> {
    match number.split_once('.') {
        None => number
            .parse::<u64>()
            .ok()?
            .checked_mul(seconds)
            .map(Duration::from_secs),
        Some((whole, fraction)) if fractions && (1..=9).contains(&fraction.len()) => {
            let nanos = format!("{fraction:0<9}").parse().ok()?;
            Some(Duration::new(whole.parse().ok()?, nanos))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let cases = [
            ("90", 90_000),
            ("1.5", 1500),
            ("1 week 2 d 3 hours 4 m 5 s", 788_645_000),
            ("1w2days", 777_600_000),
            ("1 hour", 3_600_000),
            ("0 w 0 d 0 h 0 m 1.25 s", 1250),
            ("PT3H", 10_800_000),
            ("P1W", 604_800_000),
            ("P1W2D", 777_600_000),
            ("P2DT1M5S", 172_865_000),
            ("PT0S", 0),
            ("0", 0),
        ];
        for (text, millis) in cases {
            assert_eq!(
                Duration::parse(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_luigi_reads_only_in_part_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "2 s 1 h",
            "1 fortnight",
            "3 h and more",
            "1.5 h",
            "-1",
            "nan",
            "P1M",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_units_are_written_and_no_fraction_is_lost() {
        let cases = [
            (
                Duration::from_secs(9 * 86_400 + 3725),
                "1 w 2 d 1 h 2 m 5 s",
            ),
            (Duration::ZERO, "0 w 0 d 0 h 0 m 0 s"),
            (Duration::from_millis(1500), "0 w 0 d 0 h 0 m 1.5 s"),
            (Duration::from_nanos(1), "0 w 0 d 0 h 0 m 0.000000001 s"),
        ];
        for (value, text) in cases {
            assert_eq!(value.serialize(), text);
            assert_eq!(Duration::parse(text), Ok(value));
        }
    }
}
