//! Bodies are bounded: each one's size and time, and what all together take.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use crate::{
    driver::{Handle, Message, Reply},
    http::HttpConfig,
    testing::{Setup, TestServer, receive, send},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn server(http: HttpConfig) -> TestServer {
    Setup {
        http,
        ..Setup::default()
    }
    .start()
}

fn small() -> HttpConfig {
    HttpConfig {
        max_body: 100_000,
        ..HttpConfig::default()
    }
}

#[test]
fn what_says_that_it_is_too_large_is_refused_unread() {
    let server = server(small());
    let mut stream = server.connect();
    send(
        &mut stream,
        "POST",
        "/api/ping",
        &[FORM, ("content-length", "100001")],
        b"data",
    );
    let answer = receive(&mut stream, "POST");
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    assert!(answer.text().contains("100000 bytes"), "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn a_client_that_asks_first_need_not_send_in_vain() {
    let server = server(small());
    let mut stream = server.connect();
    let head = |length| {
        format!(
            "POST /api/is_paused HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    stream
        .write_all(head(100_001).as_bytes())
        .expect("the server reads");
    assert_eq!(receive(&mut stream, "POST").status, 413);
    let mut stream = server.connect();
    stream
        .write_all(head(4).as_bytes())
        .expect("the server reads");
    assert_eq!(receive(&mut stream, "POST").status, 100);
    stream.write_all(b"data").expect("the server reads");
    assert_eq!(receive(&mut stream, "POST").status, 200);
}

#[test]
fn what_turns_out_too_large_is_refused() {
    let server = server(small());
    let mut stream = server.connect();
    send(
        &mut stream,
        "POST",
        "/api/ping",
        &[FORM, ("transfer-encoding", "chunked")],
        b"",
    );
    let chunk = format!("7530\r\n{}\r\n", "x".repeat(30_000));
    for _ in 0..4 {
        stream
            .write_all(chunk.as_bytes())
            .expect("the server reads");
    }
    let answer = receive(&mut stream, "POST");
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
}

#[test]
fn a_client_that_sends_on_still_reads_the_refusal() {
    let server = server(small());
    let mut stream = server.connect();
    let body = vec![b'x'; 50 << 20];
    send(&mut stream, "POST", "/api/ping", &[FORM], &body);
    assert_eq!(receive(&mut stream, "POST").status, 413);
}

#[test]
fn the_greatest_body_is_taken() {
    let server = server(small());
    let padding = "x".repeat(100_000 - 40);
    let body = format!("data=%7B%22task_id%22%3A%22{padding}%22%7D");
    assert!(body.len() < 100_000);
    let answer = server.ask("POST", "/api/fetch_error", &[FORM], &body);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains(&padding));
    let mut stream = server.connect();
    send(
        &mut stream,
        "POST",
        "/api/fetch_error",
        &[FORM, ("transfer-encoding", "chunked")],
        b"",
    );
    for part in body.as_bytes().chunks(1000) {
        let head = format!("{:x}\r\n", part.len());
        stream
            .write_all(&[head.as_bytes(), part, b"\r\n"].concat())
            .expect("the server reads");
    }
    stream.write_all(b"0\r\n\r\n").expect("the server reads");
    let answer = receive(&mut stream, "POST");
    assert!(answer.status == 200 && answer.text().contains(&padding));
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let server = server(HttpConfig {
        body_timeout: Duration::from_millis(100),
        ..HttpConfig::default()
    });
    let mut stream = server.connect();
    send(
        &mut stream,
        "POST",
        "/api/ping",
        &[FORM, ("content-length", "100")],
        b"data=",
    );
    let answer = receive(&mut stream, "POST");
    assert_eq!((answer.status, answer.code().as_str()), (408, "too_slow"));
}

#[test]
fn half_a_body_changes_nothing() {
    let server = server(HttpConfig::default());
    let mut stream = server.connect();
    let half = br#"data={"worker": "w"}"#;
    send(
        &mut stream,
        "POST",
        "/api/ping",
        &[FORM, ("content-length", "50")],
        half,
    );
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("an open stream");
    let list = server.call("worker_list", "{}");
    assert_eq!(list.text().replace(' ', ""), r#"{"response":[]}"#);
}

#[test]
fn large_bodies_share_a_budget() {
    let server = server(HttpConfig {
        max_bodies: 300_000,
        ..HttpConfig::default()
    });
    let hold = || {
        let mut held = server.connect();
        let headers = [FORM, ("content-length", "260000")];
        send(
            &mut held,
            "POST",
            "/api/is_paused",
            &headers,
            &[b'x'; 250_000],
        );
        held
    };
    let mut held = hold();
    let body = "y".repeat(200_000);
    let deadline = Instant::now() + crate::testing::PATIENCE;
    loop {
        let answer = server.ask("POST", "/api/is_paused", &[FORM], &body);
        held.set_nonblocking(true).expect("a setting");
        let was_refused_itself = held.peek(&mut [0]).is_ok();
        held.set_nonblocking(false).expect("a setting");
        if was_refused_itself {
            held = hold();
        } else if answer.status == 503 {
            assert_eq!(answer.code(), "busy");
            assert_eq!(answer.header("retry-after"), Some("1"));
            break;
        }
        let in_time = Instant::now() < deadline;
        assert!(in_time, "the first body takes most of the budget");
    }
    assert_eq!(
        server.ask("POST", "/api/is_paused", &[FORM], "x=1").status,
        200
    );
    held.write_all(&[b'x'; 10_000]).expect("the server reads");
    assert_eq!(receive(&mut held, "POST").status, 200);
    let freed = || server.ask("POST", "/api/is_paused", &[FORM], &body).status == 200;
    while !freed() {
        assert!(
            Instant::now() < deadline,
            "what is done gives its bytes back"
        );
    }
}

#[test]
fn large_requests_and_answers_do_not_hold_up_small_ones() {
    let server = server(HttpConfig::default());
    let large = format!(r#"data={{"task_id": "{}"}}"#, "\\u00e9".repeat(700_000));
    thread::scope(|scope| {
        let busy: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let read =
                        server.ask("GET", "/api/dep_graph", &[("accept-encoding", "gzip")], "");
                    assert_eq!(read.header("content-encoding"), Some("gzip"));
                    let parsed = server.ask("POST", "/api/is_paused", &[FORM], &large);
                    assert_eq!(parsed.status, 200);
                })
            })
            .collect();
        let mut pings = 0;
        while !busy.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_eq!(server.call("ping", r#"{"worker": "w"}"#).status, 200);
            pings += 1;
        }
        // Eight large ones were worked on. Behind each of them a ping would wait as long as it takes.
        assert!(pings > 40, "{pings} pings were answered meanwhile");
    });
}

/// Its answer is awaited for a minute, its body is long since read.
#[test]
fn a_worker_that_waits_for_work_holds_nothing_of_the_budget() {
    let (reaches, reached) = std::sync::mpsc::channel();
    let (messages, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut waiting = Vec::new();
        while let Ok(Message::Call(call)) = asked.recv() {
            if call.method == "await_work" {
                waiting.push(call);
                reaches.send(()).expect("the test waits for it");
            } else {
                // Whoever asked may have gone.
                let _ = call.answer.send(Ok(Reply::Value("heard".into())));
            }
        }
    });
    let server = Setup {
        http: HttpConfig {
            max_bodies: 300_000,
            ..HttpConfig::default()
        },
        ..Setup::default()
    }
    .start_with(Handle::for_tests(messages));
    let mut waits = server.connect();
    let body = format!(r#"data={{"worker":"{}"}}"#, "w".repeat(250_000));
    send(
        &mut waits,
        "POST",
        "/api/await_work",
        &[FORM],
        body.as_bytes(),
    );
    let patience = crate::testing::PATIENCE;
    reached
        .recv_timeout(patience)
        .expect("it reaches the scheduler");
    let answer = server.ask("POST", "/api/is_paused", &[FORM], &"y".repeat(200_000));
    assert_eq!(answer.status, 200, "{}", answer.text());
    waits.set_nonblocking(true).expect("a setting");
    let error = waits.peek(&mut [0]).expect_err("it waits on");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}
