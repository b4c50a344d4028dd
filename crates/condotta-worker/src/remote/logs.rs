//! What runs print, on its way to a server that keeps it.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};

use super::{
    Identity, RemoteError,
    http::{FailureKind, Http, in_query},
};
use crate::{LogAnswer, LogBatch, LogSink};

/// Larger bodies are compressed.
const COMPRESS_FROM: usize = 4 << 10;

/// Sends pieces once.
pub(super) fn send(http: &Http, worker: &str, batch: &LogBatch<'_>) -> LogAnswer {
    let mut path = format!(
        "/api/v1/attempt-log?task_id={}&worker={}",
        in_query(batch.task_id),
        in_query(worker),
    );
    if let Some(attempt) = batch.attempt.filter(|attempt| *attempt > 0) {
        path += &format!("&attempt={attempt}");
    }
    if let Some(id) = batch.id {
        path += &format!("&id={}", in_query(id));
    }
    let mut body = Vec::new();
    batch.frames.iter().for_each(|frame| frame.write(&mut body));
    let compressed = (body.len() > COMPRESS_FROM)
        .then(|| compress(&body))
        .flatten();
    let encoding = compressed.as_ref().map(|_| "gzip");
    let body = compressed.as_ref().unwrap_or(&body);
    let kind = "application/octet-stream";
    match http.send(&path, kind, encoding, body, Duration::ZERO) {
        Ok(text) => taken(&text).unwrap_or(LogAnswer::Away),
        Err(failure) => match failure.kind {
            FailureKind::Away { .. } | FailureKind::Broken | FailureKind::NoWay => LogAnswer::Away,
            FailureKind::NoMethod => LogAnswer::NoLogs,
            FailureKind::TooLong | FailureKind::Refused => {
                LogAnswer::Refused(failure.error.to_string())
            }
        },
    }
}

fn taken(text: &str) -> Option<LogAnswer> {
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(LogAnswer::Taken {
        id: answer["id"].as_str()?.to_owned(),
        last: answer["last"].as_u64()?,
    })
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// A server that keeps what runs print, for workers whose other requests go another way.
pub struct RemoteLogs {
    http: Http,
    worker: String,
}

impl RemoteLogs {
    /// For the runs of `worker`, to the scheduler at `url`, as [`RemoteScheduler`](super::RemoteScheduler)
    /// takes it. `timeout_secs` bounds each step: connecting, and each wait for the answer.
    ///
    /// # Errors
    ///
    /// When the URL is none, or the time is negative.
    pub fn new(
        url: &str,
        worker: &str,
        timeout_secs: f64,
        identity: &Identity,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            http: Http::at(url, timeout_secs, identity)?,
            worker: worker.to_owned(),
        })
    }
}

impl LogSink for RemoteLogs {
    fn send(&self, batch: &LogBatch<'_>) -> LogAnswer {
        send(&self.http, &self.worker, batch)
    }
}
