//! Sockets: where the server listens, how many connections it keeps and for how long.
//!
//! A client may be slow, silent or one of thousands: it costs one place among the connections, and
//! that for a bounded time. Knows nothing of what is asked for.

mod accept;
mod bind;
mod connection;
mod descriptors;
#[cfg(test)]
mod tests;
mod tls;

use std::{fmt, future::Future, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::metrics::Gauge;
pub use bind::{ListenError, Listener, Place, bind};
pub use tls::{Tls, TlsError, TlsFiles};

/// How a request came in; found among a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Over TCP, where any page in a browser on this machine can send requests to.
    Tcp,
    /// Over a Unix socket, which browsers do not reach.
    Unix,
}

/// Who is at the other end of a connection; found among a request's extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its address; none over a Unix socket.
    pub address: Option<IpAddr>,
    /// Nobody on the way can read along.
    pub encrypted: bool,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.to_canonical().fmt(f),
            None => f.write_str("the Unix socket"),
        }
    }
}

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most connections at once; fewer if the process may not open as many files.
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, and before that a connection to be encrypted.
    pub header_timeout: Duration,
    /// How long a connection may wait for its next request. When there are no free places, those
    /// that have waited longest are closed sooner.
    pub idle_timeout: Duration,
    /// How long a connection has waited at least before it is closed to make room for another.
    pub min_rest: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// How many bytes a second a client has to take at least of an answer that is too long to be sent
    /// at once.
    pub write_rate: u64,
    /// How long requests may take to be finished when the server stops.
    pub shutdown_timeout: Duration,
    /// The greatest head of a request, in bytes.
    pub max_head: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            header_timeout: Duration::from_secs(10),
            // Tornado's, so that workers find their connections as they left them.
            idle_timeout: Duration::from_secs(3600),
            // Longer than from one ping of a worker to its next.
            min_rest: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
            write_rate: 100_000,
            shutdown_timeout: Duration::from_secs(5),
            max_head: 64 << 10,
        }
    }
}

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Takes connections.
    Open,
    /// Finishes what was asked.
    Closing,
    /// Lets go of whoever is still there.
    Ended,
}

/// What is served, and how.
#[derive(Debug)]
pub struct Serving {
    /// What answers requests.
    pub router: Router,
    /// What connections may take.
    pub limits: Limits,
    /// Shows how many connections are open.
    pub connections: Gauge,
}

impl Serving {
    /// The connections are counted for nobody.
    #[must_use]
    pub fn new(router: Router, limits: Limits) -> Self {
        Self {
            router,
            limits,
            connections: Gauge::default(),
        }
    }
}

/// What connections share.
struct Shared {
    router: Router,
    limits: Limits,
    connections: Gauge,
    places: Arc<Semaphore>,
    /// Told that places are short, one idle connection at a time.
    pressure: Notify,
    phase: watch::Receiver<Phase>,
}

/// Serves on all listeners until `stop` is there and what was asked till then is answered.
///
/// Ends at most a little after the shutdown time-out.
///
/// # Errors
///
/// When a listener cannot be used.
pub async fn serve(
    listeners: Vec<Listener>,
    serving: Serving,
    stop: impl Future<Output = ()>,
) -> Result<(), ListenError> {
    let Serving {
        router,
        limits,
        connections,
    } = serving;
    let count = descriptors::places(limits.max_connections);
    let (phase, phases) = watch::channel(Phase::Open);
    let shared = Arc::new(Shared {
        router,
        limits,
        connections,
        places: Arc::new(Semaphore::new(count)),
        pressure: Notify::new(),
        phase: phases,
    });
    let mut accepting = JoinSet::new();
    // Kept to the end: a Unix socket's file goes with its listener.
    let mut kept = Vec::new();
    for listener in listeners {
        let (socket, tls, file) = listener.into_socket()?;
        accepting.spawn(accept::accept(socket, tls, shared.clone()));
        kept.push(file);
    }
    stop.await;
    let _ = phase.send(Phase::Closing);
    accepting.join_all().await;
    drop(kept);
    let all = u32::try_from(count).unwrap_or(u32::MAX);
    if timeout(
        shared.limits.shutdown_timeout,
        shared.places.acquire_many(all),
    )
    .await
    .is_err()
    {
        let _ = phase.send(Phase::Ended);
        let _ = timeout(Duration::from_secs(1), shared.places.acquire_many(all)).await;
    }
    Ok(())
}
