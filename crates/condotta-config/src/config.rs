//! The merged configuration, and the questions that can be asked of it.

use std::{
    collections::HashSet,
    fmt, fs,
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    ConfigError, Entry, Environment, Origin, Places, Syntax, Value,
    document::{DEFAULT_SECTION, Document, Raw, Section},
    ini, interpolation, number, toml_text,
};

/// A configuration: what all files together say.
///
/// Keys are case-sensitive. In INI files `_` is preferred, and a key spelt with `-` is found, too,
/// with a warning; keys of `[DEFAULT]` are in every section that exists.
#[derive(Clone)]
pub struct Config {
    syntax: Syntax,
    document: Document,
    environment: Environment,
    warned: Arc<Mutex<HashSet<String>>>,
}

impl Config {
    /// An empty configuration that reads files of `syntax`.
    pub fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            document: Document::default(),
            environment: Places::default().environment,
            warned: Arc::default(),
        }
    }

    /// Reads the files in Luigi's places, as the process's environment says.
    pub fn load_default() -> Result<Self, ConfigError> {
        Places::default().load()
    }

    /// Reads TOML. (INI is read by [`FromStr`].)
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::new(Syntax::Toml);
        config.read_text(text)?;
        Ok(config)
    }

    /// The same with another environment for `${VARIABLE}`.
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Adds what a file says; it wins over what was read before.
    pub fn read(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        self.add(&text, Some(&Arc::from(path)))
    }

    /// Adds what `text` says, as [`read`](Self::read) does.
    pub fn read_text(&mut self, text: &str) -> Result<(), ConfigError> {
        self.add(text, None)
    }

    /// Says `key` in `section`, making the section when needed.
    ///
    /// In an INI configuration a `%` must be written `%%`, as in the file.
    pub fn set(
        &mut self,
        section: &str,
        key: &str,
        value: impl Into<Value>,
    ) -> Result<(), ConfigError> {
        let origin = Origin {
            file: None,
            line: 0,
        };
        let mut value = value.into();
        if self.syntax == Syntax::Ini {
            let text = value.to_text();
            interpolation::check(&text)
                .map_err(|problem| interpolation_error(&origin, section, key, problem))?;
            value = Value::Text(text);
        }
        let raw = Raw { value, origin };
        self.document.section_mut(section).insert(key, raw);
        Ok(())
    }

    /// What `section` says of `key`, interpolated; `None` when it says nothing.
    pub fn get(&self, section: &str, key: &str) -> Result<Option<Entry>, ConfigError> {
        let Some(content) = self.document.section(section) else {
            // Without its section, a key is not found in [DEFAULT] either: `configparser`'s rule.
            return Ok(None);
        };
        if self.syntax == Syntax::Toml {
            return self.entry(section, content, key);
        }
        if !key.contains(['-', '_']) {
            return self.entry(section, content, key);
        }
        let underscored = key.replace('-', "_");
        if let Some(entry) = self.entry(section, content, &underscored)? {
            return Ok(Some(entry));
        }
        let dashed = key.replace('_', "-");
        let entry = self.entry(section, content, &dashed)?;
        if entry.is_some() && dashed != underscored {
            self.warn_once(format!(
                "Configuration [{section}] {dashed} (with dashes) should be avoided. Please use underscores: {underscored}."
            ));
        }
        Ok(entry)
    }

    /// [`get`](Self::get) as text: the form that parameters parse.
    pub fn get_text(&self, section: &str, key: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.get(section, key)?.map(|entry| match entry.value {
            Value::Text(text) => text,
            other => other.to_text(),
        }))
    }

    /// [`get`](Self::get) as a truth value: 1/0, yes/no, true/false, on/off in any case.
    pub fn get_bool(&self, section: &str, key: &str) -> Result<Option<bool>, ConfigError> {
        self.get_as(section, key, "true or false", |value| match value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) => number::boolean(text),
            _ => None,
        })
    }

    /// [`get`](Self::get) as a whole number.
    pub fn get_int(&self, section: &str, key: &str) -> Result<Option<i64>, ConfigError> {
        self.get_as(section, key, "a whole number", to_integer)
    }

    /// [`get`](Self::get) as a number.
    pub fn get_float(&self, section: &str, key: &str) -> Result<Option<f64>, ConfigError> {
        self.get_as(section, key, "a number", |value| match value {
            Value::Float(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "as Python's float() of an int")]
            Value::Integer(number) => Some(*number as f64),
            Value::Text(text) => number::float(text),
            _ => None,
        })
    }

    /// The whole numbers of a section, as Luigi reads `[resources]`; empty without the section.
    ///
    /// Keys that are in `[DEFAULT]` are left out, even when the section has them as well.
    pub fn int_dict(&self, section: &str) -> Result<Vec<(String, i64)>, ConfigError> {
        let defaults = self.defaults();
        let mut numbers = Vec::new();
        for (key, entry) in self.section(section)? {
            if defaults.is_some_and(|defaults| defaults.get(&key).is_some()) {
                continue;
            }
            let number = to_integer(&entry.value)
                .ok_or_else(|| type_error(&entry, section, &key, "a whole number"))?;
            numbers.push((key, number));
        }
        Ok(numbers)
    }

    /// What a section says itself, in order; empty when there is no such section.
    pub fn section(&self, section: &str) -> Result<Vec<(String, Entry)>, ConfigError> {
        let Some(content) = self.document.section(section) else {
            return Ok(Vec::new());
        };
        self.entries(section, content, content.keys())
    }

    /// What a section says with the keys of `[DEFAULT]`, which come first.
    pub fn section_with_defaults(
        &self,
        section: &str,
    ) -> Result<Vec<(String, Entry)>, ConfigError> {
        let Some(content) = self.document.section(section) else {
            return Ok(Vec::new());
        };
        let Some(defaults) = self.defaults() else {
            return self.section(section);
        };
        let own = content.keys().filter(|key| defaults.get(key).is_none());
        self.entries(section, content, defaults.keys().chain(own))
    }

    /// Whether there is such a section, be it empty.
    pub fn has_section(&self, section: &str) -> bool {
        self.document.section(section).is_some()
    }

    /// The names of all sections in order, without `[DEFAULT]`.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        let ini = self.syntax == Syntax::Ini;
        self.document
            .section_names()
            .filter(move |name| !(ini && *name == DEFAULT_SECTION))
    }

    /// How the files are written.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    fn add(&mut self, text: &str, file: Option<&Arc<Path>>) -> Result<(), ConfigError> {
        self.document.merge(match self.syntax {
            Syntax::Ini => ini::parse(text, file)?,
            Syntax::Toml => toml_text::parse(text, file)?,
        });
        Ok(())
    }

    fn defaults(&self) -> Option<&Section> {
        match self.syntax {
            Syntax::Ini => self.document.section(DEFAULT_SECTION),
            Syntax::Toml => None,
        }
    }

    fn raw<'a>(&'a self, content: &'a Section, key: &str) -> Option<&'a Raw> {
        content
            .get(key)
            .or_else(|| self.defaults().and_then(|defaults| defaults.get(key)))
    }

    /// The value under exactly this key, interpolated.
    fn entry(
        &self,
        section: &str,
        content: &Section,
        key: &str,
    ) -> Result<Option<Entry>, ConfigError> {
        let Some(raw) = self.raw(content, key) else {
            return Ok(None);
        };
        let value = match &raw.value {
            Value::Text(text) if self.syntax == Syntax::Ini => {
                let lookup = |key: &str| match &self.raw(content, key)?.value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                };
                let text = interpolation::interpolate(text, &lookup, &*self.environment)
                    .map_err(|problem| interpolation_error(&raw.origin, section, key, problem))?;
                Value::Text(text)
            }
            typed => typed.clone(),
        };
        let origin = raw.origin.clone();
        Ok(Some(Entry { value, origin }))
    }

    fn entries<'a>(
        &self,
        section: &str,
        content: &Section,
        keys: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<(String, Entry)>, ConfigError> {
        let mut entries = Vec::new();
        for key in keys {
            if let Some(entry) = self.entry(section, content, key)? {
                entries.push((key.to_owned(), entry));
            }
        }
        Ok(entries)
    }

    fn get_as<T>(
        &self,
        section: &str,
        key: &str,
        expected: &'static str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(entry) = self.get(section, key)? else {
            return Ok(None);
        };
        convert(&entry.value)
            .map(Some)
            .ok_or_else(|| type_error(&entry, section, key, expected))
    }

    /// Each warning once: parameters ask again for every task.
    fn warn_once(&self, warning: String) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.contains(&warning) {
            tracing::warn!("{warning}");
            warned.insert(warning);
        }
    }
}

/// Reads INI.
impl FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::new(Syntax::Ini);
        config.read_text(text)?;
        Ok(config)
    }
}

/// Names the sections only: values may be secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("syntax", &self.syntax)
            .field("sections", &self.section_names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn to_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => number::integer(text),
        _ => None,
    }
}

fn interpolation_error(origin: &Origin, section: &str, key: &str, problem: String) -> ConfigError {
    ConfigError::Interpolation {
        origin: origin.clone(),
        section: section.to_owned(),
        key: key.to_owned(),
        problem,
    }
}

fn type_error(entry: &Entry, section: &str, key: &str, expected: &'static str) -> ConfigError {
    ConfigError::Type {
        origin: entry.origin.clone(),
        section: section.to_owned(),
        key: key.to_owned(),
        value: entry.value.to_string(),
        expected,
    }
}
