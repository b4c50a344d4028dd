//! What the parts of the server count of themselves.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use condotta_history::Backlog;

use crate::logs::LogStore;

use super::{
    histogram::{Histogram, LONG, NUMBERS, QUICK},
    requests::Requests,
    text::Text,
};

/// A number that goes up and down. Cheap to clone; all clones are one number.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

/// Adds one to a [`Gauge`] for as long as it lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Gauge {
    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the number.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to the number.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Counts one more until what is returned is dropped.
    #[must_use]
    pub fn enter(&self) -> Counted {
        self.add(1);
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The counts. Every part of the server has the same.
#[derive(Debug)]
pub struct Meters {
    /// Connections that are open.
    pub connections: Gauge,
    /// Clients that follow the stream of events.
    pub event_readers: Gauge,
    /// What waits to be written to the history, if there is one.
    pub history: OnceLock<Backlog>,
    /// What attempts print, if that is kept.
    pub logs: OnceLock<Arc<LogStore>>,
    pub(crate) requests: Requests,
    /// Seconds from when a task could run until it did.
    pub(super) wait: Histogram,
    journal_bytes: AtomicU64,
    syncs: Histogram,
    commits: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            connections: Gauge::default(),
            event_readers: Gauge::default(),
            history: OnceLock::new(),
            logs: OnceLock::new(),
            requests: Requests::default(),
            wait: Histogram::new(LONG),
            journal_bytes: AtomicU64::new(0),
            syncs: Histogram::new(QUICK),
            commits: Histogram::new(NUMBERS),
        }
    }
}

impl Meters {
    /// So many bytes were written to the journal and are on the disk, for so many requests, and it took so long.
    pub(crate) fn note_commit(&self, bytes: usize, requests: usize, took: Duration) {
        self.journal_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.syncs.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
        self.commits.observe(requests as f64);
    }

    pub(super) fn write(&self, text: &mut Text) {
        self.requests.write(text);
        text.single(
            "condotta_connections",
            "gauge",
            "connections that are open",
            self.connections.get(),
        );
        text.single(
            "condotta_event_stream_readers",
            "gauge",
            "clients that follow the stream of events",
            self.event_readers.get(),
        );
        text.histograms(
            "condotta_task_wait_seconds",
            "seconds from when a task could run until it was handed out",
            &[(&[], &self.wait)],
        );
        text.single(
            "condotta_journal_bytes_total",
            "counter",
            "bytes written to the journal",
            self.journal_bytes.load(Ordering::Relaxed),
        );
        text.histograms(
            "condotta_journal_sync_seconds",
            "seconds that it took to have changes on the disk",
            &[(&[], &self.syncs)],
        );
        text.histograms(
            "condotta_journal_commit_requests",
            "requests whose changes shared one write",
            &[(&[], &self.commits)],
        );
        text.single(
            "condotta_history_backlog_bytes",
            "gauge",
            "what waits to be written to the history",
            self.history.get().map_or(0, Backlog::bytes),
        );
        text.single(
            "condotta_history_dropped_total",
            "counter",
            "events that the history lacks, since too many waited",
            self.history.get().map_or(0, Backlog::left_out),
        );
        text.single(
            "condotta_history_expired_total",
            "counter",
            "attempts that were dropped from the history, since they were too old or too many",
            self.history.get().map_or(0, Backlog::expired),
        );
        let logs = self.logs.get();
        text.single(
            "condotta_logs_bytes",
            "gauge",
            "what attempts print, on the disk",
            logs.map_or(0, |logs| logs.total_bytes()),
        );
        text.single(
            "condotta_logs_removed_bytes_total",
            "counter",
            "bytes of it that were removed, since they were too old or too many, or the disk had no room",
            logs.map_or(0, |logs| logs.removed_bytes()),
        );
        text.single(
            "condotta_logs_refused_total",
            "counter",
            "requests of workers that brought more of it, when there was no room, or the disk failed",
            logs.map_or(0, |logs| logs.refused()),
        );
    }
}
