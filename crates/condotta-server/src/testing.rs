//! A server on a free port and a plain client, for the tests of this crate.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use condotta_protocol::{LongRead, dispatch};
use condotta_scheduler::{Config, Now, Scheduler, Timestamp};
use tokio::sync::Notify;

use crate::{
    api::{Events, EventsConfig},
    clock::Clock,
    driver::{CallError, Handle, Message, Reply},
    http::{self, HttpConfig},
    listen::{self, Limits, Listener, Place, Serving},
    metrics::Metrics,
    notify::Notifier,
    serve::{Server, ServerConfig},
};

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A handle to a scheduler in memory, which also fails, waits or is large when told to.
pub(crate) fn handle(limits: &[(&str, u64)]) -> Handle {
    let (messages, asked) = mpsc::channel();
    let limits = limits
        .iter()
        .map(|&(name, limit)| (name.to_owned(), limit))
        .collect();
    thread::spawn(move || {
        let clock = Clock::starting_at(Timestamp::default());
        let mut scheduler = Scheduler::new(Config::default(), limits, 0);
        while let Ok(message) = asked.recv() {
            let call = match message {
                Message::Call(call) => call,
                Message::Look(look) => {
                    look(&scheduler, clock.now());
                    continue;
                }
                Message::Read(mut turn) => {
                    while !turn.step(&scheduler, clock.now(), usize::MAX) {}
                    turn.finish();
                    continue;
                }
                Message::Act(act) => {
                    let done = (act.work)(&mut scheduler, clock.now());
                    let _ = act
                        .answer
                        .send(done.map(Reply::Value).map_err(CallError::from));
                    continue;
                }
                _ => return,
            };
            let answer = match call.method.as_str() {
                "test_fail" => Err(CallError::Failed("a test said so".to_owned())),
                "test_wait" => {
                    thread::spawn(move || {
                        thread::sleep(Duration::from_millis(300));
                        let _ = call.answer.send(Ok(Reply::Value("waited".into())));
                    });
                    continue;
                }
                "graph" => Ok(Reply::Read(Box::new(Long(20_000_000)))),
                "dep_graph" => Ok(Reply::Read(Box::new(Long(4_000_000)))),
                method => dispatch(&mut scheduler, clock.now(), method, call.arguments)
                    .map(Reply::Value)
                    .map_err(CallError::from),
            };
            let _ = call.answer.send(answer);
        }
    });
    Handle::for_tests(messages)
}

/// A read with a long answer.
struct Long(usize);

impl LongRead for Long {
    fn step(&mut self, _: &Scheduler, _: Now, _: usize) -> bool {
        true
    }

    fn write(self: Box<Self>, out: &mut Vec<u8>) {
        out.extend(format!("\"{}\"", "x".repeat(self.0)).into_bytes());
    }
}

/// A server in a thread of its own; it stops when dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    stop: Arc<Notify>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) http: HttpConfig,
    pub(crate) limits: Limits,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) events: EventsConfig,
    pub(crate) resources: &'static [(&'static str, u64)],
}

impl Setup {
    pub(crate) fn start(self) -> TestServer {
        let handle = handle(self.resources);
        self.start_with(handle)
    }

    pub(crate) fn start_with(self, handle: Handle) -> TestServer {
        let listeners = listen::bind(&[Place::Loopback { port: 0 }]).expect("a free port");
        self.start_on(handle, listeners)
    }

    pub(crate) fn start_on(self, handle: Handle, listeners: Vec<Listener>) -> TestServer {
        let address = listeners.iter().find_map(Listener::tcp_address);
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            let services = http::Services {
                handle,
                metrics: self.metrics,
                events: Events::new(self.events),
                notifier: Notifier::default(),
                history: None,
                logs: None,
                series: crate::api::Series::default(),
                refused: crate::audit::RefusedLately::default(),
            };
            let router = http::router(services, self.http);
            let serve = listen::serve(listeners, Serving::new(router, self.limits), async move {
                stopped.notified().await;
            });
            runtime.block_on(serve).expect("the sockets are good");
        });
        TestServer {
            address: address.unwrap_or_else(|| ([127, 0, 0, 1], 0).into()),
            stop,
            thread: Some(thread),
        }
    }
}

/// A whole server, with its state on disk.
pub(crate) fn start_whole(config: ServerConfig) -> TestServer {
    let server = Server::bind(config).expect("a free port");
    let address = server.listeners().iter().find_map(Listener::tcp_address);
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let (ready, is_ready) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let started = move |_: &_| {
            let _ = ready.send(());
        };
        let stop = async move { stopped.notified().await };
        let ran = runtime.block_on(server.run(started, stop));
        ran.expect("it can store");
    });
    is_ready.recv_timeout(PATIENCE).expect("it starts");
    TestServer {
        address: address.expect("it listens on TCP"),
        stop,
        thread: Some(thread),
    }
}

impl TestServer {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a time-out");
        stream
    }

    /// Sends a request over a connection of its own.
    pub(crate) fn ask(
        &self,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = self.connect();
        send(&mut stream, verb, path, headers, body.as_bytes());
        receive(&mut stream, verb)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// Calls a method as workers do.
    pub(crate) fn call(&self, method: &str, arguments: &str) -> Answer {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let body = format!("data={}", percent(arguments));
        self.ask("POST", &format!("/api/{method}"), &[form], &body)
    }

    /// Begins to stop.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
        let ended = self.thread.take().map(thread::JoinHandle::join);
        if !thread::panicking() {
            ended
                .expect("joined once")
                .expect("the server does not panic");
        }
    }
}

/// Encodes all but letters and digits.
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Writes a request; adds `Host` and `Content-Length` if they are not among the headers.
pub(crate) fn send(
    stream: &mut impl Write,
    verb: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) {
    let mut head = format!("{verb} {path} HTTP/1.1\r\n");
    let has = |wanted: &str| {
        headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if !has("host") {
        head += "host: localhost\r\n";
    }
    if !has("content-length") && !has("transfer-encoding") {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let request = [head.as_bytes(), body].concat();
    stream.write_all(&request).expect("the server reads");
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is text")
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        let error: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        assert!(error["error"]["message"].is_string(), "{error}");
        error["error"]["code"].as_str().expect("a code").to_owned()
    }
}

/// Reads one answer.
pub(crate) fn receive(stream: &mut impl Read, verb: &str) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut byte).expect("an answer in time");
        assert!(
            read == 1,
            "closed after {:?}",
            String::from_utf8_lossy(&head)
        );
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("heads are ASCII");
    let mut lines = head.lines();
    let status_line = lines.next().expect("a status line");
    let status = status_line
        .split(' ')
        .nth(1)
        .expect("a status")
        .parse()
        .expect("a number");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let length = answer
        .header("content-length")
        .map_or(0, |text| text.parse().expect("a length"));
    if verb != "HEAD" && status != 304 {
        answer.body.resize(length, 0);
        stream.read_exact(&mut answer.body).expect("a whole body");
    }
    answer
}
