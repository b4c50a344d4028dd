//! Takes in the body of a request, within bounds of size, time and memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use http_body_util::BodyExt;

use super::{config::HttpConfig, error::HttpError};

/// Bodies up to this size are bounded by the number of connections alone.
const SMALL: usize = 64 << 10;

/// How many bytes of large bodies are in memory, over all requests.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    used: Arc<AtomicUsize>,
    most: usize,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            used: Arc::default(),
            most,
        }
    }

    fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            taken: 0,
        }
    }
}

/// What one request takes of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    taken: usize,
}

impl Share {
    /// Counts a body of `size` bytes so far.
    fn grow(&mut self, size: usize) -> Result<(), HttpError> {
        if size <= SMALL {
            return Ok(());
        }
        let more = size - self.taken;
        self.taken = size;
        let used = self.budget.used.fetch_add(more, Ordering::Relaxed);
        if used + more <= self.budget.most {
            return Ok(());
        }
        let most = self.budget.most;
        let message = format!(
            "large requests fill the {most} bytes that the server keeps for them; try again in a moment"
        );
        Err(HttpError::unavailable("busy", message).and_close())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// Reads all of `body`. The share has to be kept for as long as the bytes are.
pub(crate) async fn read(
    body: Body,
    config: &HttpConfig,
    budget: &Budget,
) -> Result<(Bytes, Share), HttpError> {
    let mut share = budget.share();
    let announced = body.size_hint().lower();
    if announced > config.max_body as u64 {
        return Err(too_large(config));
    }
    if body.is_end_stream() {
        return Ok((Bytes::new(), share));
    }
    let time = config.body_timeout + Duration::from_secs(announced / 100_000);
    let bytes = tokio::time::timeout(time, collect(body, config, &mut share))
        .await
        .map_err(|_| too_slow(time))??;
    Ok((bytes, share))
}

async fn collect(
    mut body: Body,
    config: &HttpConfig,
    share: &mut Share,
) -> Result<Bytes, HttpError> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let message = format!("the body ended early: {error}");
            HttpError::bad_request("bad_body", message).and_close()
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let size = first.len() + all.len() + data.len();
        if size > config.max_body {
            return Err(too_large(config));
        }
        share.grow(size)?;
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            let rest = usize::try_from(body.size_hint().lower()).unwrap_or_default();
            all.reserve(first.len() + data.len() + rest.min(1 << 20));
            all.extend_from_slice(&first);
            first = Bytes::new();
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

fn too_large(config: &HttpConfig) -> HttpError {
    let message = format!(
        "the body is larger than {} bytes, which the server was told is the most that it takes",
        config.max_body
    );
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).and_close()
}

fn too_slow(time: Duration) -> HttpError {
    let message = format!("the body did not arrive within {} s", time.as_secs_f64());
    HttpError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message).and_close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_kept_of_the_budget() {
        let config = HttpConfig::default();
        let budget = Budget::new(200_000);
        let (bytes, share) = read(Body::from(vec![7; 150_000]), &config, &budget)
            .await
            .expect("within the budget");
        assert_eq!(bytes.len(), 150_000);
        let second = read(Body::from(vec![7; 150_000]), &config, &budget).await;
        assert!(second.is_err(), "both together are beyond it");
        drop(share);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
