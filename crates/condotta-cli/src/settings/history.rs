//! Section `[history]`, and what Luigi says of its own history.

use std::path::Path;

use condotta_config::Config;
use condotta_history::{Address, Settings};

use super::{Section, SettingError, origin};

/// The file of the history in the state's directory.
const FILE: &str = "history.sqlite";

/// How the history is kept.
#[derive(Clone, Debug)]
pub(crate) struct HistorySettings {
    /// Where, if not beside the state.
    address: Option<Address>,
    /// All the rest.
    rest: Settings,
}

impl HistorySettings {
    /// The same, with a place.
    pub(crate) fn beside(&self, state_dir: &Path) -> Settings {
        let address = self.address.clone();
        Settings {
            address: address.unwrap_or_else(|| Address::file(&state_dir.join(FILE))),
            ..self.rest.clone()
        }
    }
}

/// How the history is kept; `None` when it is not. Warnings are added for keys that nobody reads.
pub(super) fn history(
    config: &Config,
    scheduler: &Section<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<HistorySettings>, SettingError> {
    let section = Section::new(config, "history");
    let mut enabled = true;
    scheduler.flag("record_task_history", &mut enabled)?;
    let luigi_asks = scheduler.text("record_task_history")?.is_some() && enabled;
    section.flag("enabled", &mut enabled)?;
    let mut rest = Settings::new(Address::file(Path::new(FILE)));
    section.count("keep_days", &mut rest.keep_days)?;
    section.count("keep_totals_days", &mut rest.keep_totals_days)?;
    scaled(&section, "max_mb", 20, &mut rest.max_bytes)?;
    scaled(&section, "backlog_mb", 20, &mut rest.backlog_bytes)?;
    scaled(&section, "max_text_kb", 10, &mut rest.max_text_bytes)?;
    let mut address = address(config, &section, "url")?;
    if address.is_none() && luigi_asks {
        let luigis = Section::new(config, "task_history");
        address = self::address(config, &luigis, "db_connection")?;
    }
    warnings.extend(section.unread()?);
    Ok(enabled.then_some(HistorySettings { address, rest }))
}

/// A number of kilobytes or megabytes, as bytes.
fn scaled(
    section: &Section<'_>,
    key: &'static str,
    shift: u32,
    bytes: &mut u64,
) -> Result<(), SettingError> {
    let mut units = *bytes >> shift;
    section.count(key, &mut units)?;
    *bytes = units.saturating_mul(1 << shift);
    Ok(())
}

fn address(
    config: &Config,
    section: &Section<'_>,
    key: &'static str,
) -> Result<Option<Address>, SettingError> {
    let Some(url) = section.text(key)?.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let parsed = Address::parse(&url);
    // The text itself may hold a password.
    let address = parsed.map_err(|source| SettingError::Address {
        origin: origin(config, &section.name, key),
        section: section.name.to_string(),
        key,
        source,
    })?;
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings as All;

    fn place(text: &str) -> Option<String> {
        let config: Config = text.parse().unwrap();
        let history = All::new(&config).unwrap().history?;
        Some(
            history
                .beside(Path::new("/state"))
                .address
                .place()
                .to_owned(),
        )
    }

    #[test]
    fn it_is_kept_beside_the_state_unless_another_place_is_said() {
        for (text, expected) in [
            ("", Some("/state/history.sqlite")),
            ("[history]\nenabled = false\n", None),
            ("[scheduler]\nrecord_task_history = false\n", None),
            (
                "[scheduler]\nrecord_task_history = false\n[history]\nenabled = true\n",
                Some("/state/history.sqlite"),
            ),
            ("[history]\nurl = sqlite:////srv/h\n", Some("/srv/h")),
            (
                "[scheduler]\nrecord_task_history = true\n[task_history]\n\
                 db_connection = mysql+pymysql://u:p@db/luigi\n",
                Some("mysql://db/luigi"),
            ),
            (
                "[task_history]\ndb_connection = mysql://u:p@db/luigi\n",
                Some("/state/history.sqlite"),
            ),
            (
                "[scheduler]\nrecord_task_history = true\n[task_history]\n\
                 db_connection = mysql://u:p@db/luigi\n[history]\nurl = postgresql://db/h\n",
                Some("postgresql://db/h"),
            ),
        ] {
            assert_eq!(place(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn bounds_are_read_in_their_units() {
        let text = "[history]\nkeep_days = 7\nkeep_totals_days = 8\nmax_mb = 9\nbacklog_mb = 1\nmax_text_kb = 2\n";
        let config: Config = text.parse().unwrap();
        let all = All::new(&config).unwrap();
        let settings = all.history.unwrap().beside(Path::new("/state"));
        assert_eq!((settings.keep_days, settings.keep_totals_days), (7, 8));
        assert_eq!(settings.max_bytes, 9 << 20);
        assert_eq!(settings.backlog_bytes, 1 << 20);
        assert_eq!(settings.max_text_bytes, 2 << 10);
        assert_eq!(all.warnings, Vec::<String>::new());
    }

    #[test]
    fn an_address_that_is_none_is_not_repeated() {
        for text in [
            "[history]\nurl = oracle://me:secret@db/x\n",
            "[scheduler]\nrecord_task_history = 1\n[task_history]\ndb_connection = me:secret@db\n",
        ] {
            let config: Config = text.parse().unwrap();
            let error = All::new(&config).unwrap_err().to_string();
            assert!(error.contains("text:"), "{error}");
            assert!(error.contains("write sqlite:///"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
