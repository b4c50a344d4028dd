//! Keeps the logs in order, a little at a time: packs those of attempts that ended, and removes what is
//! too old or too much.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{Running, current, store::LogStore};
use crate::{driver::Handle, seldom::Seldom};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// What was still on its way when an attempt ended is waited for so long.
const LATE: Duration = Duration::from_secs(60);
/// Logs are packed together when there are so many bytes of them, …
const PACK_BYTES: u64 = 16 << 20;
/// … or so many of them, …
const PACK_LOGS: usize = 2000;
/// … or when the first of them waited for so long.
const PACK_AFTER: Duration = Duration::from_secs(3600);
/// So many packs are removed at a time.
const DROPS: usize = 8;

/// Keeps the logs in order.
pub struct Sweeper {
    store: Arc<LogStore>,
    running: Arc<Running>,
    handle: Handle,
    complaints: Seldom,
}

impl Sweeper {
    /// For these logs. `handle` is asked what runs that was begun in an earlier life of the server.
    #[must_use]
    pub fn new(store: Arc<LogStore>, running: Arc<Running>, handle: Handle) -> Self {
        Self {
            store,
            running,
            handle,
            complaints: Seldom::default(),
        }
    }

    /// Goes on until it is dropped.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.find_out().await;
            let store = self.store.clone();
            let swept = tokio::task::spawn_blocking(move || sweep(&store, PACK_AFTER)).await;
            match swept {
                Ok(Ok(())) => {}
                Ok(Err(error)) if self.complaints.is_due() => {
                    let folder = self.store.folder().display();
                    tracing::error!(
                        "the logs of attempts in {folder} cannot be tidied up: {error}; it is tried again"
                    );
                }
                Ok(Err(_)) => {}
                Err(error) => tracing::error!("tidying up the logs of attempts failed: {error}"),
            }
        }
    }

    /// Of logs from an earlier life of the server: does their attempt still run?
    async fn find_out(&self) {
        let store = self.store.clone();
        let unknown = tokio::task::spawn_blocking(move || {
            let logs = store.open_logs()?.into_iter().map(|(id, ..)| id);
            let unknown = logs.filter(|id| !store.is_known(id)).take(200);
            let with_header = unknown.map(|id| Ok((store.header(&id)?, id)));
            with_header.collect::<io::Result<Vec<_>>>()
        });
        let Ok(Ok(unknown)) = unknown.await else {
            return;
        };
        for (header, id) in unknown {
            let attempt = match header {
                Some(header) => match current(&self.handle, &self.running, &header.task_id).await {
                    Some(attempt) => attempt,
                    // The scheduler is not there yet.
                    None => continue,
                },
                None => None,
            };
            self.store.know(&id);
            if attempt.is_none_or(|attempt| attempt.id != id) {
                self.store.ended(&id);
            }
        }
    }
}

/// One look at everything.
pub(super) fn sweep(store: &LogStore, pack_after: Duration) -> io::Result<()> {
    let logs = store.open_logs()?;
    store.forget_idle(&logs);
    let now_secs = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let now = Instant::now();
    let age = |ended: &Option<Instant>| ended.map(|ended| now.duration_since(ended));
    let mut due = Vec::new();
    let mut bytes = 0;
    let mut oldest = Duration::ZERO;
    for (id, size, ended) in &logs {
        if let Some(age) = age(ended)
            && age >= LATE.min(pack_after)
            && bytes < PACK_BYTES
            && due.len() < PACK_LOGS
        {
            due.push(*id);
            bytes += size;
            oldest = oldest.max(age);
        }
    }
    let mut live: u64 = logs.iter().map(|(_, bytes, _)| bytes).sum();
    let wanted = store.room.take_refused();
    let is_full = store.count(live) > store.config.total_bytes || store.room.is_short(wanted);
    let mut packed = Ok(());
    if !due.is_empty()
        && (is_full || bytes >= PACK_BYTES || due.len() >= PACK_LOGS || oldest >= pack_after)
    {
        packed = store.pack(&due, now_secs);
        if packed.is_ok() {
            live -= bytes;
        }
    }
    // All the more on a disk that has no room for a pack.
    drop_old(store, now_secs, live, wanted)?;
    packed
}

/// Removes packs; beside them there are `live` bytes, and `wanted` more had no room on the disk.
fn drop_old(store: &LogStore, now_secs: u64, live: u64, wanted: u64) -> io::Result<()> {
    let keep = store.config.keep.as_secs();
    let mut dropped = 0_u64;
    let mut newest = 0;
    let mut why = "";
    for _ in 0..DROPS {
        let is_old = store
            .oldest_secs()
            .is_some_and(|made| made.saturating_add(keep) < now_secs);
        let is_much = store.count(live) > store.config.total_bytes;
        let reason = if is_old {
            "[logs] keep_days says how much is kept"
        } else if is_much {
            "[logs] total_bytes says how much is kept"
        } else if store.room.is_short(wanted) {
            // Otherwise the newest would be refused for as long as the oldest are kept.
            "the disk has so little room left that it is kept for the journal and newer logs"
        } else {
            break;
        };
        let Some((made, bytes)) = store.drop_oldest()? else {
            break;
        };
        why = reason;
        dropped += bytes;
        newest = newest.max(made);
    }
    if dropped > 0 {
        let days = now_secs.saturating_sub(newest) / 86400;
        tracing::info!(
            "{dropped} bytes of attempts' logs that were {days} or more days old were removed: {why}"
        );
    }
    Ok(())
}
