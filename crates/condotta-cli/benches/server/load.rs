//! Generates load: requests over keep-alive connections, written and read by hand, so that the
//! generator takes as little as it can of the cores that the server needs.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket can");
        Self {
            stream,
            buffer: Vec::with_capacity(1 << 16),
        }
    }

    /// Calls a method; the length of the answer's body.
    pub(crate) async fn call(&mut self, method: &str, data: &str) -> usize {
        let request = request(method, data);
        self.send(request.as_bytes()).await;
        self.receive().await.1
    }

    /// Calls a method; the answer's body.
    pub(crate) async fn ask(&mut self, method: &str, data: &str) -> Vec<u8> {
        let request = request(method, data);
        self.send(request.as_bytes()).await;
        let (head, length) = self.receive().await;
        self.buffer[head..head + length].to_vec()
    }

    /// Posts bytes, as condotta's own workers do.
    pub(crate) async fn post(&mut self, path: &str, body: &[u8]) {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(&request).await;
        self.receive().await;
    }

    async fn send(&mut self, request: &[u8]) {
        self.stream
            .write_all(request)
            .await
            .expect("the server reads");
    }

    /// Where the body starts, and its length.
    async fn receive(&mut self) -> (usize, usize) {
        self.buffer.clear();
        loop {
            if let Some((head, length)) = parsed(&self.buffer) {
                if self.buffer.len() >= head + length {
                    assert!(
                        self.buffer.starts_with(b"HTTP/1.1 200"),
                        "not a success: {}",
                        String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(600)])
                    );
                    return (head, length);
                }
                self.buffer.reserve(head + length - self.buffer.len());
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            assert!(
                read.expect("the server answers") > 0,
                "the server closed the connection"
            );
        }
    }
}

/// Where the body starts and how long it is, when the head is complete.
fn parsed(buffer: &[u8]) -> Option<(usize, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&buffer[..head]).expect("heads are ASCII");
    let length = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().expect("a length"))
        })
        .expect("every answer says its length");
    Some((head + 4, length))
}

fn request(method: &str, data: &str) -> String {
    let body = form(data);
    format!(
        "POST /api/{method} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The form that a stock worker sends.
fn form(data: &str) -> String {
    let mut body = String::with_capacity(data.len() * 2);
    body.push_str("data=");
    for byte in data.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                body.push(char::from(byte));
            }
            b' ' => body.push('+'),
            _ => body.push_str(&format!("%{byte:02X}")),
        }
    }
    body
}

/// What a stock worker sends to announce a task with three parameters.
pub(crate) fn announcement(worker: &str, task_id: &str, deps: &[String]) -> String {
    let deps: Vec<String> = deps.iter().map(|dep| format!("\"{dep}\"")).collect();
    format!(
        "{{\"task_id\": \"{task_id}\", \"status\": \"PENDING\", \"runnable\": true, \
         \"deps\": [{}], \"new_deps\": null, \"expl\": null, \"resources\": {{}}, \
         \"priority\": 0, \"family\": \"Load\", \"module\": \"load\", \
         \"params\": {{\"date\": \"2026-01-01\", \"number\": \"{}\", \"text\": \"abcdef\"}}, \
         \"param_visibilities\": {{\"date\": 0, \"number\": 0, \"text\": 0}}, \
         \"accepts_messages\": false, \"assistant\": false, \"tracking_url\": null, \
         \"worker\": \"{worker}\", \"batchable\": false, \"batch_id\": null, \
         \"retry_policy_dict\": {{\"retry_count\": null, \"disable_hard_timeout\": null, \
         \"disable_window\": null}}, \"owners\": null}}",
        deps.join(", "),
        task_id.len(),
    )
}

/// How many `add_task` of new tasks are answered a second, over so many connections.
pub(crate) async fn add_task_rate(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    round: usize,
) -> f64 {
    let started = Instant::now();
    let answered = add_tasks(address, connections, duration, round).await;
    answered as f64 / started.elapsed().as_secs_f64()
}

/// How many `add_task` of new tasks are answered in that time.
pub(crate) async fn add_tasks(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    round: usize,
) -> u64 {
    let end = Instant::now() + duration;
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..connections {
        senders.spawn(async move {
            let mut connection = Connection::open(address).await;
            let worker = format!("worker-{number}");
            let mut answered = 0_u64;
            while Instant::now() < end {
                let task_id = format!("Load_2026_01_01_{round}_{connections}_{number}_{answered}");
                let data = announcement(&worker, &task_id, &[]);
                connection.call("add_task", &data).await;
                answered += 1;
            }
            answered
        });
    }
    senders.join_all().await.iter().sum()
}

/// How many tasks are announced, handed out and reported as done in that time, one after the other by each of
/// so many workers.
pub(crate) async fn whole_tasks(
    address: SocketAddr,
    workers: usize,
    duration: Duration,
    round: usize,
) -> u64 {
    let end = Instant::now() + duration;
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..workers {
        senders.spawn(async move {
            let mut connection = Connection::open(address).await;
            let worker = format!("worker-{round}-{number}");
            let work = get_work(&worker);
            let mut done = 0_u64;
            while Instant::now() < end {
                let task_id = format!("Whole_2026_01_01_{round}_{number}_{done}");
                let data = announcement(&worker, &task_id, &[]);
                connection.call("add_task", &data).await;
                let handed_out = connection.ask("get_work", &work).await;
                let handed_out = String::from_utf8(handed_out).expect("JSON is UTF-8");
                assert!(handed_out.contains(&task_id), "{handed_out}");
                let data = data.replace("PENDING", "DONE");
                connection.call("add_task", &data).await;
                done += 1;
            }
            done
        });
    }
    senders.join_all().await.iter().sum()
}

/// What a stock worker sends to be handed a task.
pub(crate) fn get_work(worker: &str) -> String {
    format!(
        r#"{{"worker": "{worker}", "host": "localhost", "assistant": false, "current_tasks": null}}"#
    )
}

/// Shapes of graphs.
#[derive(Clone, Copy)]
pub(crate) enum Graph {
    Independent,
    /// Layers of 100, in which each task depends on three of the layer below.
    Layered,
}

/// Announces a graph of so many tasks for one worker, over a few connections. Dependencies come first.
pub(crate) async fn announce(address: SocketAddr, graph: Graph, tasks: usize) {
    const LAYER: usize = 100;
    const CONNECTIONS: usize = 8;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await);
    }
    let mut from = 0;
    while from < tasks {
        let to = (from + LAYER).min(tasks);
        let mut senders = tokio::task::JoinSet::new();
        for (offset, mut connection) in connections.drain(..).enumerate() {
            senders.spawn(async move {
                for number in (from + offset..to).step_by(CONNECTIONS) {
                    let deps = match graph {
                        Graph::Layered if from > 0 => (0..3)
                            .map(|step| id(from - LAYER + (number + step) % LAYER))
                            .collect(),
                        _ => Vec::new(),
                    };
                    let data = announcement("worker", &id(number), &deps);
                    connection.call("add_task", &data).await;
                }
                connection
            });
        }
        connections = senders.join_all().await;
        from = to;
    }
}

fn id(number: usize) -> String {
    format!("Load_2026_01_01_{number}_abcdef_{number:010x}")
}

/// How long calls of a method take one after the other, shortest first.
pub(crate) async fn latencies(
    address: SocketAddr,
    method: &str,
    data: &str,
    until: impl Fn(usize, Instant) -> bool,
) -> Vec<Duration> {
    let mut connection = Connection::open(address).await;
    let started = Instant::now();
    let mut taken = Vec::new();
    while !until(taken.len(), started) {
        let before = Instant::now();
        connection.call(method, data).await;
        taken.push(before.elapsed());
    }
    taken.sort_unstable();
    taken
}

/// The value below which this share of the sorted values lies.
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Reads everything again and again, as web pages do that are left open. The sizes of the answers.
pub(crate) async fn browse(address: SocketAddr, until: Instant) -> BTreeMap<&'static str, usize> {
    let mut connection = Connection::open(address).await;
    let mut sizes = BTreeMap::new();
    while Instant::now() < until {
        for (method, data) in [
            (
                "task_list",
                r#"{"status": "PENDING", "upstream_status": ""}"#,
            ),
            ("worker_list", "{}"),
            ("resource_list", "{}"),
            ("graph", "{}"),
        ] {
            sizes.insert(method, connection.call(method, data).await);
        }
    }
    sizes
}
