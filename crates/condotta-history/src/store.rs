//! How attempts are written: many in one transaction, each statement for many rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use condotta_scheduler::Timestamp;
use sqlx::AnyConnection;

use crate::{
    HistoryError,
    address::Address,
    attempt::{Began, Ended, Entry, Outcome},
    attempt_id::AttemptId,
    database::{self, Value, begin, execute},
    dialect::Dialect,
    keys,
    schema::{self, SchemaError},
    texts::Texts,
    totals::{self, Tallies},
};

/// How many rows one statement inserts; statements are prepared for these numbers alone.
const CHUNKS: [usize; 3] = [50, 10, 1];
/// How many families and workers are remembered as stored.
const REMEMBERED: usize = 20_000;

/// A connection that writes.
pub(crate) struct Store {
    pub(crate) connection: AnyConnection,
    pub(crate) dialect: Dialect,
    pub(crate) texts: Texts,
    /// Rows of families and workers that are stored.
    known: BTreeSet<(&'static str, i64, Option<String>)>,
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
    pub(crate) began: Began,
    pub(crate) ended: Option<Ended>,
    pub(crate) statistics: Option<String>,
}

/// Something about an attempt that was written before.
#[derive(Debug)]
enum Change {
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
                self.places.insert(id.clone(), self.rows.len());
                self.rows.push(Row {
                    id,
                    began: *began,
                    ended: None,
                    statistics: None,
                });
            }
            Entry::Renamed { from, to } => match self.places.remove(&from) {
                Some(place) => {
                    self.rows[place].id = to.clone();
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
        address.make_file().map_err(|error| failed(error.into()))?;
        let mut connection = database::connect_soon(address).await.map_err(failed)?;
        let prepared = schema::prepare(&mut connection, address.dialect()).await;
        prepared.map_err(|error| match error {
            SchemaError::Newer(found) => HistoryError::Newer {
                place: place(),
                found,
                known: schema::VERSION,
            },
            SchemaError::Database(source) => failed(source),
        })?;
        Ok(Self {
            connection,
            dialect: address.dialect(),
            texts,
            known: BTreeSet::new(),
        })
    }

    /// Writes all of it or nothing. What is there already, since it was written although nobody heard
    /// of that, is not written twice.
    pub(crate) async fn write(&mut self, batch: &Batch) -> Result<(), sqlx::Error> {
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
        let Self {
            connection,
            dialect,
            texts,
            known,
        } = self;
        let mut writing = Writing {
            dialect: *dialect,
            texts: *texts,
            tallies: Tallies::default(),
        };
        let mut transaction = begin(connection, *dialect).await?;
        let new = writing.names(&mut transaction, &batch.rows, known).await?;
        writing.tasks(&mut transaction, &batch.rows).await?;
        writing.rows(&mut transaction, &batch.rows, rows).await?;
        for change in &batch.changes {
            writing.change(&mut transaction, change).await?;
        }
        totals::add(&mut transaction, *dialect, &writing.tallies).await?;
        transaction.commit().await?;
        if known.len() + new.len() > REMEMBERED {
            known.clear();
        }
        known.extend(new);
        Ok(())
    }

    /// Whatever was remembered as stored may be gone.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// How rows are inserted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    InChunks,
    OneByOne,
}

enum WriteError {
    Database(sqlx::Error),
    /// Some of the rows of a chunk were there, and nobody says which.
    SomeAreThere,
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

struct Writing {
    dialect: Dialect,
    texts: Texts,
    tallies: Tallies,
}

impl Writing {
    /// Writes the families and workers that are not known as stored; returns them.
    async fn names(
        &self,
        connection: &mut AnyConnection,
        rows: &[Row],
        known: &BTreeSet<(&'static str, i64, Option<String>)>,
    ) -> Result<Vec<(&'static str, i64, Option<String>)>, sqlx::Error> {
        let mut new: BTreeMap<(&'static str, i64, Option<String>), String> = BTreeMap::new();
        for Row { began, .. } in rows {
            let family = ("family", keys::family(&began.family), began.module.clone());
            new.insert(family, self.texts.name(&began.family));
            if let Some(worker) = &began.worker {
                let key = ("worker", keys::worker(worker), began.host.clone());
                new.insert(key, self.texts.name(worker));
            }
        }
        new.retain(|key, _| !known.contains(key));
        for ((kind, key, rest), name) in &new {
            let (table, column, more) = match *kind {
                "family" => ("condotta_families", "family", "module"),
                _ => ("condotta_workers", "worker", "host"),
            };
            let replace = self.dialect.or_replace("id", &[more]);
            let insert =
                format!("INSERT INTO {table} (id, {column}, {more}) VALUES (?, ?, ?){replace}");
            let rest = rest.as_ref().map(|text| self.texts.name(text));
            let values = [(*key).into(), name.as_str().into(), Value::Text(rest)];
            execute(connection, self.dialect, &insert, &values).await?;
        }
        Ok(new.into_keys().collect())
    }

    async fn tasks(&self, connection: &mut AnyConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
        let mut tasks: BTreeMap<i64, [Value; 4]> = BTreeMap::new();
        for Row { began, .. } in rows {
            let key = keys::task(&began.task_id);
            tasks.insert(key, self.texts.task(key, began));
        }
        let tasks: Vec<[Value; 4]> = tasks.into_values().collect();
        let replace = self.dialect.or_replace("id", &["params", "hidden"]);
        let into = "INSERT INTO condotta_tasks (id, task_id, params, hidden) VALUES ";
        for chunk in chunks(&tasks) {
            let insert = format!("{into}{}{replace}", places(chunk.len(), 4));
            execute(connection, self.dialect, &insert, &chunk.concat()).await?;
        }
        Ok(())
    }

    async fn rows(
        &mut self,
        connection: &mut AnyConnection,
        rows: &[Row],
        how: Rows,
    ) -> Result<(), WriteError> {
        if how == Rows::InChunks {
            for chunk in chunks(rows) {
                if self.insert(connection, chunk).await? != chunk.len() as u64 {
                    return Err(WriteError::SomeAreThere);
                }
                chunk.iter().for_each(|row| self.count_row(row));
            }
            return Ok(());
        }
        for row in rows {
            if self.insert(connection, std::slice::from_ref(row)).await? == 1 {
                self.count_row(row);
            } else if let Some(ended) = &row.ended {
                self.end(connection, ended).await?;
            }
        }
        Ok(())
    }

    async fn insert(
        &self,
        connection: &mut AnyConnection,
        rows: &[Row],
    ) -> Result<u64, sqlx::Error> {
        let values: Vec<Value> = rows.iter().flat_map(|row| self.texts.row(row)).collect();
        let (insert, absent) = self.dialect.insert_if_absent();
        let insert = format!(
            "{insert} INTO condotta_attempts (began, hash, task, family, worker, attempt, ended, \
             outcome, scheduled, ready, priority, resources, batch, error, statistics) \
             VALUES {}{absent}",
            places(rows.len(), 15)
        );
        execute(connection, self.dialect, &insert, &values).await
    }

    fn count_row(&mut self, row: &Row) {
        if let Some(ended) = &row.ended {
            let family = keys::family(&row.began.family);
            let began = row.id.began();
            self.tallies
                .count(family, began, ended.ended, ended.outcome);
        }
    }

    async fn change(
        &mut self,
        connection: &mut AnyConnection,
        change: &Change,
    ) -> Result<(), sqlx::Error> {
        let here = "WHERE began = ? AND hash = ?";
        match change {
            Change::Renamed(from, to) => {
                let update = format!("UPDATE condotta_attempts SET began = ?, hash = ? {here}");
                let [began, hash] = keys::attempt(to);
                let [before, hash_before] = keys::attempt(from);
                let values = [began, hash, before, hash_before].map(Value::from);
                execute(connection, self.dialect, &update, &values).await?;
            }
            Change::Statistics(id, statistics) => {
                let update = format!("UPDATE condotta_attempts SET statistics = ? {here}");
                let [began, hash] = keys::attempt(id);
                let statistics = self.texts.long(statistics).into();
                let values = [statistics, began.into(), hash.into()];
                execute(connection, self.dialect, &update, &values).await?;
            }
            Change::Ended(ended) => self.end(connection, ended).await?,
        }
        Ok(())
    }

    async fn end(
        &mut self,
        connection: &mut AnyConnection,
        ended: &Ended,
    ) -> Result<(), sqlx::Error> {
        let [began, hash] = keys::attempt(&ended.id);
        let update = "UPDATE condotta_attempts SET ended = ?, outcome = ?, error = ? \
                      WHERE began = ? AND hash = ? AND outcome = 0";
        let error = ended.error.as_ref().map(|error| self.texts.long(error));
        let values = [
            Value::Whole(ended.ended.map(keys::millis)),
            ended.outcome.code().into(),
            Value::Text(error),
            began.into(),
            hash.into(),
        ];
        if execute(connection, self.dialect, update, &values).await? == 0 {
            return Ok(());
        }
        let query = "SELECT family AS whole FROM condotta_attempts WHERE began = ? AND hash = ?";
        let values = [began.into(), hash.into()];
        let family = database::fetch_one_whole(connection, self.dialect, query, &values).await?;
        self.tallies
            .count(family, ended.id.began(), ended.ended, ended.outcome);
        Ok(())
    }
}

/// As few pieces as can be of lengths for which there are statements.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = CHUNKS.into_iter().find(|&length| length <= rows.len())?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

/// `(?, ?), (?, ?)`
fn places(rows: usize, columns: usize) -> String {
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
