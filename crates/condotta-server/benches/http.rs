//! How many `add_task` requests a second the server answers, durable, beside a bare echo that only decodes
//! form and JSON on the same stack.
//!
//! `cargo bench -p condotta-server --bench http`; `-- 5` measures for five seconds each. Clients run in the
//! same process and cost both sides the same. Started without the word `--bench`, as a test does it, it
//! only looks at whether that works.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{Form, Router, routing::post};
use condotta_server::{Server, ServerConfig, listen};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::oneshot,
};

fn main() {
    let is_bench = std::env::args().any(|word| word == "--bench");
    let secs = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(if is_bench { 3.0 } else { 0.2 });
    let time = Duration::from_secs_f64(secs);
    println!(
        "{:>12} {:>14} {:>14} {:>14} {:>8}",
        "connections", "echo/s", "ping/s", "add_task/s", "ratio"
    );
    for connections in [1, 16, 64, 256] {
        let echo = with_echo(|address| load(address, connections, time, add_task));
        let ping = with_server(|address| load(address, connections, time, ping));
        let server = with_server(|address| load(address, connections, time, add_task));
        println!(
            "{connections:>12} {echo:>14.0} {ping:>14.0} {server:>14.0} {:>7.0}%",
            server / echo * 100.0
        );
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn with_server<T>(measure: impl FnOnce(SocketAddr) -> T) -> T {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::bind(ServerConfig::new(folder.path().to_owned(), 0)).expect("a free port");
    let address = server.listeners()[0].tcp_address().expect("TCP");
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let started = move |_: &_| ready.send(()).expect("somebody waits");
        let stopping = async { drop(stopped.await) };
        runtime()
            .block_on(server.run(started, stopping))
            .expect("it serves");
    });
    is_ready.recv().expect("it starts");
    let measured = measure(address);
    drop(stop);
    thread.join().expect("it stops");
    measured
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

async fn echo(Form(Data { data }): Form<Data>) -> String {
    let value: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    assert!(value.is_object());
    r#"{"response": null}"#.to_owned()
}

fn with_echo<T>(measure: impl FnOnce(SocketAddr) -> T) -> T {
    let runtime = runtime();
    let listener = listen::bind(&[listen::Place::Loopback { port: 0 }]).expect("a free port");
    let address = listener[0].tcp_address().expect("TCP");
    drop(listener);
    let router = Router::new().route("/api/add_task", post(echo));
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .expect("a free port");
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                stream.set_nodelay(true).expect("a socket");
            }),
            router,
        )
        .await
    });
    while std::net::TcpStream::connect(address).is_err() {}
    let measured = measure(address);
    runtime.shutdown_background();
    measured
}

/// What a stock worker sends for one of a graph's tasks.
fn add_task(connection: usize, round: u64) -> Vec<u8> {
    let arguments = format!(
        r#"{{"worker": "Worker(salt=0123456789, workers=1, host=host, username=user, pid={connection})", "task_id": "Example_2026_11_24_{connection}_{round}_0123456789", "status": "PENDING", "runnable": true, "deps": ["Upstream_{connection}_{round}_0123456789"], "new_deps": null, "expl": null, "resources": {{}}, "priority": 0, "family": "Example", "module": "pipelines.example", "params": {{"date": "2026-11-24", "index": "{connection}_{round}"}}, "param_visibilities": {{"date": 0, "index": 0}}, "accepts_messages": false, "assistant": false, "tracking_url": null, "batchable": false, "batch_id": null, "retry_policy_dict": {{"retry_count": null, "disable_hard_timeout": null, "disable_window": null}}, "owners": null}}"#
    );
    request("add_task", &arguments)
}

fn ping(connection: usize, _: u64) -> Vec<u8> {
    request("ping", &format!(r#"{{"worker": "w{connection}"}}"#))
}

fn request(method: &str, arguments: &str) -> Vec<u8> {
    let mut body = String::from("data=");
    for byte in arguments.bytes() {
        match byte {
            b' ' => body.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => body.push(b.into()),
            b => body.push_str(&format!("%{b:02X}")),
        }
    }
    let length = body.len();
    format!("POST /api/{method} HTTP/1.1\r\nHost: localhost:8082\r\nUser-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// Answers a second, when so many clients ask one after the other.
fn load(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    request: fn(usize, u64) -> Vec<u8>,
) -> f64 {
    let answered = Arc::new(AtomicU64::new(0));
    let clients = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let count = answered.clone();
    let end = Instant::now() + time;
    let began = Instant::now();
    clients.block_on(async {
        let tasks: Vec<_> = (0..connections)
            .map(|connection| {
                let count = count.clone();
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.expect("it listens");
                    stream.set_nodelay(true).expect("a socket");
                    let mut buffer = vec![0; 4096];
                    for round in 0.. {
                        if Instant::now() > end {
                            break;
                        }
                        stream
                            .write_all(&request(connection, round))
                            .await
                            .expect("it reads");
                        let size = stream.read(&mut buffer).await.expect("it answers");
                        assert!(
                            buffer[..size].starts_with(b"HTTP/1.1 200"),
                            "{}",
                            String::from_utf8_lossy(&buffer[..size])
                        );
                        assert!(buffer[..size].ends_with(b"}"), "answers come in one piece");
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no client fails");
        }
    });
    answered.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}
