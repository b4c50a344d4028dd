//! Who is let in: keys of section `[scheduler]`.

use std::time::Duration;

use condotta_server::access::{AccessConfig, Authentication};

use super::{Section, SettingError};

/// Reads them. Where the tokens are is not among them.
pub(super) fn access(section: &Section<'_>) -> Result<AccessConfig, SettingError> {
    let mut access = AccessConfig::default();
    let key = "authentication";
    access.authentication = match section.text(key)?.as_deref() {
        None | Some("auto") => Authentication::Auto,
        Some("always") => Authentication::Always,
        Some("never") => Authentication::Never,
        Some(_) => return Err(section.invalid(key, "auto, always or never")),
    };
    let key = "failed_tokens_per_minute";
    let mut count = u64::from(access.failures_per_minute);
    section.count(key, &mut count)?;
    access.failures_per_minute = u32::try_from(count).unwrap_or(u32::MAX);
    let key = "session_hours";
    let mut hours = access.session.as_secs_f64() / 3600.0;
    section.number(key, &mut hours)?;
    // A year is for ever here, and no clock overflows by it.
    let session = Duration::try_from_secs_f64(hours.min(8760.0) * 3600.0);
    access.session = session.map_err(|_| section.invalid(key, "a number of hours"))?;
    Ok(access)
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    #[test]
    fn who_is_let_in_is_read() {
        let plain = settings("").unwrap().access;
        assert_eq!(plain.authentication, Authentication::Auto);
        let said = settings(
            "[scheduler]\nauthentication = always\nfailed_tokens_per_minute = 3\nsession_hours = 0.5\n",
        );
        let said = said.unwrap().access;
        assert_eq!(said.authentication, Authentication::Always);
        assert_eq!(said.failures_per_minute, 3);
        assert_eq!(said.session, Duration::from_mins(30));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (text, expected) in [
            ("authentication = yes", "auto, always or never"),
            ("failed_tokens_per_minute = -1", "a whole number"),
            ("session_hours = -1", "a number of hours"),
        ] {
            let error = settings(&format!("[scheduler]\n{text}\n")).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
