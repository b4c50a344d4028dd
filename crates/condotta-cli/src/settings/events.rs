//! What the event stream of `/api/v1/events` may take: section `[events]`.

use std::time::Duration;

use condotta_config::Config;
use condotta_server::api::EventsConfig;

use super::{Section, SettingError};

/// What the configuration says about it, and what is said and has no effect.
pub(super) fn events(config: &Config) -> Result<(EventsConfig, Vec<String>), SettingError> {
    let section = Section::new(config, "events");
    let mut events = EventsConfig::default();
    for (key, size) in [
        ("max_readers", &mut events.max_readers),
        ("kept_events", &mut events.kept_events),
        ("kept_bytes", &mut events.kept_bytes),
        ("max_rate", &mut events.max_rate),
        ("max_rate_in_all", &mut events.max_rate_in_all),
    ] {
        section.positive(key, size)?;
    }
    let mut secs = events.heartbeat.as_secs_f64();
    section.number("heartbeat", &mut secs)?;
    let read = Duration::try_from_secs_f64(secs).ok();
    // A stream that is silent for longer is closed by proxies, and nobody notices who is gone.
    let fitting = read.filter(|time| !time.is_zero() && secs <= 3600.0);
    let expected = "a number of seconds above 0, up to 3600";
    events.heartbeat = fitting.ok_or_else(|| section.invalid("heartbeat", expected))?;
    Ok((events, section.unread()?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    #[test]
    fn limits_are_read() {
        let text = "[events]\nmax_readers = 5\nkept_events = 10\nkept_bytes = 1000\nmax_rate = 7\n\
                    max_rate_in_all = 70\nheartbeat = 0.5\nmax_reader = 1\n";
        let settings = settings(text).unwrap();
        let events = settings.events;
        assert_eq!((events.max_readers, events.kept_events), (5, 10));
        assert_eq!((events.kept_bytes, events.max_rate), (1000, 7));
        assert_eq!(events.max_rate_in_all, 70);
        assert_eq!(events.heartbeat, Duration::from_millis(500));
        assert!(settings.warnings[0].contains("no key max_reader"));
    }

    #[test]
    fn what_would_tell_nobody_anything_is_refused() {
        for text in [
            "max_readers = 0",
            "heartbeat = 0",
            "heartbeat = inf",
            "max_rate = -1",
        ] {
            let error = settings(&format!("[events]\n{text}\n")).unwrap_err();
            assert!(error.contains("above 0"), "{error}");
        }
    }
}
