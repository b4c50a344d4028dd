//! How attempts are written: many in one transaction, each statement for many rows.

use std::{collections::HashMap, path::Path};

use condotta_scheduler::Timestamp;
use sqlx::AnyConnection;

use crate::{
    HistoryError,
    address::Address,
    attempt::{Began, Ended, Entry, Outcome},
    attempt_id::AttemptId,
    database,
    dialect::Dialect,
    error::DatabaseError,
    keys::RowKeys,
    schema::{self, SchemaError},
    statements::{self, Writer},
    texts::Texts,
    totals::{self, Tallies},
    writing::{Known, Rows, WriteError, Writing},
};

/// How many rows one statement inserts; statements are prepared for these numbers alone.
const CHUNKS: [usize; 3] = [50, 10, 1];

/// A connection that writes.
pub(crate) struct Store {
    pub(crate) connection: AnyConnection,
    /// The same file, where batches are written.
    file: Option<rusqlite::Connection>,
    pub(crate) dialect: Dialect,
    pub(crate) texts: Texts,
    /// Rows of families and workers that are stored.
    known: Known,
}

/// What happened to attempts, in the order in which it is to be written.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    rows: Vec<Row>,
    places: HashMap<AttemptId, usize>,
    changes: Vec<Change>,
}

/// An attempt that began, with what is known of its end.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: AttemptId,
    pub(crate) keys: RowKeys,
    pub(crate) began: Began,
    pub(crate) ended: Option<Ended>,
    pub(crate) statistics: Option<String>,
}

/// Something about an attempt that was written before.
#[derive(Debug)]
pub(crate) enum Change {
    Renamed(AttemptId, AttemptId),
    Ended(Ended),
    Statistics(AttemptId, String),
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.changes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len() + self.changes.len()
    }

    /// Adds an entry, unless it says how things stand, which is to be written alone.
    pub(crate) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Began(began) => {
                let id = began.id();
                self.places.insert(id, self.rows.len());
                self.rows.push(Row {
                    id,
                    keys: RowKeys::of(&began),
                    began: *began,
                    ended: None,
                    statistics: None,
                });
            }
            Entry::Renamed { from, to } => match self.places.remove(&from) {
                Some(place) => {
                    self.rows[place].id = to;
                    self.rows[place].began.began = to.began();
                    self.places.insert(to, place);
                }
                None => self.changes.push(Change::Renamed(from, to)),
            },
            Entry::Ended(ended) => match self.places.get(&ended.id) {
                Some(&place) => self.rows[place].ended = Some(ended),
                None => self.changes.push(Change::Ended(ended)),
            },
            Entry::Statistics { id, statistics } => match self.places.get(&id) {
                Some(&place) => self.rows[place].statistics = Some(statistics),
                None => self.changes.push(Change::Statistics(id, statistics)),
            },
            Entry::Standing(_) => {}
        }
    }

    /// One batch of several.
    pub(crate) fn of(batches: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for batch in batches {
            all.rows.extend(batch.rows);
            all.changes.extend(batch.changes);
        }
        all
    }

    /// A batch for each thing in it.
    pub(crate) fn into_singles(self) -> impl Iterator<Item = Self> {
        let rows = self.rows.into_iter().map(|row| Self {
            rows: vec![row],
            ..Self::default()
        });
        let changes = self.changes.into_iter().map(|change| Self {
            changes: vec![change],
            ..Self::default()
        });
        rows.chain(changes)
    }
}

impl Store {
    /// Connects, and sees to the tables.
    pub(crate) async fn open(address: &Address, texts: Texts) -> Result<Self, HistoryError> {
        let place = || address.place().to_owned();
        let failed = |source| HistoryError::Database {
            place: place(),
            source,
        };
        let driver = |source: sqlx::Error| failed(source.into());
        address.make_file().map_err(|error| driver(error.into()))?;
        let mut connection = database::connect_soon(address).await.map_err(driver)?;
        let prepared = schema::prepare(&mut connection, address.dialect()).await;
        prepared.map_err(|error| match error {
            SchemaError::Newer(found) => HistoryError::Newer {
                place: place(),
                found,
                known: schema::VERSION,
            },
            SchemaError::Database(source) => driver(source),
        })?;
        let file = address
            .is_file()
            .then(|| statements::open_file(Path::new(address.place())));
        Ok(Self {
            connection,
            file: file.transpose().map_err(failed)?,
            dialect: address.dialect(),
            texts,
            known: Known::default(),
        })
    }

    /// Writes all of it or nothing. What is there already, since it was written although nobody heard
    /// of that, is not written twice.
    pub(crate) async fn write(&mut self, batch: &Batch) -> Result<(), DatabaseError> {
        match self.write_as(batch, Rows::InChunks).await {
            Err(WriteError::SomeAreThere) => self.write_as(batch, Rows::OneByOne).await,
            written => written,
        }
        .map_err(|error| match error {
            WriteError::Database(error) => error,
            WriteError::SomeAreThere => unreachable!("one row is there or is not"),
        })
    }

    async fn write_as(&mut self, batch: &Batch, rows: Rows) -> Result<(), WriteError> {
        let writer = match &mut self.file {
            Some(file) => Writer::File(file),
            None => Writer::Server(self.dialect, &mut self.connection),
        };
        let mut writing = Writing {
            statements: writer.begin().await?,
            dialect: self.dialect,
            texts: self.texts,
            tallies: Tallies::default(),
        };
        let new = writing.names(&batch.rows, &self.known).await?;
        writing.rows(&batch.rows, rows).await?;
        for change in &batch.changes {
            writing.change(change).await?;
        }
        let Writing {
            mut statements,
            tallies,
            ..
        } = writing;
        totals::add(&mut statements, self.dialect, &tallies).await?;
        statements.commit().await?;
        self.known.add(new);
        Ok(())
    }

    /// Whatever was remembered as stored may be gone.
    pub(crate) fn forget(&mut self) {
        self.known = Known::default();
    }
}

/// As few pieces as can be of lengths for which there are statements.
pub(crate) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = CHUNKS.into_iter().find(|&length| length <= rows.len())?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

/// `(?, ?), (?, ?)`
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// The outcome of attempts that are over, nobody knows how.
pub(crate) fn unknown_end(id: AttemptId) -> Ended {
    Ended {
        id,
        ended: None::<Timestamp>,
        outcome: Outcome::Unknown,
        error: None,
    }
}
