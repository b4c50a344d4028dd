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
        let mut last = Last::default();
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

/// Where reading was broken off.
#[derive(Clone, Copy, Default)]
struct Last {
    time: Option<Timestamp>,
    /// How many lines of that time have been read.
    lines: usize,
}

impl Last {
    fn see(&mut self, time: Timestamp) {
        self.lines = match self.time == Some(time) {
            true => self.lines + 1,
            false => 1,
        };
        self.time = Some(time);
    }

    /// Whether a line of this time was read before; `again` are those that have come once more.
    fn knows(&self, time: Timestamp, again: &mut Self) -> bool {
        again.see(time);
        let is_known = |last| time < last || time == last && again.lines <= self.lines;
        self.time.is_some_and(is_known)
    }
}

/// Passes on what comes after the last line. The cluster is asked by whole seconds, so what came already is
/// left out by its time.
async fn read(
    pods: &Api<Pod>,
    pod: &str,
    last: &mut Last,
    lines: &UnboundedSender<Vec<u8>>,
) -> kube::Result<()> {
    let from = LogParams {
        follow: true,
        timestamps: true,
        // The client rounds: half of the time, what came in the same second would be lost.
        since_time: last.time.map(whole_seconds),
        ..LogParams::default()
    };
    let mut stream = pin!(pods.log_stream(pod, &from).await?);
    let (known, mut again) = (*last, Last::default());
    loop {
        let mut line = Vec::new();
        let read = stream.read_until(b'\n', &mut line).await;
        if read.map_err(|error| kube::Error::Service(error.into()))? == 0 {
            return Ok(());
        }
        let (time, text) = split(&line);
        if let Some(time) = time {
            if known.knows(time, &mut again) {
                continue;
            }
            last.see(time);
        }
        // Nobody may listen any more.
        let _ = lines.send(text.to_vec());
    }
}

/// Without the part of a second.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_asked_for_that_is_later_than_the_last_line() {
        let late: Timestamp = "2026-11-28T03:31:40.987654321Z".parse().unwrap();
        assert_eq!(whole_seconds(late).to_string(), "2026-11-28T03:31:40Z");
    }

    #[test]
    fn lines_of_one_moment_are_told_apart_by_their_number() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let (known, mut again, mut last) = (Last::default(), Last::default(), Last::default());
        for second in [1, 2, 2] {
            assert!(!known.knows(time(second), &mut again));
            last.see(time(second));
        }
        let mut again = Last::default();
        let known = [1, 2, 2, 2, 3].map(|second| last.knows(time(second), &mut again));
        assert_eq!(known, [true, true, true, false, false]);
    }
}
