//! The statements by which a batch of attempts is written.

use std::collections::{BTreeMap, HashMap};

use crate::{
    attempt::Ended,
    database::Value,
    dialect::Dialect,
    error::DatabaseError,
    keys,
    statements::Statements,
    store::{Change, Row, chunks, places},
    texts::{self, ROW_COLUMNS, Texts},
    totals::Tallies,
};

/// How many families and workers are remembered as stored.
const REMEMBERED: usize = 20_000;

/// Families or workers that are stored, with what is stored of them besides their name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    families: HashMap<i64, Option<String>>,
    workers: HashMap<i64, Option<String>>,
}

/// Families and workers of a batch that are to be stored: their names, and the module or host.
#[derive(Debug, Default)]
pub(crate) struct New {
    families: BTreeMap<i64, (String, Option<String>)>,
    workers: BTreeMap<i64, (String, Option<String>)>,
}

impl Known {
    fn without(&self, rows: &[Row]) -> New {
        let mut new = New::default();
        for Row { began, keys, .. } in rows {
            note(
                &self.families,
                &mut new.families,
                keys.family,
                (&began.family, began.module.as_deref()),
            );
            if let (Some(key), Some(worker)) = (keys.worker, &began.worker) {
                let names = (&**worker, began.host.as_deref());
                note(&self.workers, &mut new.workers, key, names);
            }
        }
        new
    }

    /// These are stored now.
    pub(crate) fn add(&mut self, new: New) {
        for (known, new) in [
            (&mut self.families, new.families),
            (&mut self.workers, new.workers),
        ] {
            if known.len() + new.len() > REMEMBERED {
                known.clear();
            }
            known.extend(new.into_iter().map(|(key, (_, rest))| (key, rest)));
        }
    }
}

/// Adds it to what is to be stored, unless it is stored or to be stored like that.
fn note(
    known: &HashMap<i64, Option<String>>,
    new: &mut BTreeMap<i64, (String, Option<String>)>,
    key: i64,
    (name, rest): (&str, Option<&str>),
) {
    let stands = new.get(&key).map(|(_, rest)| rest).or(known.get(&key));
    if stands.is_none_or(|stored| stored.as_deref() != rest) {
        new.insert(key, (name.to_owned(), rest.map(ToOwned::to_owned)));
    }
}

/// How rows are inserted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    InChunks,
    OneByOne,
}

pub(crate) enum WriteError {
    Database(DatabaseError),
    /// Some of the rows of a chunk were there, and nobody says which.
    SomeAreThere,
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// What is done within one transaction.
pub(crate) struct Writing<'a> {
    pub(crate) statements: Statements<'a>,
    pub(crate) dialect: Dialect,
    pub(crate) texts: Texts,
    pub(crate) tallies: Tallies,
}

impl Writing<'_> {
    /// Writes the families and workers that are not known as stored; returns them.
    pub(crate) async fn names(
        &mut self,
        rows: &[Row],
        known: &Known,
    ) -> Result<New, DatabaseError> {
        let new = known.without(rows);
        for (table, [column, more], names) in [
            ("condotta_families", ["family", "module"], &new.families),
            ("condotta_workers", ["worker", "host"], &new.workers),
        ] {
            let replace = self.dialect.or_replace(more);
            let insert =
                format!("INSERT INTO {table} (id, {column}, {more}) VALUES (?, ?, ?){replace}");
            for (key, (name, rest)) in names {
                let rest = rest.as_deref().map(texts::clean);
                let values = [(*key).into(), texts::clean(name).into(), Value::Text(rest)];
                self.statements.execute(&insert, &values).await?;
            }
        }
        Ok(new)
    }

    pub(crate) async fn rows(&mut self, rows: &[Row], how: Rows) -> Result<(), WriteError> {
        if how == Rows::InChunks {
            for chunk in chunks(rows) {
                if self.insert(chunk).await? != chunk.len() as u64 {
                    return Err(WriteError::SomeAreThere);
                }
                chunk.iter().for_each(|row| self.count_row(row));
            }
            return Ok(());
        }
        for row in rows {
            if self.insert(std::slice::from_ref(row)).await? == 1 {
                self.count_row(row);
            } else if let Some(ended) = &row.ended {
                self.end(ended).await?;
            }
        }
        Ok(())
    }

    async fn insert(&mut self, rows: &[Row]) -> Result<u64, DatabaseError> {
        let values: Vec<Value<'_>> = rows.iter().flat_map(|row| self.texts.row(row)).collect();
        let (insert, absent) = self.dialect.insert_if_absent();
        let insert = format!(
            "{insert} INTO condotta_attempts (began, hash, task, family, worker, attempt, ended, \
             outcome, scheduled, ready, priority, resources, batch, error, statistics, task_id, \
             params, hidden) VALUES {}{absent}",
            places(rows.len(), ROW_COLUMNS)
        );
        self.statements.execute(&insert, &values).await
    }

    fn count_row(&mut self, row: &Row) {
        if let Some(ended) = &row.ended {
            let began = row.id.began();
            self.tallies
                .count(row.keys.family, began, ended.ended, ended.outcome);
        }
    }

    pub(crate) async fn change(&mut self, change: &Change) -> Result<(), DatabaseError> {
        let here = "WHERE began = ? AND hash = ?";
        match change {
            Change::Renamed(from, to) => {
                let update = format!("UPDATE condotta_attempts SET began = ?, hash = ? {here}");
                let [began, hash] = keys::attempt(to);
                let [before, hash_before] = keys::attempt(from);
                let values = [began, hash, before, hash_before].map(Value::from);
                self.statements.execute(&update, &values).await?;
            }
            Change::Statistics(id, statistics) => {
                let update = format!("UPDATE condotta_attempts SET statistics = ? {here}");
                let [began, hash] = keys::attempt(id);
                let statistics = self.texts.long(statistics).into();
                let values = [statistics, began.into(), hash.into()];
                self.statements.execute(&update, &values).await?;
            }
            Change::Ended(ended) => self.end(ended).await?,
        }
        Ok(())
    }

    async fn end(&mut self, ended: &Ended) -> Result<(), DatabaseError> {
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
        if self.statements.execute(update, &values).await? == 0 {
            return Ok(());
        }
        let query = "SELECT family FROM condotta_attempts WHERE began = ? AND hash = ?";
        let values = [began.into(), hash.into()];
        if let Some(row) = self.statements.fetch_row(query, &values).await? {
            self.tallies
                .count(row.whole(0)?, ended.id.began(), ended.ended, ended.outcome);
        }
        Ok(())
    }
}
