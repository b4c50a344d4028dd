//! What a pod prints, line by line, also where the connection breaks off in between.

use std::{pin::pin, time::Duration};

use futures_util::AsyncBufReadExt as _;
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::api::{Api, LogParams};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    watch,
};

/// Before it is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads a pod's output until it has ended and there is no more. Each piece is a line.
pub(super) fn start(
    pods: Api<Pod>,
    pod: String,
    has_ended: watch::Receiver<bool>,
) -> UnboundedReceiver<Vec<u8>> {
    let (lines, received) = unbounded_channel();
    tokio::spawn(async move {
        let mut last: Option<Timestamp> = None;
        loop {
            // A log that ends while its pod runs, as when it is moved away for its size, goes on.
            let is_last = *has_ended.borrow();
            match read(&pods, &pod, &mut last, &lines).await {
                Ok(()) if is_last => return,
                Ok(()) => tokio::time::sleep(PAUSE).await,
                // The pod has gone.
                Err(kube::Error::Api(status)) if status.code == 404 => return,
                Err(error) => {
                    tracing::debug!(target: "luigi-interface", "the log of pod {pod}: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if lines.is_closed() {
                return;
            }
        }
    });
    received
}

/// Passes on what comes after the last line. The cluster tells whole seconds only, so what came already is
/// left out by its time.
async fn read(
    pods: &Api<Pod>,
    pod: &str,
    last: &mut Option<Timestamp>,
    lines: &UnboundedSender<Vec<u8>>,
) -> kube::Result<()> {
    let from = LogParams {
        follow: true,
        timestamps: true,
        since_time: *last,
        ..LogParams::default()
    };
    let mut stream = pin!(pods.log_stream(pod, &from).await?);
    let known = *last;
    loop {
        let mut line = Vec::new();
        let read = stream.read_until(b'\n', &mut line).await;
        if read.map_err(|error| kube::Error::Service(error.into()))? == 0 {
            return Ok(());
        }
        let (time, text) = split(&line);
        if time.is_some() {
            if time <= known {
                continue;
            }
            *last = time;
        }
        // Nobody may listen any more.
        let _ = lines.send(text.to_vec());
    }
}

/// A line's time and its text.
fn split(line: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let Some(blank) = line.iter().position(|&byte| byte == b' ') else {
        return (None, line);
    };
    let time = std::str::from_utf8(&line[..blank]).ok();
    match time.and_then(|time| time.parse().ok()) {
        Some(time) => (Some(time), &line[blank + 1..]),
        None => (None, line),
    }
}
