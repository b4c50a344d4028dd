//! Moments and lengths of time as people read them.

use jiff::{Timestamp, tz::TimeZone};

/// A moment in the machine's time zone, with how long ago it is, or how soon it comes.
pub(crate) fn moment(at: f64, now: f64) -> String {
    format!("{} ({})", clock(at, now), relative(at, now))
}

/// How long ago a moment is, or how soon it comes.
pub(crate) fn relative(at: f64, now: f64) -> String {
    let secs = now - at;
    match secs {
        secs if secs >= 1.0 => format!("{} ago", length(secs)),
        secs if secs <= -1.0 => format!("in {}", length(-secs)),
        _ => "now".to_owned(),
    }
}

/// Of today the time, of other days the date, too.
fn clock(at: f64, now: f64) -> String {
    let zone = TimeZone::system();
    let zoned = |secs: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is beyond the range of moments is none"
        )]
        let moment = Timestamp::from_second(secs as i64);
        moment.map(|moment| moment.to_zoned_datetime(zone.clone()))
    };
    match (zoned(at), zoned(now)) {
        (Ok(at), Ok(now)) if at.date() == now.date() => at.strftime("%H:%M:%S").to_string(),
        (Ok(at), _) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        _ => format!("second {at}"),
    }
}

/// The time of day now.
pub(crate) fn clock_now() -> String {
    let now = Timestamp::now().to_zoned_datetime(TimeZone::system());
    now.strftime("%H:%M:%S").to_string()
}

/// In the two units that say most: `3d 4h`, `12m 5s`.
pub(crate) fn length(secs: f64) -> String {
    const UNITS: [(u64, &str); 4] = [(86400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and a length of ages may be cut"
    )]
    let mut rest = secs as u64;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || (!parts.is_empty() && parts.len() < 2) || (unit == 1 && parts.is_empty()) {
            parts.push((count, name));
        }
        if parts.len() == 2 {
            break;
        }
    }
    let texts = parts.iter().enumerate();
    let texts = texts.filter(|(at, (count, _))| *at == 0 || *count > 0);
    let texts: Vec<String> = texts
        .map(|(_, (count, name))| format!("{count}{name}"))
        .collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units_at_most() {
        for (secs, text) in [
            (0.4, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (61.0, "1m 1s"),
            (3600.0, "1h"),
            (3661.0, "1h 1m"),
            (90_000.0, "1d 1h"),
            (86_401.0, "1d"),
        ] {
            assert_eq!(length(secs), text);
        }
    }

    #[test]
    fn moments_are_before_after_or_now() {
        assert_eq!(relative(100.0, 161.0), "1m 1s ago");
        assert_eq!(relative(161.0, 100.0), "in 1m 1s");
        assert_eq!(relative(100.2, 100.0), "now");
        assert!(moment(100.0, 161.0).ends_with(":40 (1m 1s ago)"));
        assert!(moment(100.0, 1e9).starts_with("19"));
    }
}
