//! What can be wrong with a configuration, said with file, line, section and key.

use std::{io, path::PathBuf};

use crate::value::Origin;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is there but cannot be read.
    #[error("cannot read configuration {}; make it readable UTF-8 or remove it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was asked for by name is not there.
    #[error("configuration {} does not exist; correct or unset {variable}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The environment variable that names it.
        variable: &'static str,
    },
    /// A file was asked for by name but its syntax is not the one in use.
    #[error(
        "configuration {} is not in the syntax in use; set CONDOTTA_CONFIG_PARSER to `cfg` or `toml` to match it",
        path.display()
    )]
    OtherSyntax {
        /// The file.
        path: PathBuf,
    },
    /// A parser that does not exist.
    #[error("{variable} is {name:?}, which is no parser; use cfg, conf, ini or toml")]
    Parser {
        /// The environment variable.
        variable: &'static str,
        /// What it says.
        name: String,
    },
    /// A file is not well-formed.
    #[error("{origin}: {problem}")]
    Syntax {
        /// The place.
        origin: Origin,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A value refers to something that is not there.
    #[error("{origin}: [{section}] {key}: {problem}")]
    Interpolation {
        /// The place of the value.
        origin: Origin,
        /// Its section.
        section: String,
        /// Its key.
        key: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A value is not of the type needed.
    #[error("{origin}: [{section}] {key} is {value}, write {expected}")]
    Type {
        /// The place of the value.
        origin: Origin,
        /// Its section.
        section: String,
        /// Its key.
        key: String,
        /// What it says.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}
