//! How much is kept of what attempts print: section `[logs]`.

use std::time::Duration;

use condotta_config::Config;
use condotta_server::logs::LogsConfig;

use super::{Section, SettingError};

/// The least that makes sense for one attempt.
const LEAST_BYTES: u64 = 4096;
const DAY_SECS: u64 = 24 * 3600;

/// Reads it; with a warning of each key that does not exist.
pub(super) fn logs(config: &Config) -> Result<(LogsConfig, Vec<String>), SettingError> {
    let section = Section::new(config, "logs");
    let mut logs = LogsConfig::default();
    section.flag("enabled", &mut logs.enabled)?;
    section.count("attempt_bytes", &mut logs.attempt_bytes)?;
    if logs.attempt_bytes < LEAST_BYTES {
        return Err(section.invalid("attempt_bytes", "a whole number of at least 4096"));
    }
    section.count("total_bytes", &mut logs.total_bytes)?;
    if logs.total_bytes < logs.attempt_bytes {
        return Err(section.invalid("total_bytes", "at least as much as attempt_bytes"));
    }
    let mut days = logs.keep.as_secs() / DAY_SECS;
    section.count("keep_days", &mut days)?;
    let secs = days.checked_mul(DAY_SECS).filter(|&secs| secs > 0);
    let secs = secs.ok_or_else(|| section.invalid("keep_days", "a whole number above 0"))?;
    logs.keep = Duration::from_secs(secs);
    Ok((logs, section.unread()?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    #[test]
    fn limits_are_read() {
        let text =
            "[logs]\nenabled = false\nattempt_bytes = 5000\ntotal_bytes = 6000\nkeep_days = 2\n";
        let expected = LogsConfig {
            enabled: false,
            attempt_bytes: 5000,
            total_bytes: 6000,
            keep: Duration::from_secs(2 * DAY_SECS),
        };
        assert_eq!(settings(text).unwrap().logs, expected);
        assert_eq!(settings("").unwrap().logs, LogsConfig::default());
    }

    #[test]
    fn what_would_keep_nothing_is_refused() {
        for text in [
            "attempt_bytes = 1",
            "total_bytes = 5",
            "keep_days = 0",
            "enabled = x",
        ] {
            assert!(settings(&format!("[logs]\n{text}\n")).is_err(), "{text}");
        }
    }
}
