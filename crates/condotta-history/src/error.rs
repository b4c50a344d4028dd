//! Why the history cannot be written or read.

/// Why the history cannot be written or read. Says nothing of passwords.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database is not to be had, or refused something.
    #[error("the history in {place}: {source}")]
    Database {
        /// Where the history is.
        place: String,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A newer version made it.
    #[error(
        "the history in {place} has version {found}, and this program knows versions up to {known}: \
         run the newer condotta that wrote it, or name another place in [history] url"
    )]
    Newer {
        /// Where the history is.
        place: String,
        /// The version that is there.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The thread that writes cannot be started.
    #[error("the thread that writes the history cannot be started: {0}")]
    Thread(std::io::Error),
}

impl HistoryError {
    /// Whether it may be better at another time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Database { source, .. } => matches!(
                source,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Database(_)
            ),
            Self::Newer { .. } | Self::Thread(_) => false,
        }
    }

    /// Whether a file of SQLite's cannot be written now since the disk is full or failing, or since
    /// somebody else writes; unlike a file that is none of ours, which stays so.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const IO: u32 = 10;
        const FULL: u32 = 13;
        let Self::Database { source, .. } = self else {
            return false;
        };
        let code = source.as_database_error().and_then(|error| error.code());
        let code: Option<u32> = code.and_then(|code| code.parse().ok());
        // What is above the lowest byte says it more exactly.
        code.is_some_and(|code| [BUSY, LOCKED, IO, FULL].contains(&(code & 0xff)))
    }
}
