//! Workers with tokens over encrypted connections: the page about security, followed step by step, and
//! what is written of the secrets: nothing.

use std::{
    collections::VecDeque,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use condotta_worker::{
    HttpClient, Identity, Outlook, RemoteOptions, RemoteScheduler, Scheduler as _,
};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;

use crate::{
    guide::{Reader, exec},
    processes::{Process, stock_python, unix_sockets, wait_until},
    stage::pipelines,
    trial,
};

const PAGE: &str = include_str!("../../../../docs/how-to/secure-the-scheduler.md");

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_page_about_security", follow),
        trial("secrets_are_written_nowhere", secrets),
    ]
}

/// Those of workers that send their requests with `requests`.
pub(crate) fn trials_with_requests() -> Vec<Trial> {
    vec![trial("a_worker_with_requests_over_tls", with_requests)]
}

/// It finds the certificate by `REQUESTS_CA_BUNDLE`, and the token in the URL or in `.netrc`.
fn with_requests() {
    let mut reader = reader();
    let server = begin(&mut reader);
    let port = reader.port;
    let token = reader.place.read("workers.token");
    let token = token.trim();
    let netrc = format!("machine localhost login worker password {token}\n");
    for (user, netrc) in [
        (format!("worker:{token}@"), ""),
        (String::new(), netrc.as_str()),
    ] {
        reader.place.write(".netrc", netrc);
        let only_ours = fs::Permissions::from_mode(0o600);
        fs::set_permissions(reader.place.path(".netrc"), only_ours).unwrap();
        let path = [
            pipelines(),
            unix_sockets().expect("it was looked for before"),
        ];
        let mut worker = reader.place.command(stock_python().expect("the same"));
        worker
            .args([
                "-m",
                "luigi",
                "--module",
                "my_pipelines",
                "Report",
                "--scheduler-url",
            ])
            .arg(format!("https://{user}localhost:{port}/"))
            .env("PYTHONPATH", std::env::join_paths(path).unwrap())
            .env("REQUESTS_CA_BUNDLE", reader.place.path("scheduler.pem"))
            .env("WORKER_NAME", "w");
        let ended = reader.place.start("worker", &mut worker).end();
        ended.with_code(0).says("This progress looks :)");
    }
    server.send(Signal::SIGTERM);
    server.end().with_code(0);
}

/// Somebody who follows the page, and has the command.
fn reader() -> Reader {
    let reader = Reader::of(PAGE);
    let program = reader.place.path("bin/condotta");
    fs::copy(env!("CARGO_BIN_EXE_condotta"), program).unwrap();
    reader
}

/// Makes tokens and a certificate, and starts the server.
fn begin(reader: &mut Reader) -> Process {
    reader
        .run("condotta token create anna")
        .says("It is the first: from now on, whoever comes over TCP")
        .says("The token `etl-workers` has the role worker and is good until");
    reader
        .run("condotta token list")
        .says("anna         operator  2")
        .says("dashboard    viewer");
    reader.run("openssl req");
    let mut command = exec(&reader.next("condotta scheduler"), &reader.place);
    let server = reader.place.start("server", &mut command);
    wait_until("it is ready", || server.stderr().contains("State in"));
    server
}

fn follow() {
    let mut reader = reader();
    let server = begin(&mut reader);
    let said = server.stderr();
    let expected = format!("https://0.0.0.0:{}, for whoever has a token", reader.port);
    assert!(said.contains(&expected), "{said}");
    reader.run("printf").says("luigi_");
    reader.run("export CONDOTTA_TOKEN");
    reader.run("cat > worker.cfg");
    reader
        .run("export SSL_CERT_FILE")
        .says("4 ran successfully");
    let client = client(&reader, "workers");
    assert!(client.post("/api/ping", r#"{"worker": "w"}"#).is_ok());
    reader
        .run("condotta token revoke")
        .says("Revoked the token `etl-workers`");
    let refused = client.post("/api/ping", r#"{"worker": "w"}"#).unwrap_err();
    assert_eq!(refused.outlook, Outlook::Refused);
    assert!(
        refused
            .to_string()
            .contains("no such token, or it was revoked"),
        "{refused}"
    );
    reader
        .run("export CONDOTTA_TOKEN")
        .says("POST /api/ping")
        .says("code=bad_token");
    assert_eq!(reader.blocks, VecDeque::<String>::new());
    server.send(Signal::SIGTERM);
    server.end().with_code(0);
}

/// A client of ours with a token of the page.
fn client(reader: &Reader, token: &str) -> HttpClient {
    let url = format!("https://localhost:{}/", reader.port);
    HttpClient::new(&url, 30.0, &identity(reader, token)).unwrap()
}

fn identity(reader: &Reader, token: &str) -> Identity {
    Identity {
        token: Some(reader.place.read(&format!("{token}.token"))),
        ca_file: Some(reader.place.path("scheduler.pem")),
    }
}

/// A stock worker, our client and strangers come; then everything that was written is looked through.
fn secrets() {
    let mut reader = reader();
    let config = reader.place.read("luigi.cfg");
    let config = config.replace("[scheduler]", "[scheduler]\nlog_format = json");
    reader.place.write("luigi.cfg", &config);
    let server = begin(&mut reader);
    reader.next("printf");
    reader.run("export CONDOTTA_TOKEN");
    reader.run("cat > worker.cfg");
    reader
        .run("export SSL_CERT_FILE")
        .says("4 ran successfully");

    let viewer = client(&reader, "dashboard");
    // Its token is known to be good from here, and so stays good when others guess.
    assert!(viewer.post("/api/is_paused", "{}").is_ok());
    let port = reader.port;
    let guess = "condotta_guessed-by-a-stranger";
    let stranger = Identity {
        token: Some(guess.to_owned()),
        ..identity(&reader, "anna")
    };
    let url = format!("https://localhost:{port}/");
    let mut said = String::new();
    for _ in 0..12 {
        let asked = HttpClient::new(&url, 30.0, &stranger).unwrap();
        said += &asked.post("/api/pause", "{}").unwrap_err().to_string();
    }
    assert!(
        said.contains("no such token") && said.contains("too many wrong tokens"),
        "{said}"
    );
    let token = reader.place.read("workers.token");
    let token = token.trim();
    // A certificate that is not trusted, a port where nobody is, and a URL that is none.
    for url in [
        format!("https://worker:{token}@localhost:{port}/"),
        format!("https://worker:{token}@localhost:1/"),
        format!("https://worker:{token}@localhost:port/"),
    ] {
        let options = RemoteOptions {
            rpc_retry_attempts: 1,
            ..RemoteOptions::default()
        };
        match RemoteScheduler::new(&url, options) {
            Ok(scheduler) => {
                let error = scheduler.ping("w").unwrap_err();
                said += &format!("{scheduler:?} {error} {error:?}");
            }
            Err(error) => said += &format!("{error} {error:?}"),
        }
    }
    for method in ["graph", "task_list", "worker_list", "resource_list"] {
        said += &viewer.post(&format!("/api/{method}"), "{}").unwrap();
    }
    server.send(Signal::SIGTERM);
    let ended = server.end().with_code(0);
    for line in ended.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(
        ended.stderr.contains("refused a request from 127.0.0.1"),
        "{ended:?}"
    );

    let secrets = ["anna", "workers", "dashboard"].map(|name| {
        reader
            .place
            .read(&format!("{name}.token"))
            .trim()
            .to_owned()
    });
    let secrets = secrets.iter().map(String::as_str).chain([guess]);
    for secret in secrets {
        let encoded = in_base64(&reader.place.path(""), secret);
        assert!(
            secret.len() > 20 && !said.contains(secret) && !said.contains(&encoded),
            "{said}"
        );
        for file in files(&reader.place.path("")) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".token") || name == "worker.cfg" {
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
            assert!(
                !text.contains(secret) && !text.contains(&encoded),
                "in {}",
                file.display()
            );
        }
    }
}

/// As the header has it: `worker:TOKEN`.
fn in_base64(folder: &Path, secret: &str) -> String {
    let script = format!("printf 'worker:{secret}' | base64 -w 0");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}
