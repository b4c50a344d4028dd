//! Takes connections, each only when there is a place for it.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpStream, UnixStream},
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

use tokio_rustls::server::TlsStream;

use super::{Peer, Phase, Shared, Tls, bind::AsyncSocket, connection};
use crate::seldom::Seldom;

/// How long to wait after a failure that the next attempt would only repeat.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection of any kind.
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

/// Takes connections until the server closes.
pub(super) async fn accept(socket: AsyncSocket, tls: Option<Tls>, shared: Arc<Shared>) {
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
            Ok((stream, peer)) => {
                let (shared, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    let _open = shared.connections.enter();
                    if let Some((stream, peer)) = begin(stream, peer, tls, &shared).await {
                        connection::serve(stream, peer, &shared).await;
                    }
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

/// The connection, encrypted if it has to be; nothing if the client, or the server, goes meanwhile.
async fn begin(
    stream: Stream,
    peer: Peer,
    tls: Option<Tls>,
    shared: &Shared,
) -> Option<(Stream, Peer)> {
    let (stream, tls) = match (stream, tls) {
        (Stream::Tcp(stream), Some(tls)) => (stream, tls),
        (stream, _) => return Some((stream, peer)),
    };
    let mut phase = shared.phase.clone();
    let begun = tokio::select! {
        begun = tls.begin(stream, peer, shared.limits.header_timeout) => begun?,
        _ = phase.wait_for(|phase| *phase != Phase::Open) => return None,
    };
    let encrypted = true;
    Some((Stream::Tls(begun), Peer { encrypted, ..peer }))
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

async fn next_stream(socket: &AsyncSocket) -> io::Result<(Stream, Peer)> {
    match socket {
        AsyncSocket::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            // Answers are small and whole; waiting for more would only delay them.
            let _ = stream.set_nodelay(true);
            let peer = Peer {
                address: Some(address.ip()),
                encrypted: false,
            };
            Ok((Stream::Tcp(stream), peer))
        }
        AsyncSocket::Unix(listener) => {
            Ok((Stream::Unix(listener.accept().await?.0), Peer::default()))
        }
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
