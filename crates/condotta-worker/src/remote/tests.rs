//! The client with a server that answers as a script says.

use std::{
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, mpsc::channel},
    time::{Duration, Instant},
};

use condotta_protocol::{Json, read_json};
use condotta_scheduler::{AddTask, Assignment, GetWork, Status};
use tiny_http::{Header, Request, Response, StatusCode};

use super::{RemoteOptions, RemoteScheduler};
use crate::{Scheduler as _, SchedulerError, StopLevel};

const PATIENCE: Duration = Duration::from_secs(20);
const NULL: &str = r#"{"response": null}"#;

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    headers: Vec<(String, String)>,
    data: String,
    client_port: u16,
}

impl Seen {
    fn of(request: &mut Request) -> Self {
        let mut body = String::new();
        request.as_reader().read_to_string(&mut body).unwrap();
        let encoded = body
            .strip_prefix("data=")
            .unwrap_or_else(|| panic!("{body}"));
        let headers = request.headers().iter();
        Self {
            path: request.url().to_owned(),
            headers: headers
                .map(|header| (header.field.to_string(), header.value.to_string()))
                .collect(),
            data: decoded(encoded),
            client_port: request.remote_addr().unwrap().port(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter();
        let mut found = found.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    fn field(&self, name: &str) -> Json {
        let Json::Object(object) = read_json(&self.data).unwrap() else {
            panic!("{}", self.data);
        };
        let found = object.into_entries().into_iter();
        let mut found = found.filter(|(own, _)| own == name);
        found.next().map_or(Json::Null, |(_, value)| value)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

type Answer = Response<std::io::Cursor<Vec<u8>>>;

fn answer(status: u16, text: &str) -> Answer {
    Response::from_data(text.as_bytes()).with_status_code(StatusCode(status))
}

/// A server on a thread of its own. `script` is given each request and how many there were of that
/// method before.
struct Server {
    http: Arc<tiny_http::Server>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    fn start(script: impl Fn(&Seen, &str, usize) -> Answer + Send + 'static) -> Self {
        Self::start_at(0, script)
    }

    fn start_at(port: u16, script: impl Fn(&Seen, &str, usize) -> Answer + Send + 'static) -> Self {
        let http = Arc::new(tiny_http::Server::http((Ipv4Addr::LOCALHOST, port)).unwrap());
        let seen = Arc::new(Mutex::new(Vec::<Seen>::new()));
        let (server, log) = (Arc::clone(&http), Arc::clone(&seen));
        std::thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let now = Seen::of(&mut request);
                let method = now.path.rsplit('/').next().unwrap().to_owned();
                let before = {
                    let mut log = log.lock().unwrap();
                    let same = log.iter().filter(|seen| seen.path == now.path);
                    let before = same.count();
                    log.push(now.clone());
                    before
                };
                // The client may have gone.
                let _ = request.respond(script(&now, &method, before));
            }
        });
        Self { http, seen }
    }

    fn url(&self) -> String {
        format!("http://{}", self.http.server_addr())
    }

    fn client(&self) -> RemoteScheduler {
        client(&self.url())
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The methods that were called, in order.
    fn methods(&self) -> Vec<String> {
        let seen = self.seen();
        let methods = seen
            .iter()
            .map(|seen| seen.path.rsplit('/').next().unwrap());
        methods.map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.unblock();
    }
}

fn options() -> RemoteOptions {
    RemoteOptions {
        rpc_connect_timeout: 5.0,
        rpc_retry_wait: 0.3,
        rpc_log_retries: false,
        ..RemoteOptions::default()
    }
}

fn client(url: &str) -> RemoteScheduler {
    RemoteScheduler::new(url, options()).unwrap()
}

fn report() -> AddTask {
    AddTask {
        status: Status::Done,
        runnable: None,
        ..AddTask::new("worker", "task")
    }
}

fn tasks(count: usize) -> Vec<AddTask> {
    (0..count)
        .map(|n| AddTask::new("worker", &format!("task_{n}")))
        .collect()
}

fn refusal(result: Result<(), SchedulerError>) -> String {
    match result {
        Err(SchedulerError::Refused { request, reason }) => format!("{request}: {reason}"),
        other => panic!("{other:?}"),
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_is_a_form_and_connections_stay_open() {
    let server = Server::start(|_, _, _| answer(200, r#"{"response": {"rpc_messages": []}}"#));
    let with_user = server.url().replace("//", "//me:pass%2B@");
    let client = client(&format!("{with_user}/prefix/"));
    for _ in 0..3 {
        assert_eq!(client.ping("Worker(ü=1)").unwrap(), []);
    }
    let seen = server.seen();
    assert_eq!(seen[0].path, "/prefix/api/ping");
    assert_eq!(seen[0].data, r#"{"worker": "Worker(ü=1)"}"#);
    let header = |name| seen[0].header(name).unwrap();
    assert_eq!(header("Content-Type"), "application/x-www-form-urlencoded");
    assert_eq!(header("Authorization"), "Basic bWU6cGFzcys=");
    assert_eq!(header("Accept-Encoding"), "gzip");
    assert_eq!(seen[0].client_port, seen[2].client_port);
}

#[test]
fn compressed_answers_are_read() {
    // `{"response": null}`
    const GZIP: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 42, 74, 45, 46, 200, 207, 43, 78, 85, 178, 82,
        200, 43, 205, 201, 169, 5, 0, 132, 161, 110, 147, 18, 0, 0, 0,
    ];
    let server = Server::start(|_, _, _| {
        let gzip = Header::from_bytes("Content-Encoding", "gzip").unwrap();
        Response::from_data(GZIP).with_header(gzip)
    });
    server.client().add_task(report()).unwrap();
    assert_eq!(server.methods(), ["add_task"]);
}

#[test]
fn what_is_away_for_a_moment_is_tried_again() {
    let server = Server::start(|_, _, before| match before {
        0 => answer(503, "busy"),
        1 => answer(502, "<html>"),
        _ => answer(200, NULL),
    });
    let client = server.client();
    client.add_task(report()).unwrap();
    assert_eq!(server.methods().len(), 3);
    client.add_task(report()).unwrap();
    assert_eq!(server.methods().len(), 4);
}

#[test]
fn a_server_that_starts_late_is_found_and_one_that_comes_back_is_noticed() {
    let port = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{port}");
    let patient = RemoteOptions {
        rpc_retry_wait: 10.0,
        ..options()
    };
    let client = RemoteScheduler::new(&url, patient).unwrap();
    std::thread::scope(|scope| {
        let (started, waits) = channel();
        let client = &client;
        let asks = scope.spawn(move || {
            assert!(client.ping("worker").is_err());
            started.send(()).unwrap();
            client.add_task(report())
        });
        waits.recv().unwrap();
        let server = Server::start_at(port, |_, _, _| answer(200, NULL));
        asks.join().unwrap().unwrap();
        assert_eq!(client.outages(), 0, "it was not there before");
        drop(server);
    });
    let gone = Server::start(|_, _, before| match before {
        1 => answer(503, ""),
        _ => answer(200, NULL),
    });
    let client = gone.client();
    for expected in [0, 1, 1] {
        client.add_task(report()).unwrap();
        assert_eq!(client.outages(), expected);
    }
}

#[test]
fn where_nobody_answers_it_is_said_what_to_do() {
    let client = client("http://me:secret@127.0.0.1:1/x/");
    let error = client.add_task(AddTask::new("worker", "task")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot reach the scheduler at http://me@127.0.0.1:1/x (add_task)"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
    assert!(cause.contains("--local-scheduler"), "{cause}");
    assert!(!format!("{error:?} {cause} {client:?}").contains("secret"));
}

#[test]
fn a_server_that_does_not_answer_in_time_is_away() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hasty = RemoteOptions {
        rpc_connect_timeout: 0.1,
        rpc_retry_attempts: 1,
        ..options()
    };
    let client = RemoteScheduler::new(&url, hasty).unwrap();
    let error = client.add_task(report()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("timeout"), "{cause}");
}

#[test]
fn a_server_that_cannot_be_spoken_to_is_not_asked_again() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut streams = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .unwrap();
            streams.push(stream);
        }
    });
    let client = client(&url);
    let error = client.add_task(AddTask::new("worker", "task")).unwrap_err();
    assert!(
        matches!(error, SchedulerError::Unreachable { .. }),
        "{error}"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("1 attempt(s)"), "{cause}");
    assert!(cause.contains("REQUESTS_CA_BUNDLE"), "{cause}");
}

#[test]
fn what_is_refused_is_not_tried_again() {
    let server = Server::start(|seen, _, _| match seen.field("task_id") {
        Json::Text(id) if id == "task" => answer(
            400,
            r#"{"error": {"code": "bad_argument", "message": "add_task: no"}}"#,
        ),
        _ => answer(401, "<html>"),
    });
    let client = server.client();
    assert_eq!(refusal(client.add_task(report())), "add_task: add_task: no");
    let other = client.add_task(AddTask::new("worker", "other"));
    assert!(refusal(other).contains("http://user:password@host"));
    assert_eq!(server.methods().len(), 2);
}

#[test]
fn where_no_scheduler_is_the_address_is_doubted() {
    let server = Server::start(|_, _, _| answer(404, "<html>"));
    let reason = refusal(server.client().add_task(report()));
    let expected = format!(
        "add_task: 404 Not Found; is {} the address of a scheduler?",
        server.url()
    );
    assert_eq!(reason, expected);
}

#[test]
fn a_request_on_which_luigis_server_fails_is_tried_as_often_as_luigi_does() {
    let server = Server::start(|_, _, _| answer(500, "<html>"));
    let client = server.client();
    let reason = refusal(client.add_task(report()));
    assert_eq!(
        reason,
        "add_task: 500 Internal Server Error; the scheduler's own log says why"
    );
    assert_eq!(server.methods().len(), 3);
    let claim = AddTask {
        status: Status::Running,
        batch_id: Some("gone".to_owned()),
        ..AddTask::new("worker", "combined")
    };
    assert!(refusal(client.add_task(claim)).ends_with("may have gone another way"));
    assert_eq!(server.methods().len(), 4);
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    let server = Server::start(|_, _, before| match before {
        0 => answer(200, NULL),
        1 => answer(200, "<html>"),
        _ => answer(
            200,
            r#"{"response": {"n_pending_tasks": 2, "task_id": null}}"#,
        ),
    });
    let work = server.client().get_work(GetWork::default()).unwrap();
    assert_eq!(work.assignment, Assignment::Nothing);
    assert_eq!(work.counts.n_pending_tasks, 2);
}

#[test]
fn a_ping_is_tried_twice_and_a_report_for_long() {
    let server = Server::start(|_, method, before| match method {
        "add_task" if before == 4 => answer(200, NULL),
        _ => answer(503, ""),
    });
    let client = server.client();
    assert!(client.ping("worker").is_err());
    assert_eq!(server.methods(), ["ping"; 2]);
    // 0.1 + 0.2 + … s: longer than other requests are tried (0.9 s).
    client.add_task(report()).unwrap();
    assert_eq!(server.methods().len(), 7);
}

#[test]
fn a_worker_that_is_to_stop_tries_no_longer_but_reports_until_the_second_signal() {
    let server = Server::start(|_, _, _| answer(503, ""));
    let patient = RemoteOptions {
        rpc_retry_wait: 3600.0,
        ..options()
    };
    let stop = patient.stop.clone();
    let client = RemoteScheduler::new(&server.url(), patient).unwrap();
    let (ended, ends) = channel();
    std::thread::scope(|scope| {
        for request in [AddTask::new("worker", "task"), report()] {
            let (client, ended) = (&client, ended.clone());
            scope.spawn(move || {
                let is_report = request.runnable.is_none();
                assert!(client.add_task(request).is_err());
                ended.send(is_report).unwrap();
            });
        }
        until("both try", || server.methods().len() >= 2);
        stop.raise(StopLevel::Finish);
        assert_eq!(ends.recv_timeout(PATIENCE), Ok(false));
        assert!(ends.try_recv().is_err());
        stop.raise(StopLevel::Now);
        assert_eq!(ends.recv_timeout(PATIENCE), Ok(true));
    });
}

/// Answers as a stock server: our methods are not there.
fn stock(_: &Seen, method: &str, _: usize) -> Answer {
    match method {
        "add_tasks" | "await_work" | "release_worker" => answer(404, "<html>"),
        _ => answer(200, NULL),
    }
}

#[test]
fn what_a_stock_server_does_not_know_is_asked_for_once() {
    let server = Server::start(stock);
    let client = server.client();
    client.add_tasks(tasks(2)).unwrap();
    client.add_tasks(tasks(2)).unwrap();
    client.subscribe("worker", Arc::new(|| true));
    let planned = Duration::from_secs(3);
    assert_eq!(client.until_next_ask("worker", planned), planned);
    client.release("worker");
    let expected = ["add_tasks", "add_task", "add_task", "add_task", "add_task"];
    assert_eq!(server.methods(), expected);
}

/// Answers as our server.
fn ours(seen: &Seen, method: &str, before: usize) -> Answer {
    match method {
        "add_tasks" => {
            let text = seen.data.contains("task_501");
            let refused = if text {
                r#"{"index": 1, "error": "no"}"#
            } else {
                ""
            };
            answer(
                200,
                &format!(r#"{{"response": {{"refused": [{refused}]}}}}"#),
            )
        }
        "await_work" if before == 0 => answer(200, r#"{"response": {"ready": true}}"#),
        "await_work" => answer(503, ""),
        _ => answer(200, NULL),
    }
}

#[test]
fn many_tasks_travel_together_and_a_refusal_names_its_task() {
    let server = Server::start(ours);
    let client = server.client();
    client.add_tasks(tasks(500)).unwrap();
    assert_eq!(
        refusal(client.add_tasks(tasks(1200))),
        "add_task: task_501: no"
    );
    let counts: Vec<usize> = server
        .seen()
        .iter()
        .map(|seen| match seen.field("tasks") {
            Json::List(tasks) => tasks.len(),
            other => panic!("{other}"),
        })
        .collect();
    // The first one asks whether the method is there; a refusal ends it.
    assert_eq!(counts, [0, 500, 500, 500]);
    client.release("worker");
    assert_eq!(server.methods().last().unwrap(), "release_worker");
}

#[test]
fn large_tasks_travel_in_smaller_numbers() {
    let server = Server::start(ours);
    let client = server.client();
    client.add_tasks((0..6).map(large).collect()).unwrap();
    let lengths = server.seen().into_iter().map(|seen| seen.data.len());
    let lengths: Vec<usize> = lengths.collect();
    // The first one asks whether the method is there.
    assert_eq!(lengths.len(), 4, "{lengths:?}");
    let bound = 512 << 10;
    assert!(lengths.iter().all(|length| *length < bound), "{lengths:?}");
}

/// A task of which two go in one request, and not three.
fn large(n: usize) -> AddTask {
    AddTask {
        deps: Some(vec!["d".repeat(200_000)]),
        ..AddTask::new("worker", &format!("large_{n}"))
    }
}

#[test]
fn what_is_too_long_for_somebody_on_the_way_travels_in_halves() {
    let server = Server::start(|seen, method, before| {
        if seen.data.len() > 300_000 {
            return answer(413, "<html>Request Entity Too Large</html>");
        }
        ours(seen, method, before)
    });
    let client = server.client();
    client.add_tasks((0..4).map(large).collect()).unwrap();
    let taken = server
        .seen()
        .into_iter()
        .filter_map(|seen| match seen.field("tasks") {
            Json::List(tasks) if seen.data.len() < 300_000 => Some(tasks.len()),
            _ => None,
        });
    assert_eq!(taken.sum::<usize>(), 4);
}

#[test]
fn a_worker_that_waits_is_woken_and_asks_by_itself_where_that_fails() {
    let server = Server::start(ours);
    let client = server.client();
    let (woken, wakes) = channel();
    client.subscribe("worker", Arc::new(move || woken.send(()).is_ok()));
    let planned = Duration::from_secs(1);
    assert!(client.until_next_ask("worker", planned) > planned);
    wakes.recv_timeout(PATIENCE).unwrap();
    let seen = server.seen();
    assert_eq!(
        seen.last().unwrap().field("worker"),
        Json::Text("worker".to_owned())
    );
    // The next request to wait fails: that wakes the worker, too, which then asks by itself.
    until("it is woken again", || {
        client.until_next_ask("worker", planned);
        wakes.try_recv().is_ok()
    });
    assert_eq!(client.until_next_ask("worker", planned), planned);
    let waits = server
        .methods()
        .into_iter()
        .filter(|method| method == "await_work");
    assert_eq!(waits.count(), 2);
}
