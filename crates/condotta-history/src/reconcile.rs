//! Makes the history agree with how things stand: after a start, and after entries were left out.

use std::collections::BTreeSet;

use sqlx::Row as _;

use crate::{
    attempt::{Entry, Standing},
    attempt_id::AttemptId,
    database::{fetch_all, fetch_one_whole},
    error::DatabaseError,
    store::{Batch, Store, unknown_end},
};

/// How much is written in one transaction.
const STEP: usize = 500;

impl Store {
    /// Writes what ended or began unheard, and ends what counts as running and does not run; how many
    /// those were of whose end nothing is known.
    ///
    /// Attempts that began before `kept_since` were dropped, and others that began long ago are packed: of those
    /// nothing is written anew but the end of what is a row.
    pub(crate) async fn reconcile(
        &mut self,
        standing: &Standing,
        kept_since: i64,
    ) -> Result<usize, DatabaseError> {
        let packed = "SELECT COALESCE(MAX(last), 0) AS whole FROM condotta_packs";
        let packed = fetch_one_whole(&mut self.connection, self.dialect, packed, &[]).await?;
        for pairs in standing.ended.chunks(STEP) {
            let mut batch = Batch::default();
            for (began, ended) in pairs {
                if ended.id.millis() > packed.max(kept_since) {
                    batch.add(Entry::Began(Box::new(began.clone())));
                }
                batch.add(Entry::Ended(ended.clone()));
            }
            self.write(&batch).await?;
        }
        for running in standing.running.chunks(STEP) {
            let mut batch = Batch::default();
            for began in running {
                batch.add(Entry::Began(Box::new(began.clone())));
            }
            self.write(&batch).await?;
        }
        let running: BTreeSet<AttemptId> = standing.running.iter().map(crate::Began::id).collect();
        let mut open = self.open_attempts().await?;
        open.retain(|id| !running.contains(id));
        for ids in open.chunks(STEP) {
            let mut batch = Batch::default();
            for id in ids {
                batch.add(Entry::Ended(unknown_end(*id)));
            }
            self.write(&batch).await?;
        }
        Ok(open.len())
    }

    async fn open_attempts(&mut self) -> Result<Vec<AttemptId>, sqlx::Error> {
        // The second condition is that of the index.
        let query = "SELECT began, hash FROM condotta_attempts WHERE outcome = 0 AND outcome <> 1";
        let rows = fetch_all(&mut self.connection, self.dialect, query, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(AttemptId::of_parts(
                    row.try_get("began")?,
                    row.try_get("hash")?,
                ))
            })
            .collect()
    }
}
