//! What readers of the event stream cost workers: the same load on the same server, turn by turn with
//! readers and without, so that the machine's mood is in neither's favour.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{Size, load, median};
use crate::servers::{Kind, Server};

/// How many read at once.
const READERS: usize = 50;
/// How many workers announce tasks at once.
const CONNECTIONS: usize = 16;

/// Requests a second, with readers and without.
pub(super) async fn beside_readers(size: &Size) {
    let server = Server::start(Kind::Condotta);
    let mut rates = [Vec::new(), Vec::new()];
    let mut told = 0;
    for round in 0..2 * size.rounds {
        for has_readers in [round % 2 == 0, round % 2 != 0] {
            let mut readers = JoinSet::new();
            if has_readers {
                for _ in 0..READERS {
                    readers.spawn(read(open(server.address).await));
                }
            }
            let duration = Duration::from_secs_f64(size.seconds);
            // Tasks of its own in each turn, so that every one is new and told of.
            let turn = 2 * round + usize::from(has_readers);
            let rate = load::add_task_rate(server.address, CONNECTIONS, duration, turn).await;
            rates[usize::from(has_readers)].push(rate);
            told += stop(server.address, readers).await;
        }
    }
    let [without, with] = rates.each_mut().map(|rates| median(rates));
    println!(
        "\nadd_task a second with {CONNECTIONS} connections: {without:.0} alone, {with:.0} beside \
         {READERS} readers of events (x {:.2}), who were sent {} MB",
        with / without,
        told >> 20
    );
}

async fn open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let head = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(head).await.expect("the server reads");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert!(first.ends_with(b"200"), "not a success");
    stream
}

/// Reads until its task is ended.
async fn read(mut stream: TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        TOLD.fetch_add(read, Ordering::Relaxed);
    }
}

/// How much all readers got.
static TOLD: AtomicUsize = AtomicUsize::new(0);

/// Ends the readers; how much they got. Each got something, if there were any.
async fn stop(address: SocketAddr, mut readers: JoinSet<()>) -> usize {
    let had_readers = !readers.is_empty();
    readers.shutdown().await;
    // The server has noticed that they are gone when it has answered whoever came later.
    load::Connection::open(address)
        .await
        .call("ping", r#"{"worker": "w"}"#)
        .await;
    let told = TOLD.swap(0, Ordering::Relaxed);
    assert!(
        !had_readers || told > READERS,
        "the readers were told nothing"
    );
    told
}
