//! How much of what attempts print is kept, and for how long.

use std::time::Duration;

/// The limits of the logs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogsConfig {
    /// Whether logs are taken at all.
    pub enabled: bool,
    /// The most bytes of one attempt: its beginning and its newest end are kept.
    pub attempt_bytes: u64,
    /// The most bytes on the disk, of all attempts together. The oldest go first.
    pub total_bytes: u64,
    /// How long logs are kept.
    pub keep: Duration,
}

impl Default for LogsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            attempt_bytes: 10 << 20,
            total_bytes: 4 << 30,
            keep: Duration::from_secs(366 * 24 * 3600),
        }
    }
}
