//! Slow, silent, many and vanishing clients, over real sockets.

mod descriptors;
mod tls;

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    thread,
    time::{Duration, Instant},
};

use super::{Limits, ListenError, Listener, Place, bind};
use crate::testing::{PATIENCE, Setup, TestServer, handle, percent, receive, send};

const PING: &str = r#"{"worker": "w"}"#;

fn server(limits: Limits) -> TestServer {
    Setup {
        limits,
        ..Setup::default()
    }
    .start()
}

/// Waits until the server closes the connection; how long that took, and what came before.
fn wait_for_end(stream: &mut TcpStream) -> (Duration, Vec<u8>) {
    let began = Instant::now();
    let mut seen = Vec::new();
    let mut part = [0; 1024];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (began.elapsed(), seen),
            Ok(size) => seen.extend_from_slice(&part[..size]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                return (began.elapsed(), seen);
            }
            Err(error) => panic!("still open: {error}"),
        }
    }
}

fn ping(stream: &mut TcpStream) -> u16 {
    let body = format!("data={}", percent(PING));
    let form = ("content-type", "application/x-www-form-urlencoded");
    send(stream, "POST", "/api/ping", &[form], body.as_bytes());
    receive(stream, "POST").status
}

#[test]
fn a_head_that_dribbles_in_is_cut_off() {
    let server = server(Limits {
        header_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    let mut round = 0;
    while !slow.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} are still there", slow.len());
        round += 1;
        let line = format!("x-header-{round}: y\r\n");
        let first = if round == 1 {
            "POST /api/ping HTTP/1.1\r\nhost: localhost\r\n"
        } else {
            ""
        };
        slow.retain_mut(|stream| {
            stream
                .write_all(format!("{first}{line}").as_bytes())
                .is_ok()
        });
        assert_eq!(
            server.call("ping", PING).status,
            200,
            "others are served meanwhile"
        );
        thread::sleep(Duration::from_millis(20));
    }
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_client_that_says_nothing_is_cut_off() {
    let server = server(Limits {
        header_timeout: Duration::from_millis(200),
        ..Limits::default()
    });
    let (took, seen) = wait_for_end(&mut server.connect());
    assert!(took >= Duration::from_millis(150), "{took:?}");
    assert_eq!(seen, b"");
}

#[test]
fn a_connection_may_rest_between_requests_but_not_for_ever() {
    let server = server(Limits {
        header_timeout: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(600),
        ..Limits::default()
    });
    let mut stream = server.connect();
    for _ in 0..3 {
        assert_eq!(ping(&mut stream), 200);
        thread::sleep(Duration::from_millis(150));
    }
    assert_eq!(
        ping(&mut stream),
        200,
        "longer than a head may take, shorter than a rest"
    );
    let (took, seen) = wait_for_end(&mut stream);
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert_eq!(seen, b"");
}

#[test]
fn a_request_that_takes_long_is_not_cut_off() {
    let server = server(Limits {
        header_timeout: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(50),
        ..Limits::default()
    });
    let answer = server.call("test_wait", "{}");
    assert!(answer.text().contains("waited"), "{}", answer.text());
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let setup = Setup {
        limits: Limits {
            write_timeout: Duration::from_millis(200),
            max_connections: 1,
            ..Limits::default()
        },
        ..Setup::default()
    };
    // One socket: each takes a place for its next client.
    let listeners = bind(&[tcp("127.0.0.1", 0)]).expect("a free port");
    let server = setup.start_on(handle(&[]), listeners);
    let mut stuck = server.connect();
    send(&mut stuck, "GET", "/api/graph", &[], b"");
    // There is one place, so this one is served when the other one was cut off.
    assert_eq!(server.call("ping", PING).status, 200);
    let (_, seen) = wait_for_end(&mut stuck);
    assert!(seen.len() < 20_000_000, "all was sent though nobody read");
}

#[test]
fn a_client_that_reads_by_the_drop_is_cut_off() {
    let server = server(Limits {
        write_timeout: Duration::from_millis(300),
        write_rate: 20_000_000,
        ..Limits::default()
    });
    let mut slow = server.connect();
    send(&mut slow, "GET", "/api/graph", &[], b"");
    // Never stuck for long, since each read lets the server write more, but at a tenth of the rate.
    let began = Instant::now();
    let mut part = vec![0; 200_000];
    let mut seen = 0;
    while began.elapsed() < PATIENCE {
        match slow.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(size) => seen += size,
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_millis(300));
    assert!(seen > 0 && seen < 20_000_000, "{seen} bytes were read");
}

#[test]
fn a_head_is_bounded() {
    let server = server(Limits::default());
    let mut stream = server.connect();
    let flood = format!("x-flood: {}\r\n", "y".repeat(60_000));
    let _ = stream
        .write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{flood}{flood}\r\n").as_bytes());
    assert_eq!(receive(&mut stream, "GET").status, 431);
    let mut stream = server.connect();
    let many = "x: y\r\n".repeat(1000);
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes());
    assert_eq!(receive(&mut stream, "GET").status, 431);
    let mut stream = server.connect();
    let _ = stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00 TLS?\r\n\r\n");
    assert_eq!(receive(&mut stream, "GET").status, 400);
    assert_eq!(server.call("ping", PING).status, 200);
}

#[test]
fn resting_connections_make_room_for_new_ones() {
    let server = server(Limits {
        max_connections: 10,
        min_rest: Duration::ZERO,
        ..Limits::default()
    });
    let mut resting = Vec::new();
    for round in 0..200 {
        let mut stream = server.connect();
        assert_eq!(ping(&mut stream), 200, "client {round}");
        resting.push(stream);
    }
    let (_, seen) = wait_for_end(&mut resting[0]);
    assert_eq!(seen, b"", "the oldest was closed");
}

#[test]
fn many_idle_connections_are_bounded_and_harmless() {
    let most = 500;
    let server = server(Limits {
        max_connections: most,
        header_timeout: Duration::from_mins(5),
        min_rest: Duration::from_mins(5),
        ..Limits::default()
    });
    let mut worker = server.connect();
    assert_eq!(ping(&mut worker), 200);
    let mut idle: Vec<TcpStream> = (0..2000).map(|_| server.connect()).collect();
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(ping(&mut worker), 200);
    }
    let took = began.elapsed() / 100;
    assert!(took < Duration::from_millis(100), "{took:?} for a ping");

    // Those that have a place are answered when they ask, and only those.
    for stream in &mut idle {
        send(stream, "GET", "/api/is_paused", &[], b"");
        stream.set_nonblocking(true).expect("a setting");
    }
    let began = Instant::now();
    let answered = || {
        idle.iter()
            .filter(|stream| stream.peek(&mut [0]).is_ok())
            .count()
    };
    while answered() < most / 2 {
        assert!(began.elapsed() < PATIENCE, "{} were answered", answered());
    }
    assert_eq!(ping(&mut worker), 200);
    assert!(answered() < most, "{} have a place", answered());
}

#[test]
fn what_was_asked_is_answered_before_the_end() {
    let server = server(Limits::default());
    let mut resting = server.connect();
    assert_eq!(ping(&mut resting), 200);
    let mut new = server.connect();
    let mut asking = server.connect();
    let form = ("content-type", "application/x-www-form-urlencoded");
    send(&mut asking, "POST", "/api/test_wait", &[form], b"data={}");
    // The request has been taken in when a later one was answered.
    assert_eq!(ping(&mut resting), 200);
    server.stop();
    assert!(receive(&mut asking, "POST").text().contains("waited"));
    assert_eq!(wait_for_end(&mut resting).1, b"");
    assert_eq!(wait_for_end(&mut new).1, b"");
    let refused = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(refused.elapsed() < PATIENCE, "it still listens");
    }
}

#[test]
fn the_end_is_not_put_off_for_ever() {
    let server = server(Limits {
        shutdown_timeout: Duration::from_millis(200),
        ..Limits::default()
    });
    let mut stuck = server.connect();
    let headers = [("content-length", "1000")];
    send(&mut stuck, "POST", "/api/ping", &headers, b"half");
    assert_eq!(server.call("ping", PING).status, 200);
    let began = Instant::now();
    drop(server);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

fn tcp(address: &str, port: u16) -> Place {
    Place::Tcp {
        address: address.to_owned(),
        port,
    }
}

#[test]
fn an_address_that_another_one_covers_is_left_out() {
    for (asked, served) in [
        (["127.0.0.1", "0.0.0.0"], ["127.0.0.1", "127.0.0.2"]),
        (["0.0.0.0", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]),
        (["0.0.0.0", "*"], ["127.0.0.1", "127.0.0.2"]),
        (["127.0.0.1", "127.0.0.1"], ["127.0.0.1", "127.0.0.1"]),
    ] {
        let free = std::net::TcpListener::bind("0.0.0.0:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        let place = |address| tcp(address, port);
        let error = bind(&asked.map(place)).expect_err("somebody else has the port");
        assert!(error.to_string().contains("does another"), "{error}");
        drop(free);
        let listeners = bind(&asked.map(place)).expect("they do not contend");
        assert_eq!(listeners.len(), 1, "{asked:?}");
        let _server = Setup::default().start_on(handle(&[]), listeners);
        for address in served {
            let mut stream = TcpStream::connect((address, port)).expect("it listens");
            assert_eq!(ping(&mut stream), 200, "{asked:?}");
        }
    }
}

#[test]
fn both_loopback_addresses_have_the_same_port() {
    let listeners = bind(&[Place::Loopback { port: 0 }]).expect("a free port");
    let addresses: Vec<_> = listeners.iter().filter_map(Listener::tcp_address).collect();
    assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    assert!(
        addresses
            .iter()
            .all(|address| address.port() == addresses[0].port())
    );
    let port = addresses[0].port();
    let error = bind(&[Place::Loopback { port }]).expect_err("the port is taken");
    assert!(
        error.to_string().contains("does another scheduler run?"),
        "{error}"
    );
}

#[test]
fn several_places_are_served_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let places = [
        Place::Loopback { port: 0 },
        Place::Tcp {
            address: "127.0.0.2".to_owned(),
            port: 0,
        },
        Place::Unix(path.clone()),
    ];
    let listeners = bind(&places).expect("free places");
    let addresses: Vec<_> = listeners.iter().filter_map(Listener::tcp_address).collect();
    assert_eq!(
        listeners.iter().find_map(Listener::unix_path),
        Some(path.as_path())
    );
    let mode = path.metadata().expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = Setup::default().start_on(handle(&[]), listeners);
    for address in addresses {
        assert_eq!(
            ping(&mut TcpStream::connect(address).expect("it listens")),
            200,
            "{address}"
        );
    }
    let mut stream = UnixStream::connect(&path).expect("it listens");
    let request =
        "GET /api/is_paused HTTP/1.1\r\nhost: any.name.at.all\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(server);
    assert!(!path.exists(), "the socket's file goes with the server");
}

#[test]
fn a_dead_servers_socket_is_replaced_and_a_live_ones_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let place = [Place::Unix(path.clone())];
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert!(path.exists(), "a dead server leaves its file");
    let first = bind(&place).expect("the dead one's is replaced");
    let error = bind(&place).expect_err("the first one lives");
    assert!(matches!(error, ListenError::InUse { .. }), "{error}");
    assert!(
        error.to_string().contains("another server listens"),
        "{error}"
    );
    drop(first);
    assert!(!path.exists());
    std::fs::write(&path, "text").expect("a file");
    let error = bind(&place).expect_err("a file is no socket");
    assert!(matches!(error, ListenError::NoSocket { .. }), "{error}");
    assert_eq!(
        std::fs::read_to_string(&path).expect("it is left alone"),
        "text"
    );
}
