//! What attempts printed: kept on the disk beside the journal, and read while they run or later.
//!
//! Workers send it in numbered pieces, past the scheduler's thread. A log that is written to is a file of
//! its own (`live`); those of attempts that ended go compressed and together into `packs`, since a busy
//! server has a hundred thousand small ones a day. Nothing here is journalled: a torn end is a torn end.
//! Knows nothing of HTTP and of what tasks are.

mod config;
mod live;
mod pack;
mod reading;
mod room;
mod running;
mod scheduled;
mod store;
mod sweep;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use tokio::sync::{Semaphore, watch};

pub use config::LogsConfig;
pub use live::{Header, Piece};
pub use reading::{Reading, Selection, Shape};
pub use running::{LogObserver, Running, RunningAttempt};
pub(crate) use scheduled::{Scheduled, current, scheduled};
pub use store::{AppendError, Feed, LogStore, Stored};
pub use sweep::Sweeper;

/// The logs of a server, and which attempts run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logs {
    /// What is kept.
    pub store: Arc<LogStore>,
    /// Which attempts run.
    pub running: Arc<Running>,
    /// How many more may be followed at once.
    pub(crate) followers: Arc<Semaphore>,
    /// The server ends.
    pub(crate) closing: watch::Sender<bool>,
}

/// The folder of the logs in the directory of the state.
pub(crate) const FOLDER: &str = "logs";
/// So many logs may be followed at once.
const FOLLOWERS: usize = 500;

impl Logs {
    /// Those in `folder`.
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be read.
    pub fn open(folder: &Path, config: LogsConfig) -> io::Result<Self> {
        Ok(Self {
            store: Arc::new(LogStore::open(folder, config)?),
            running: Arc::default(),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            closing: watch::Sender::new(false),
        })
    }

    /// Ends all following, so that connections come to an end.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Hears of all attempts.
    #[must_use]
    pub fn observer(&self) -> LogObserver {
        LogObserver::new(self.running.clone(), self.store.clone())
    }
}

/// Makes a folder if it is not there, with those above it; only its owner may look inside.
fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}

/// Makes a file anew, which only its owner may read: what runs print may tell secrets.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}
