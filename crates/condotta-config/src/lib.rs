//! Configuration in luigi.cfg and TOML, as Luigi reads it.
//!
//! Finds the files in Luigi's places, merges them (later files win), and answers what a section says
//! of a key, with the file and line that said so. Knows nothing of what the keys mean.
//!
//! ```
//! use condotta_config::Config;
//!
//! let config: Config = "[worker]\nkeep_alive = true\n".parse()?;
//! assert_eq!(config.get_bool("worker", "keep_alive")?, Some(true));
//! assert_eq!(config.get("worker", "ping_interval")?, None);
//! # Ok::<(), condotta_config::ConfigError>(())
//! ```

mod config;
mod document;
mod error;
mod ini;
mod interpolation;
mod number;
mod places;
mod toml_text;
mod value;

pub use config::Config;
pub use error::ConfigError;
pub use places::Places;
pub use value::{Entry, Origin, Syntax, Value};

/// Looks up environment variables; a closure, so that tests need not touch the process.
pub type Environment = std::sync::Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;
