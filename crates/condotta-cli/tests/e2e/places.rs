//! Where the server can be reached, and by whom.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::processes::{Place, Rpc, Server, free_port, wait_until};

#[test]
fn an_address_for_other_hosts_has_to_be_meant() {
    let place = Place::new();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--address", "0.0.0.0", "--port", "0"]);
    command.args(["--state-dir", "state"]);
    let ended = place.start("server", &mut command).end().with_code(2);
    ended.says(
        "condotta: --address 0.0.0.0 lets other hosts in, and nobody has a token yet with which to say \
         who it is. Make some first, and start again:\n  \
         condotta token create NAME --role operator --state-dir state\n",
    );
    ended.says("Or add --no-authentication if whoever reaches the server may do everything");
    assert!(!place.path("state").exists());
}

#[test]
fn the_command_that_the_first_line_names_opens_it() {
    let place = Place::new();
    let server = Server::start_with(&place, &[]);
    let said = server.says("to open it to other hosts: ");
    let (_, command) = said.split_once("to open it to other hosts: ").unwrap();
    let words: Vec<String> = command
        .lines()
        .next()
        .unwrap()
        .split(' ')
        .map(str::to_owned)
        .collect();
    let port = server.port;
    server.stop(Signal::SIGTERM).with_code(0);
    assert_eq!(words[0], "condotta");
    let start = |more: &[&str]| {
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(&words[1..]).args(more);
        command
    };
    let refused = place.start("refused", &mut start(&[])).end().with_code(2);
    let (_, create) = refused.stderr.split_once("again:\n  condotta ").unwrap();
    let create = create.lines().next().unwrap().split(' ');
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    place
        .start("create", command.args(create))
        .end()
        .with_code(0);
    let mut process = place.start("server", &mut start(&[]));
    wait_until("it listens", || process.stderr().contains("Listening on"));
    let said = process.stderr();
    let expected = format!("Listening on http://0.0.0.0:{port}, for whoever has a token");
    assert!(said.contains(&expected), "{said}");
    assert!(
        said.contains("WARNING: Tokens come over the network as they are"),
        "{said}"
    );
    assert!(process.runs());
    process.send(Signal::SIGTERM);
    process.end().with_code(0);

    let server = Server::of_command(&place, &mut start(&["--no-authentication"]), port);
    server.says(&format!(
        "Listening on http://0.0.0.0:{port}, for all hosts, without authentication: whoever reaches \
         it may do everything"
    ));
}

#[test]
fn without_an_address_both_loopback_addresses_are_served() {
    let place = Place::new();
    let port = free_port();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--state-dir",
        "state",
        "--port",
        &port.to_string(),
    ]);
    let server = Server::of_command(&place, &mut command, port);
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let over_ipv6 = Rpc::new(&format!("http://[::1]:{port}"));
    assert_eq!(over_ipv6.is_ready(), has_ipv6, "{}", server.stderr());
}

#[test]
fn other_hosts_are_served_only_when_that_is_meant() {
    // Nothing is sent: the system only chooses the address to send from.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("203.0.113.1:9").unwrap();
    let outside = socket.local_addr().unwrap().ip();
    assert!(!outside.is_loopback());
    let place = Place::new();
    let from_outside = |server: &Server| Rpc::new(&format!("http://{outside}:{}", server.port));

    let server = Server::start_with(&place, &[]);
    assert!(from_outside(&server).post("is_paused", "{}").is_err());
    server.stop(Signal::SIGTERM);

    let port = free_port();
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args(["scheduler", "--address", "0.0.0.0", "--no-authentication"]);
    command.args(["--state-dir", "state", "--port", &port.to_string()]);
    let server = Server::of_command(&place, &mut command, port);
    assert!(from_outside(&server).is_ready());
}

#[test]
fn a_unix_socket_serves_alone() {
    let place = Place::new();
    let socket = place.path("socket");
    let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
    command.args([
        "scheduler",
        "--state-dir",
        "state",
        "--unix-socket",
        "socket",
    ]);
    let process = place.start("server", &mut command);
    wait_until("it is ready", || {
        process.stderr().contains("State in state")
    });
    let said = process.stderr();
    assert!(
        said.contains("Listening on the Unix socket socket, for this machine only"),
        "{said}"
    );
    assert!(!said.contains("http://"), "{said}");

    let mut stream = UnixStream::connect(&socket).unwrap();
    let body = "data=%7B%7D";
    let request = format!(
        "POST /api/is_paused HTTP/1.1\r\nHost: scheduler\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.ends_with(r#"{"response": {"paused": false}}"#),
        "{answer}"
    );

    process.send(Signal::SIGTERM);
    process.end().with_code(0);
    assert!(!socket.exists());
}

#[test]
fn a_name_of_the_server_has_to_be_told() {
    let place = Place::new();
    let server = Server::start_with(&place, &["--allowed-host", "luigi.example.com"]);
    let status = |host: &str| server.rpc.post_to_host("is_paused", host).status;
    assert_eq!(status("luigi.example.com"), 200);
    assert_eq!(status("localhost:1"), 200);
    assert_eq!(status("evil.example.com"), 403);
}

#[test]
fn a_path_prefix_is_served() {
    let place = Place::new();
    let server = Server::start_with(&place, &["--path-prefix", "/luigi"]);
    let prefixed = server.rpc.under("/luigi");
    assert_eq!(
        prefixed.call("is_paused", &json!({})),
        json!({"paused": false})
    );
}

#[test]
fn a_certificate_that_cannot_be_used_is_said() {
    let place = Place::new();
    place.write("no.pem", "no certificate");
    for (words, code, said) in [
        (
            "--tls-certificate no.pem",
            2,
            "name its file with --tls-key",
        ),
        (
            "--tls-key no.pem",
            2,
            "name its file with --tls-certificate",
        ),
        (
            "--tls-certificate no.pem --tls-key no.pem",
            1,
            "cannot read the certificate in no.pem: there is none in PEM",
        ),
        (
            "--tls-certificate absent.pem --tls-key no.pem",
            1,
            "cannot read the certificate in absent.pem: No such file",
        ),
    ] {
        let mut command = place.command(env!("CARGO_BIN_EXE_condotta"));
        command.args(["scheduler", "--port", "0", "--state-dir", "state"]);
        let process = place.start("server", command.args(words.split(' ')));
        process.end().with_code(code).says(said);
        assert!(!place.path("state").exists());
    }
}
