//! What an operator can set about who is let in. Knows no files; who reads them fills this in.

use std::{path::PathBuf, time::Duration};

/// Who has to say who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Whoever comes over TCP, once a token was made. A Unix socket is protected by its file's mode.
    #[default]
    Auto,
    /// Everybody, over Unix sockets too.
    Always,
    /// Nobody: whoever reaches the server may do everything.
    Never,
}

/// How callers are told apart.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// Who has to say who it is.
    pub authentication: Authentication,
    /// The directory with the file of tokens; nobody has one without it.
    pub state_dir: Option<PathBuf>,
    /// So many wrong tokens a minute from one address are looked at; 0 for any number.
    pub failures_per_minute: u32,
    /// How long a browser stays signed in.
    pub session: Duration,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            authentication: Authentication::Auto,
            state_dir: None,
            failures_per_minute: 10,
            session: Duration::from_hours(12),
        }
    }
}
