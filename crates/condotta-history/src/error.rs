//! Why the history cannot be written or read.

use condotta_database_url::encryption;

/// Why the history cannot be written or read. Says nothing of passwords.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database is not to be had, or refused something.
    #[error("the history in {place}: {source}")]
    Database {
        /// Where the history is.
        place: String,
        /// What the database said.
        source: DatabaseError,
    },
    /// A question found no answer, as others before it.
    #[error("the history in {place}: {source}; no question to it was answered for {secs} s")]
    Away {
        /// Where the history is.
        place: String,
        /// For how long.
        secs: u64,
        /// What the database said.
        source: DatabaseError,
    },
    /// Attempts that are packed cannot be read.
    #[error("the history in {place}: {source}")]
    Pack {
        /// Where the history is.
        place: String,
        /// What is wrong with the pack.
        source: Box<dyn std::error::Error + Send + Sync>,
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

/// What a database said, or its driver.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Of any database.
    #[error(transparent)]
    Driver(sqlx::Error),
    /// The connection cannot be encrypted as the URL demands: why, and what to do.
    #[error("{0}")]
    Encryption(String),
    /// Of a file that is written.
    #[error(transparent)]
    File(#[from] rusqlite::Error),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match encryption::trouble(&error) {
            Some(trouble) => Self::Encryption(trouble),
            None => Self::Driver(error),
        }
    }
}

impl DatabaseError {
    /// Whether it was there, and refused something.
    pub(crate) fn is_a_refusal(&self) -> bool {
        matches!(self, Self::Driver(sqlx::Error::Database(_)) | Self::File(_))
    }

    /// The code that SQLite gave.
    fn of_sqlite(&self) -> Option<i32> {
        match self {
            Self::Driver(error) => error.as_database_error()?.code()?.parse().ok(),
            Self::Encryption(_) => None,
            Self::File(error) => error.sqlite_error().map(|error| error.extended_code),
        }
    }
}

impl HistoryError {
    /// Whether it may be better at another time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Database { source, .. } | Self::Away { source, .. } => match source {
                DatabaseError::Driver(error) => matches!(
                    error,
                    sqlx::Error::Io(_)
                        | sqlx::Error::Tls(_)
                        | sqlx::Error::PoolTimedOut
                        | sqlx::Error::PoolClosed
                        | sqlx::Error::WorkerCrashed
                        | sqlx::Error::Database(_)
                ),
                // Certificates are renewed.
                DatabaseError::Encryption(_) | DatabaseError::File(_) => true,
            },
            Self::Pack { .. } | Self::Newer { .. } | Self::Thread(_) => false,
        }
    }

    /// Whether a file of SQLite's cannot be written now since the disk is full or failing, or since
    /// somebody else writes; unlike a file that is none of ours, which stays so.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        const BUSY: i32 = 5;
        const LOCKED: i32 = 6;
        const IO: i32 = 10;
        const FULL: i32 = 13;
        let Self::Database { source, .. } = self else {
            return false;
        };
        // What is above the lowest byte says it more exactly.
        let code = source.of_sqlite().map(|code| code & 0xff);
        code.is_some_and(|code| [BUSY, LOCKED, IO, FULL].contains(&code))
    }
}
