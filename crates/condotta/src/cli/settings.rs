//! What a process was told: flags, configuration files, and the program's own defaults, as one.
//!
//! The order is Luigi's: command line, section of the configuration, old place in the
//! configuration, default. Knows nothing of what the values are for.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use condotta_config::{Config, ConfigError, Entry};
use condotta_programs::engine::Plan;

use super::{
    parse::CommandLine,
    sections::{self, Key, Kind},
    suggest,
};
use crate::{
    class::{Origin, ParamSource, ParamSpec, TaskClass},
    parameter::Parameter,
};

/// Flags, configuration and defaults of a process.
#[derive(Debug)]
pub(crate) struct Settings {
    config: Config,
    line: CommandLine,
    /// Said by the program: before everything else.
    overrides: BTreeMap<(&'static str, &'static str), String>,
    /// Said by the program: where nobody else says anything.
    defaults: BTreeMap<(&'static str, &'static str), String>,
    /// Old names that were warned of.
    warned: Mutex<HashSet<String>>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("[{section}] {name} is {value:?} ({origin}): {reason}")]
    Invalid {
        section: &'static str,
        name: &'static str,
        value: String,
        origin: String,
        reason: String,
    },
    #[error("[resources] {name} is {limit}: a limit is not negative")]
    Resource { name: String, limit: i64 },
}

impl Settings {
    pub(crate) fn new(config: Config, line: CommandLine) -> Self {
        Self {
            config,
            line,
            overrides: BTreeMap::new(),
            defaults: BTreeMap::new(),
            warned: Mutex::default(),
        }
    }

    /// Says a value of the core for this program, whatever flags and files say.
    pub(crate) fn override_core(&mut self, name: &'static str, value: impl ToString) {
        self.overrides.insert(("core", name), value.to_string());
    }

    /// Says a value of the core for this program, where neither flags nor files say one.
    pub(crate) fn default_core(&mut self, name: &'static str, value: impl ToString) {
        self.defaults.insert(("core", name), value.to_string());
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn line(&self) -> &CommandLine {
        &self.line
    }

    /// The value of a key of Luigi's own sections; `None` where the default is nothing.
    pub(crate) fn get<T: Parameter>(
        &self,
        section: &'static str,
        name: &'static str,
    ) -> Result<Option<T>, SettingError> {
        let key = sections::key(section, name).expect("every key that is read is in the table");
        let Some((value, origin)) = self.text(key)? else {
            return Ok(None);
        };
        let invalid = |reason: String| SettingError::Invalid {
            section,
            name,
            value: value.clone(),
            origin: origin.clone(),
            reason,
        };
        if let Kind::Choice(choices) = key.kind
            && !choices.contains(&value.as_str())
        {
            return Err(invalid(format!("choose one of {}", choices.join(", "))));
        }
        match T::parse(&value) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err(invalid(reason.to_string())),
        }
    }

    /// The value of a key that always has one.
    pub(crate) fn require<T: Parameter>(
        &self,
        section: &'static str,
        name: &'static str,
    ) -> Result<T, SettingError> {
        Ok(self
            .get(section, name)?
            .expect("keys with a default have a value"))
    }

    /// Looks for keys that nobody reads and values that cannot be read, in all sections that are
    /// known to this program.
    pub(crate) fn check(&self, classes: &[&'static TaskClass]) -> Result<(), SettingError> {
        for class in classes {
            let known: Vec<&str> = (class.params)().iter().map(|param| param.name).collect();
            self.check_section(&(class.family)(), &known, class.build.is_some())?;
        }
        let mut names: Vec<&str> = sections::KEYS.iter().map(|key| key.section).collect();
        names.dedup();
        for name in names {
            let in_section = sections::KEYS.iter().filter(|key| key.section == name);
            let known: Vec<&str> = in_section.map(|key| key.name).collect();
            self.check_section(name, &known, false)?;
        }
        self.check_section_names(classes);
        Ok(())
    }

    /// Looks for misspelt sections. One that is not near a known name may be another program's.
    fn check_section_names(&self, classes: &[&'static TaskClass]) {
        let mut known: Vec<String> = classes.iter().map(|class| (class.family)()).collect();
        for class in classes {
            let elsewhere = (class.params)()
                .into_iter()
                .filter_map(|param| param.config);
            known.extend(elsewhere.map(|(section, _)| section.to_owned()));
        }
        let own = sections::KEYS.iter().map(|key| key.section);
        let old = sections::KEYS.iter().filter_map(|key| key.old);
        let others = sections::READ_ELSEWHERE.iter().copied();
        let own = own.chain(old.map(|(section, _)| section)).chain(others);
        known.extend(own.map(str::to_owned));
        for section in self.config.section_names() {
            if Plan::reads(section) || known.iter().any(|name| name == section) {
                continue;
            }
            let near = suggest::nearest(section, known.iter().map(String::as_str));
            let entries = self.config.section(section).unwrap_or_default();
            if let (Some(near), Some((_, first))) = (near, entries.first()) {
                self.warn_once(format!(
                    "{}: nothing in this program reads section [{section}]; did you mean [{near}]?",
                    first.origin
                ));
            }
        }
    }

    fn check_section(
        &self,
        section: &str,
        known: &[&str],
        is_task: bool,
    ) -> Result<(), SettingError> {
        for (key, entry) in self.config.section(section)? {
            let key = key.replace('-', "_");
            if !known.contains(&key.as_str()) && !read_elsewhere(section, &key) {
                self.warn_once(ignored(section, &key, &entry, known, is_task));
            }
        }
        Ok(())
    }

    /// The text of a key, and where it was said.
    fn text(&self, key: &Key) -> Result<Option<(String, String)>, ConfigError> {
        let here = (key.section, key.name);
        if let Some(text) = self.overrides.get(&here) {
            return Ok(Some((text.clone(), "set by the program".to_owned())));
        }
        if let Some(text) = self.line.qualified(key.section, key.name) {
            return Ok(Some((text.to_owned(), format!("--{}", key.long()))));
        }
        if let Some(entry) = self.config.get(key.section, key.name)? {
            return Ok(Some(said(&entry)));
        }
        if let Some(entry) = self.old(key)? {
            return Ok(Some(said(&entry)));
        }
        let default = self.defaults.get(&here).map(String::as_str);
        Ok(default
            .or(key.default)
            .map(|text| (text.to_owned(), "default".to_owned())))
    }

    /// What older configurations say of a key.
    fn old(&self, key: &Key) -> Result<Option<Entry>, ConfigError> {
        let Some((section, name)) = key.old else {
            return Ok(None);
        };
        let entry = self.config.get(section, name)?;
        if entry.is_some() {
            self.warn_once(format!(
                "The use of the configuration [{section}] {name} is deprecated. Please use [{}] {}",
                key.section, key.name
            ));
        }
        Ok(entry)
    }

    fn warn_once(&self, warning: String) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.contains(&warning) {
            tracing::warn!("{warning}");
            warned.insert(warning);
        }
    }
}

/// The warning of a key that nobody reads; of a task's section in Luigi's words.
fn ignored(section: &str, key: &str, entry: &Entry, known: &[&str], is_task: bool) -> String {
    let hint = match suggest::nearest(key, known.iter().copied()) {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    };
    let origin = &entry.origin;
    if is_task {
        let value = entry.value.to_text();
        format!(
            "The configuration contains the parameter '{key}' with value '{value}' that is not consumed by the task '{section}'. ({origin}{hint})"
        )
    } else {
        format!("{origin}: section [{section}] has no key {key}, which is ignored{hint}")
    }
}

fn said(entry: &Entry) -> (String, String) {
    (entry.value.to_text(), entry.origin.to_string())
}

/// Keys that are no parameters of their section, but are not without meaning either.
fn read_elsewhere(section: &str, key: &str) -> bool {
    let listed = sections::CONFIG_ONLY
        .iter()
        .any(|(name, keys)| *name == section && keys.contains(&key));
    let old_name = || {
        sections::KEYS
            .iter()
            .filter_map(|key| key.old)
            .any(|(name, old)| name == section && old.replace('-', "_") == key)
    };
    listed || old_name()
}

impl ParamSource for Settings {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        if let Some(text) = self.line.qualified(family, param.name) {
            return Some((vec![text.to_owned()], Origin::CommandLine));
        }
        // Values that cannot be read stopped the program in `check`.
        let said = |section: &str, name: &str| {
            let entry = self.config.get(section, name).ok().flatten()?;
            let place = format!("{}, section [{section}]", entry.origin);
            Some((vec![entry.value.to_text()], Origin::Config(Some(place))))
        };
        let elsewhere = || param.config.and_then(|(section, name)| said(section, name));
        said(family, param.name).or_else(elsewhere)
    }
}

/// What the root task is built from: its own flags before everything else.
pub(crate) struct RootSource<'a> {
    pub(crate) family: &'a str,
    pub(crate) settings: &'a Settings,
}

impl ParamSource for RootSource<'_> {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        let own = self.settings.line.given.get(param.name);
        match own.filter(|text| family == self.family && !text.is_empty()) {
            Some(text) => Some((vec![text.clone()], Origin::Given)),
            None => self.settings.given(family, param),
        }
    }
}

/// Settings for the whole process.
pub(crate) struct Shared(pub(crate) std::sync::Arc<Settings>);

impl ParamSource for Shared {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        self.0.given(family, param)
    }
}

#[cfg(test)]
mod tests {

    use super::{
        super::{flags::Flags, test_classes::*},
        *,
    };
    use crate::class::FlagKind;

    fn settings(config: &str, arguments: &str) -> Settings {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let flags = Flags::new(&CLASSES, Some(&ALPHA));
        let line = CommandLine::read_strictly(&flags, &arguments).unwrap();
        Settings::new(config.parse().unwrap(), line)
    }

    #[test]
    fn flags_win_over_the_section_over_old_names_over_defaults() {
        let interval = |config, arguments| {
            let settings = settings(config, arguments);
            settings.require::<f64>("worker", "wait_interval").unwrap()
        };
        let both = "[worker]\nwait_interval = 2\n[core]\nworker-wait-interval = 3\n";
        assert_eq!(interval(both, "Alpha --worker-wait-interval 1.5"), 1.5);
        assert_eq!(interval(both, "Alpha"), 2.0);
        assert_eq!(interval("[core]\nworker-wait-interval = 3\n", "Alpha"), 3.0);
        assert_eq!(interval("", "Alpha"), 1.0);
    }

    #[test]
    fn the_program_has_the_first_and_the_last_word() {
        let mut settings = settings("[core]\nworkers = 2\n", "Alpha --log-level INFO");
        settings.default_core("workers", 8);
        settings.default_core("lock_size", 3);
        settings.override_core("log_level", "ERROR");
        assert_eq!(settings.require::<u64>("core", "workers").unwrap(), 2);
        assert_eq!(settings.require::<u64>("core", "lock_size").unwrap(), 3);
        assert_eq!(
            settings.require::<String>("core", "log_level").unwrap(),
            "ERROR"
        );
    }

    #[test]
    fn an_error_says_where_the_value_is_from() {
        let settings = settings(
            "[worker]\ntimeout = soon\n[core]\nlog_level = LOUD\n",
            "Alpha --workers many",
        );
        let error = |section, name| {
            let result = settings.get::<String>(section, name);
            result.map(|_| ()).unwrap_err().to_string()
        };
        let number = settings
            .get::<u64>("core", "workers")
            .unwrap_err()
            .to_string();
        assert!(
            number.starts_with("[core] workers is \"many\" (--workers): "),
            "{number}"
        );
        let number = settings
            .get::<u64>("worker", "timeout")
            .unwrap_err()
            .to_string();
        assert!(number.contains("(configuration text:2)"), "{number}");
        let choice = error("core", "log_level");
        assert!(
            choice.contains("choose one of NOTSET, DEBUG, INFO"),
            "{choice}"
        );
    }

    #[test]
    fn parameters_come_from_flags_of_their_class_then_from_its_section() {
        let settings = settings("[deep.Beta]\ntext = file\n", "Alpha --Alpha-text flag");
        let text = param("text", FlagKind::Value, None);
        assert_eq!(
            settings.given("Alpha", &text),
            Some((vec!["flag".to_owned()], Origin::CommandLine))
        );
        let (texts, origin) = settings.given("deep.Beta", &text).unwrap();
        assert_eq!(texts, ["file"]);
        let place = "configuration text:2, section [deep.Beta]";
        assert_eq!(origin, Origin::Config(Some(place.to_owned())));
        assert_eq!(
            settings.given("Alpha", &param("loud", FlagKind::Switch, None)),
            None
        );
    }

    #[test]
    fn short_flags_are_the_root_tasks_alone() {
        let settings = settings(
            "",
            "Alpha --text own --Alpha-text class --deep.Beta-text beta",
        );
        let source = RootSource {
            family: "Alpha",
            settings: &settings,
        };
        let text = param("text", FlagKind::Value, None);
        assert_eq!(
            source.given("Alpha", &text),
            Some((vec!["own".to_owned()], Origin::Given))
        );
        let (texts, _) = source.given("deep.Beta", &text).unwrap();
        assert_eq!(texts, ["beta"]);
    }

    #[test]
    fn a_value_that_cannot_be_read_is_found_before_anything_runs() {
        let settings = settings("[Alpha]\ntext = %(nowhere)s\n", "Alpha");
        let error = settings.check(&CLASSES).unwrap_err().to_string();
        assert!(error.contains("[Alpha] text"), "{error}");
    }
}
