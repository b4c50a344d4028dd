//! A log that is shown while it is written.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use hyper::body::{Body as HttpBody, Frame};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::timeout,
};

use super::content_type;
use crate::{
    attempt_id::AttemptId,
    http::{Server, error::HttpError},
    logs::{Feed, LogStore, Logs, Reading, Selection, Shape, current},
};

/// Keeps a silent stream alive, and finds out who is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Whether the attempt runs, as far as that can be said.
pub(super) async fn runs(server: &Server, logs: &Logs, id: &AttemptId) -> bool {
    if logs.running.is_running(id) {
        return true;
    }
    let (store, of) = (logs.store.clone(), *id);
    let stored = tokio::task::spawn_blocking(move || store.read(&of)).await;
    let Ok(Ok(Some(stored))) = stored else {
        return false;
    };
    let current = current(&server.handle, &logs.running, &stored.header.task_id).await;
    current.flatten().is_some_and(|attempt| attempt.id == *id)
}

/// Answers with what there is and what comes, until the attempt ends.
pub(super) fn start(
    server: &Server,
    logs: &Logs,
    id: &AttemptId,
    selection: Selection,
    shape: Shape,
) -> Result<Response, HttpError> {
    let place = logs.followers.clone().try_acquire_owned();
    let place = place.map_err(|_| {
        let message =
            "too many logs are followed now; try again in a moment, or read without follow";
        HttpError::unavailable("busy", message)
    })?;
    // One piece may wait in here; the rest waits on the disk.
    let (pieces, body) = mpsc::channel(1);
    let (logs, id, server) = (logs.clone(), *id, server.clone());
    tokio::spawn(async move {
        let _place = place;
        let mut closing = logs.closing.subscribe();
        tokio::select! {
            () = follow(&server, &logs, &id, selection, shape, &pieces) => {}
            () = pieces.closed() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    });
    let mut response = Response::new(Body::new(Pieces(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(shape));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The body of the answer.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

async fn follow(
    server: &Server,
    logs: &Logs,
    id: &AttemptId,
    selection: Selection,
    shape: Shape,
    out: &mpsc::Sender<Bytes>,
) {
    let mut feed = logs.store.follow(id);
    let mut reading = None;
    if !catch_up(&logs.store, id, selection, shape, &mut reading, out).await {
        return;
    }
    // It may have ended before it was listened to.
    let mut ended = !runs(server, logs, id).await;
    while !ended {
        match timeout(HEARTBEAT, feed.recv()).await {
            Ok(Ok(Feed::Pieces(pieces))) => {
                let reading = reading.get_or_insert_with(|| Reading::new(shape, 0));
                let mut text = Vec::new();
                reading.write(&pieces, &mut text);
                if !text.is_empty() && out.send(text.into()).await.is_err() {
                    return;
                }
            }
            Ok(Ok(Feed::Ended) | Err(RecvError::Closed)) => ended = true,
            Ok(Err(RecvError::Lagged(_))) => {
                if !catch_up(&logs.store, id, selection, shape, &mut reading, out).await {
                    return;
                }
            }
            Err(_) => {
                let beat: &'static [u8] = match shape {
                    Shape::Text => b"",
                    Shape::Lines => b"\n",
                    Shape::Events => b": nothing new\n\n",
                };
                if !beat.is_empty() && out.send(Bytes::from_static(beat)).await.is_err() {
                    return;
                }
                // Whoever should have said that it ended may not have known it.
                ended = !runs(server, logs, id).await;
            }
        }
    }
    catch_up(&logs.store, id, selection, shape, &mut reading, out).await;
    let end: &'static [u8] = match shape {
        Shape::Text => return,
        Shape::Lines => b"{\"source\": \"end\"}\n",
        Shape::Events => b"event: end\ndata: {}\n\n",
    };
    let _ = out.send(Bytes::from_static(end)).await;
}

/// Writes what is on the disk and was not written yet. Whether anybody reads it.
async fn catch_up(
    store: &Arc<LogStore>,
    id: &AttemptId,
    selection: Selection,
    shape: Shape,
    reading: &mut Option<Reading>,
    out: &mpsc::Sender<Bytes>,
) -> bool {
    let (store, id) = (store.clone(), *id);
    let stored = tokio::task::spawn_blocking(move || store.read(&id)).await;
    let Ok(Ok(Some(stored))) = stored else {
        return true;
    };
    let pieces = match reading {
        Some(_) => stored.pieces,
        None => Selection {
            limit: None,
            ..selection
        }
        .of(stored.pieces),
    };
    let reading = reading.get_or_insert_with(|| {
        let begin = match selection.tail {
            Some(_) => pieces
                .first()
                .map_or(selection.position, |piece| piece.position),
            None => 0,
        };
        Reading::new(shape, begin.max(selection.position))
    });
    let mut text = Vec::new();
    reading.write(&pieces, &mut text);
    text.is_empty() || out.send(text.into()).await.is_ok()
}
