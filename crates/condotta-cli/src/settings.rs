//! What luigi.cfg says to the server: sections `[scheduler]`, `[resources]`, `[cors]` and `[prometheus]`;
//! `settings/` has the topics with sections of their own.
//!
//! The defaults are those of the types that are filled in. A key that nobody asks for is a key that
//! nobody reads, so there is no list of them.

pub(crate) mod access;
mod events;
mod history;
mod logs;
mod mail;
pub(crate) mod serving;
mod webhooks;

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use condotta_config::{Config, ConfigError, Entry, Syntax, Value};
use condotta_server::{
    access::AccessConfig, http::Cors, logs::LogsConfig, metrics::MetricsConfig,
    notify::NotifyConfig,
};

use self::serving::Serving;
use crate::{
    arguments::SchedulerArguments,
    error::{Failure, Kind},
};

pub(crate) use history::HistorySettings;

/// What the configuration says.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) scheduler: condotta_scheduler::Config,
    /// How much there is of each resource.
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) cors: Cors,
    /// Who is let in.
    pub(crate) access: AccessConfig,
    /// How connections and requests are taken in.
    pub(crate) serving: Serving,
    /// What the event stream may take.
    pub(crate) events: condotta_server::api::EventsConfig,
    /// How much is kept of what attempts print.
    pub(crate) logs: LogsConfig,
    /// Where the state is kept.
    pub(crate) state_dir: Option<PathBuf>,
    /// What `/metrics` shows.
    pub(crate) metrics: Option<MetricsConfig>,
    /// Who is told what happens.
    pub(crate) notify: NotifyConfig,
    /// How the history of attempts is kept.
    pub(crate) history: Option<HistorySettings>,
    /// What is said and has no effect.
    pub(crate) warnings: Vec<String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{origin}: [{section}] {key} is {value}: write {expected}")]
    Invalid {
        origin: String,
        section: String,
        key: String,
        value: String,
        expected: &'static str,
    },
    #[error("{origin}: [{section}] {key}: write {expected}")]
    Secret {
        origin: String,
        section: String,
        key: &'static str,
        expected: &'static str,
    },
    #[error("{origin}: [{section}] {key}: {source}")]
    Address {
        origin: String,
        section: String,
        key: &'static str,
        source: condotta_history::BadAddress,
    },
}

/// The configuration in Luigi's places, and then in these files.
pub(crate) fn load(files: &[PathBuf]) -> Result<Config, ConfigError> {
    let mut config = Config::load_default()?;
    for file in files {
        config.read(file)?;
    }
    Ok(config)
}

/// The configuration of a server: in Luigi's places, then what its launcher says, then its own files.
pub(crate) fn load_for(arguments: &SchedulerArguments) -> Result<Config, ConfigError> {
    let mut config = Config::load_default()?;
    let launcher = arguments.launcher.iter();
    for (section, key, value) in launcher.flat_map(|launcher| &launcher.settings) {
        say(&mut config, section, key, value)?;
    }
    for file in &arguments.config {
        config.read(file)?;
    }
    Ok(config)
}

/// Says what a launcher says, unless the files say so too: they are where one would look for it.
fn say(config: &mut Config, section: &str, key: &str, value: &str) -> Result<(), ConfigError> {
    let said = config.get_text(section, key).ok().flatten();
    if said.as_deref() == Some(value) {
        return Ok(());
    }
    // It is a value, in which `%` stands for itself.
    let is_ini = config.syntax() == Syntax::Ini;
    config.set(
        section,
        key,
        if is_ini {
            value.replace('%', "%%")
        } else {
            value.to_owned()
        },
    )
}

impl Settings {
    pub(crate) fn new(config: &Config) -> Result<Self, SettingError> {
        let section = Section::new(config, "scheduler");
        let scheduler = scheduler(&section)?;
        let state_dir = section.text("state_dir")?.filter(|text| !text.is_empty());
        // Luigid's; the server says how to move over.
        section.text("state_path")?;
        let mut warnings = Vec::new();
        let mut batch_emails = false;
        section.flag("batch_emails", &mut batch_emails)?;
        let public_url = section.text("public_url")?.filter(|url| !url.is_empty());
        let collector = section.text("metrics_collector")?.unwrap_or_default();
        section.text("metrics_custom_import")?;
        let collector = collector.to_lowercase();
        if !["", "default", "none", "prometheus"].contains(&collector.as_str()) {
            warnings.push(format!(
                "[scheduler] metrics_collector = {collector} has no effect: there is prometheus, at /metrics"
            ));
        }
        is_json(&section)?;
        let access = access::access(&section)?;
        let serving = serving::serving(&section)?;
        let history = history::history(config, &section, &mut warnings)?;
        warnings.extend(section.unread()?);
        let section = Section::new(config, "cors");
        let cors = cors(&section)?;
        warnings.extend(section.unread()?);
        let section = Section::new(config, "prometheus");
        let metrics = metrics(&section)?;
        warnings.extend(section.unread()?);
        let (events, more) = events::events(config)?;
        warnings.extend(more);
        let (mail, more) = mail::mail(config, batch_emails)?;
        warnings.extend(more);
        let (webhooks, more) = webhooks::webhooks(config)?;
        warnings.extend(more);
        let (logs, ignored) = logs::logs(config)?;
        warnings.extend(ignored);
        Ok(Self {
            scheduler,
            limits: limits(config)?,
            cors,
            access,
            serving,
            events,
            logs,
            state_dir: state_dir.map(PathBuf::from),
            metrics: (collector != "none").then_some(metrics),
            notify: NotifyConfig {
                mail,
                webhooks,
                public_url,
            },
            history,
            warnings,
        })
    }
}

fn scheduler(section: &Section<'_>) -> Result<condotta_scheduler::Config, SettingError> {
    let mut config = condotta_scheduler::Config::default();
    section.number("retry_delay", &mut config.retry_delay)?;
    section.number("remove_delay", &mut config.remove_delay)?;
    section.number(
        "worker_disconnect_delay",
        &mut config.worker_disconnect_delay,
    )?;
    section.number("disable_window", &mut config.disable_window)?;
    section.count("retry_count", &mut config.retry_count)?;
    section.number("disable_hard_timeout", &mut config.disable_hard_timeout)?;
    section.number("disable_persist", &mut config.disable_persist)?;
    section.count("max_shown_tasks", &mut config.max_shown_tasks)?;
    section.count("max_graph_nodes", &mut config.max_graph_nodes)?;
    section.flag("prune_on_get_work", &mut config.prune_on_get_work)?;
    section.flag("pause_enabled", &mut config.pause_enabled)?;
    section.flag("send_messages", &mut config.send_messages)?;
    let cooldown = &mut config.stable_done_cooldown_secs;
    section.number("stable_done_cooldown_secs", cooldown)?;
    Ok(config)
}

/// Whether the log is to be in JSON.
pub(crate) fn logs_in_json(config: &Config) -> Result<bool, SettingError> {
    is_json(&Section::new(config, "scheduler"))
}

fn is_json(section: &Section<'_>) -> Result<bool, SettingError> {
    let key = "log_format";
    match section.text(key)?.as_deref() {
        None | Some("text") => Ok(false),
        Some("json") => Ok(true),
        Some(_) => Err(section.invalid(key, "text or json")),
    }
}

fn cors(section: &Section<'_>) -> Result<Cors, SettingError> {
    let mut cors = Cors::default();
    section.flag("enabled", &mut cors.enabled)?;
    section.list("allowed_origins", &mut cors.allowed_origins)?;
    section.flag("allow_any_origin", &mut cors.allow_any_origin)?;
    section.flag("allow_null_origin", &mut cors.allow_null_origin)?;
    let mut max_age = u64::try_from(cors.max_age).unwrap_or_default();
    section.count("max_age", &mut max_age)?;
    cors.max_age = i64::try_from(max_age).unwrap_or(i64::MAX);
    for (key, text) in [
        ("allowed_methods", &mut cors.allowed_methods),
        ("allowed_headers", &mut cors.allowed_headers),
        ("exposed_headers", &mut cors.exposed_headers),
    ] {
        if let Some(said) = section.text(key)? {
            *text = said;
        }
    }
    section.flag("allow_credentials", &mut cors.allow_credentials)?;
    Ok(cors)
}

fn metrics(section: &Section<'_>) -> Result<MetricsConfig, SettingError> {
    let mut metrics = MetricsConfig::default();
    let family = &mut metrics.use_task_family_in_labels;
    section.flag("use_task_family_in_labels", family)?;
    let parameters = &mut metrics.task_parameters_to_use_in_labels;
    section.list("task_parameters_to_use_in_labels", parameters)?;
    Ok(metrics)
}

/// The limits of section `[resources]`. Keys of `[DEFAULT]` are none.
pub(crate) fn limits(config: &Config) -> Result<BTreeMap<String, u64>, SettingError> {
    let section = "resources";
    let limit = |(name, limit): (String, i64)| match u64::try_from(limit) {
        Ok(limit) => Ok((name, limit)),
        Err(_) => Err(SettingError::Invalid {
            origin: origin(config, section, &name),
            section: section.to_owned(),
            value: limit.to_string(),
            key: name,
            expected: "a whole number of at least 0",
        }),
    };
    config.int_dict(section)?.into_iter().map(limit).collect()
}

/// The directory of the state: said, or the usual one.
pub(crate) fn state_dir(said: Option<&Path>, settings: &Settings) -> Option<PathBuf> {
    let is_root = nix::unistd::geteuid().is_root();
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    said.map(Path::to_owned)
        .or_else(|| settings.state_dir.clone())
        .or_else(|| usual_state_dir(is_root, variable))
}

/// There is no directory that is the usual one.
pub(crate) fn no_state_dir() -> Failure {
    let text = "there is no place for the state: neither HOME nor XDG_STATE_HOME is set; name a \
                directory with --state-dir";
    Failure::new(Kind::Other, text)
}

fn usual_state_dir(
    is_root: bool,
    variable: impl Fn(&'static str) -> Option<PathBuf>,
) -> Option<PathBuf> {
    if is_root {
        return Some(PathBuf::from("/var/lib/condotta"));
    }
    // The XDG convention ignores relative paths.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
        .map(|folder| folder.join("condotta"))
}

fn origin(config: &Config, section: &str, key: &str) -> String {
    let entry = config.get(section, key).ok().flatten();
    // What is missing stands nowhere.
    let nowhere = || "the configuration".to_owned();
    entry.map_or_else(nowhere, |entry| entry.origin.to_string())
}

/// A section of the configuration, which remembers what it was asked for.
struct Section<'a> {
    config: &'a Config,
    name: Cow<'static, str>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    fn new(config: &'a Config, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            config,
            name: name.into(),
            asked: RefCell::default(),
        }
    }

    fn number(&self, key: &'static str, value: &mut f64) -> Result<(), SettingError> {
        self.ask(key);
        if let Some(said) = self.config.get_float(&self.name, key)? {
            if said.is_nan() {
                return Err(self.invalid(key, "a number"));
            }
            *value = said;
        }
        Ok(())
    }

    fn count(&self, key: &'static str, value: &mut u64) -> Result<(), SettingError> {
        self.ask(key);
        if let Some(said) = self.config.get_int(&self.name, key)? {
            let expected = "a whole number of at least 0";
            *value = u64::try_from(said).map_err(|_| self.invalid(key, expected))?;
        }
        Ok(())
    }

    fn positive(&self, key: &'static str, value: &mut usize) -> Result<(), SettingError> {
        self.ask(key);
        if let Some(said) = self.config.get_int(&self.name, key)? {
            let positive = usize::try_from(said).ok().filter(|&said| said > 0);
            *value = positive.ok_or_else(|| self.invalid(key, "a whole number above 0"))?;
        }
        Ok(())
    }

    fn flag(&self, key: &'static str, value: &mut bool) -> Result<(), SettingError> {
        self.ask(key);
        if let Some(said) = self.config.get_bool(&self.name, key)? {
            *value = said;
        }
        Ok(())
    }

    fn text(&self, key: &'static str) -> Result<Option<String>, SettingError> {
        self.ask(key);
        Ok(self.config.get_text(&self.name, key)?)
    }

    /// A list of texts: JSON in INI files, as Luigi's list parameters have it.
    fn list(&self, key: &'static str, value: &mut Vec<String>) -> Result<(), SettingError> {
        self.ask(key);
        let Some(entry) = self.config.get(&self.name, key)? else {
            return Ok(());
        };
        let read = texts(&entry.value);
        *value = read.ok_or_else(|| self.invalid(key, "a list such as [\"a\", \"b\"]"))?;
        Ok(())
    }

    /// The value, whatever its kind.
    fn value(&self, key: &'static str) -> Result<Option<Value>, SettingError> {
        self.ask(key);
        let entry = self.config.get(&self.name, key)?;
        Ok(entry.map(|entry| entry.value))
    }

    /// One of several words.
    fn choice<T: Copy>(
        &self,
        key: &'static str,
        choices: &[(&str, T)],
        expected: &'static str,
        value: &mut T,
    ) -> Result<(), SettingError> {
        if let Some(said) = self.text(key)? {
            let found = choices.iter().find(|(word, _)| *word == said);
            let (_, choice) = found.ok_or_else(|| self.invalid(key, expected))?;
            *value = *choice;
        }
        Ok(())
    }

    /// A warning of each key that was not asked for.
    fn unread(&self) -> Result<Vec<String>, SettingError> {
        let asked = self.asked.borrow();
        let is_unread =
            |(key, _): &(String, Entry)| !asked.contains(key.replace('-', "_").as_str());
        let entries = self.config.section(&self.name)?.into_iter();
        let warning = |(key, entry): (String, Entry)| {
            let (origin, name) = (entry.origin, &self.name);
            format!("{origin}: section [{name}] has no key {key}, which is ignored")
        };
        Ok(entries.filter(is_unread).map(warning).collect())
    }

    fn ask(&self, key: &'static str) {
        self.asked.borrow_mut().insert(key);
    }

    /// The value cannot be used, and must not be shown.
    fn secret(&self, key: &'static str, expected: &'static str) -> SettingError {
        SettingError::Secret {
            origin: origin(self.config, &self.name, key),
            section: self.name.to_string(),
            key,
            expected,
        }
    }

    fn invalid(&self, key: &str, expected: &'static str) -> SettingError {
        let value = self.config.get_text(&self.name, key).ok().flatten();
        SettingError::Invalid {
            origin: origin(self.config, &self.name, key),
            section: self.name.to_string(),
            key: key.to_owned(),
            value: value.unwrap_or_default(),
            expected,
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(text) => serde_json::from_str(text).ok(),
        Value::Array(values) => values
            .iter()
            .map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn settings(text: &str) -> Result<Settings, String> {
        let config: Config = text.parse().unwrap();
        Settings::new(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_luigis() {
        let settings = settings("").unwrap();
        assert_eq!(settings.scheduler, condotta_scheduler::Config::default());
        assert!(settings.limits.is_empty() && settings.warnings.is_empty());
    }

    #[test]
    fn what_a_launcher_says_has_the_place_of_the_files_that_say_the_same() {
        let mut config: Config = "[scheduler]\nretry_delay = soon\n".parse().unwrap();
        say(&mut config, "scheduler", "retry_delay", "soon").unwrap();
        say(&mut config, "scheduler", "state_dir", "/srv/100%").unwrap();
        let error = Settings::new(&config).unwrap_err().to_string();
        assert!(
            error.contains("text:2: [scheduler] retry_delay is \"soon\""),
            "{error}"
        );
        say(&mut config, "scheduler", "retry_delay", "1").unwrap();
        let settings = Settings::new(&config).unwrap();
        assert_eq!(settings.state_dir, Some(PathBuf::from("/srv/100%")));
        assert_eq!(settings.scheduler.retry_delay, 1.0);
    }

    #[test]
    fn every_section_is_read() {
        let settings = settings(
            "[DEFAULT]\nnoise = 1\n[scheduler]\nretry_delay = 1.5\nretry-count = 3\nstate_dir = /srv/x\n\
             send_messages = false\n[resources]\ngpu = 2\n\
             [cors]\nenabled = true\nallowed_origins = [\"http://a.example\"]\nmax_age = 5\n\
             [prometheus]\ntask_parameters_to_use_in_labels = [\"day\"]\n",
        )
        .unwrap();
        assert_eq!(settings.scheduler.retry_delay, 1.5);
        assert_eq!(settings.scheduler.retry_count, 3);
        assert!(!settings.scheduler.send_messages);
        assert_eq!(settings.state_dir, Some(PathBuf::from("/srv/x")));
        assert_eq!(settings.limits, BTreeMap::from([("gpu".to_owned(), 2)]));
        assert!(settings.cors.enabled);
        assert_eq!(settings.cors.allowed_origins, ["http://a.example"]);
        assert_eq!(settings.cors.max_age, 5);
        let metrics = settings.metrics.unwrap();
        assert_eq!(metrics.task_parameters_to_use_in_labels, ["day"]);
        assert_eq!(settings.warnings, Vec::<String>::new());
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let text = "[scheduler]\nretry_dely = 1\n\
                    metrics_collector = datadog\n[cors]\norigins = []\n";
        let warnings = settings(text).unwrap().warnings.join("\n");
        for said in [
            "configuration text:2: section [scheduler] has no key retry_dely",
            "metrics_collector = datadog has no effect",
            "section [cors] has no key origins",
        ] {
            assert!(warnings.contains(said), "{warnings}");
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_place() {
        for (text, said) in [
            (
                "[scheduler]\nretry_delay = soon\n",
                "text:2: [scheduler] retry_delay is",
            ),
            (
                "[scheduler]\nretry_delay = nan\n",
                "text:2: [scheduler] retry_delay is nan",
            ),
            (
                "[scheduler]\nretry_count = -1\n",
                "text:2: [scheduler] retry_count is -1",
            ),
            ("[resources]\ngpu = -1\n", "text:2: [resources] gpu is -1"),
            (
                "[cors]\nallowed_origins = all\n",
                "text:2: [cors] allowed_origins is all",
            ),
        ] {
            let error = settings(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_usual_directory_is_the_systems_for_root_and_the_users_otherwise() {
        let nowhere = |_| None;
        assert_eq!(
            usual_state_dir(true, nowhere),
            Some(PathBuf::from("/var/lib/condotta"))
        );
        let home = |name| (name == "HOME").then(|| PathBuf::from("/home/x"));
        assert_eq!(
            usual_state_dir(false, home),
            Some(PathBuf::from("/home/x/.local/state/condotta"))
        );
        let xdg = |name| Some(PathBuf::from(if name == "HOME" { "/home/x" } else { "/s" }));
        assert_eq!(
            usual_state_dir(false, xdg),
            Some(PathBuf::from("/s/condotta"))
        );
        assert_eq!(usual_state_dir(false, nowhere), None);
    }
}
