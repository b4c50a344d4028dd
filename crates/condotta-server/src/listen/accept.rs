//! Takes connections, each only when there is a place for it.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpStream, UnixStream},
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

use super::{Phase, Shared, bind::AsyncSocket, connection};
use crate::seldom::Seldom;

/// How long to wait after a failure that the next attempt would only repeat.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection of either kind.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Takes connections until the server closes.
pub(super) async fn accept(socket: AsyncSocket, shared: Arc<Shared>) {
    let mut phase = shared.phase.clone();
    let (failing, full) = (Seldom::default(), Seldom::default());
    loop {
        let next = async {
            let place = place(&shared, &full).await;
            (place, next_stream(&socket).await)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            _ = phase.wait_for(|phase| *phase != Phase::Open) => return,
        };
        match stream {
            Ok(stream) => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    connection::serve(stream, &shared).await;
                    drop(place);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                if failing.is_due() {
                    tracing::error!("cannot take a connection: {error}; trying on");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// A place for one more connection. While there is none, idle connections are asked to go.
async fn place(shared: &Arc<Shared>, full: &Seldom) -> OwnedSemaphorePermit {
    let places = &shared.places;
    loop {
        if let Ok(place) = places.clone().try_acquire_owned() {
            return place;
        }
        if full.is_due() {
            tracing::warn!(
                "all places for connections are taken; new clients wait, idle ones are closed"
            );
        }
        shared.pressure.notify_one();
        let wait = timeout(Duration::from_millis(20), places.clone().acquire_owned());
        if let Ok(Ok(place)) = wait.await {
            return place;
        }
    }
}

async fn next_stream(socket: &AsyncSocket) -> io::Result<Stream> {
    match socket {
        AsyncSocket::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            // Answers are small and whole; waiting for more would only delay them.
            let _ = stream.set_nodelay(true);
            Ok(Stream::Tcp(stream))
        }
        AsyncSocket::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
    }
}

/// Whether the connection was gone before it was taken, which says nothing about the next.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
