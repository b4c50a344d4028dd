//! The files that make up the configuration, in Luigi's order.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Config, ConfigError, Environment, Syntax};

/// Where configuration is looked for.
///
/// In order, later files win: `client.cfg` (deprecated) and `luigi.cfg` of the system's folder, then
/// of the current one, then the file that `LUIGI_CONFIG_PATH` names. With
/// `LUIGI_CONFIG_PARSER=toml` it is `luigi.toml` instead. `CONDOTTA_CONFIG_PATH` and
/// `CONDOTTA_CONFIG_PARSER` take precedence over their twins and are strict: what Luigi only warns
/// of (no such file, no such parser) is an error.
#[derive(Clone)]
pub struct Places {
    /// The machine's folder, `/etc/luigi`.
    pub system: PathBuf,
    /// The current folder; empty for names as people know them, such as `luigi.cfg`.
    pub current: PathBuf,
    /// The environment, also for `${VARIABLE}` in values.
    pub environment: Environment,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            system: PathBuf::from("/etc/luigi"),
            current: PathBuf::new(),
            environment: Arc::new(|name| std::env::var(name).ok()),
        }
    }
}

impl Places {
    /// Reads all files that are there.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let syntax = self.syntax()?;
        let mut config = Config::new(syntax).with_environment(self.environment.clone());
        for path in self.files(syntax) {
            if path.is_file() {
                if path.file_name().is_some_and(|name| name == "client.cfg") {
                    tracing::warn!(
                        "Luigi configuration files named 'client.cfg' are deprecated in favor of 'luigi.cfg'. Found: {}",
                        path.display()
                    );
                }
                config.read(&path)?;
            }
        }
        if let Some(path) = self.named_file(syntax)? {
            config.read(&path)?;
        }
        Ok(config)
    }

    fn files(&self, syntax: Syntax) -> Vec<PathBuf> {
        match syntax {
            Syntax::Ini => vec![
                self.system.join("client.cfg"),
                self.system.join("luigi.cfg"),
                self.current.join("client.cfg"),
                self.current.join("luigi.cfg"),
            ],
            Syntax::Toml => vec![
                self.system.join("luigi.toml"),
                self.current.join("luigi.toml"),
            ],
        }
    }

    fn syntax(&self) -> Result<Syntax, ConfigError> {
        const STRICT: &str = "CONDOTTA_CONFIG_PARSER";
        if let Some(name) = (self.environment)(STRICT) {
            return Syntax::named(&name).ok_or(ConfigError::Parser {
                variable: STRICT,
                name,
            });
        }
        let Some(name) = (self.environment)("LUIGI_CONFIG_PARSER") else {
            return Ok(Syntax::Ini);
        };
        Ok(Syntax::named(&name).unwrap_or_else(|| {
            tracing::warn!("Invalid parser: {name}");
            Syntax::Ini
        }))
    }

    /// The file that the environment names, when it is there and in the syntax in use.
    fn named_file(&self, syntax: Syntax) -> Result<Option<PathBuf>, ConfigError> {
        const STRICT: &str = "CONDOTTA_CONFIG_PATH";
        let strict = (self.environment)(STRICT);
        let is_strict = strict.is_some();
        let Some(path) = strict.or_else(|| (self.environment)("LUIGI_CONFIG_PATH")) else {
            return Ok(None);
        };
        let path = self.current.join(path);
        if !path.is_file() {
            if is_strict {
                return Err(ConfigError::Missing {
                    path,
                    variable: STRICT,
                });
            }
            tracing::warn!("Config file does not exist: {}", path.display());
            return Ok(None);
        }
        if syntax_of(&path).is_some_and(|named| named != syntax) {
            if is_strict {
                return Err(ConfigError::OtherSyntax { path });
            }
            let (added, used) = match syntax {
                Syntax::Ini => ("toml", "cfg"),
                Syntax::Toml => ("cfg", "toml"),
            };
            tracing::warn!(
                "Config for {added} parser added, but used {used} parser. Set up right parser via env var: export LUIGI_CONFIG_PARSER={added}"
            );
            return Ok(None);
        }
        Ok(Some(path))
    }
}

/// The syntax that a file's extension names, if it names one.
fn syntax_of(path: &Path) -> Option<Syntax> {
    Syntax::named(path.extension()?.to_str()?)
}
