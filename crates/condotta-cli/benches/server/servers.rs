//! The servers that are compared: stock luigid, ours, and a bare echo on the same HTTP stack.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use condotta_test_servers::life;

/// A server process, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stock,
    Condotta,
    Echo,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stock => "luigid",
            Self::Condotta => "condotta",
            Self::Echo => "echo",
        }
    }
}

impl Server {
    /// Starts one on a free port, with empty state and default settings.
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_with(kind, "")
    }

    /// Starts one with this `luigi.cfg`.
    pub(crate) fn start_with(kind: Kind, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("luigi.cfg"), settings).expect("a file");
        let address = free_address();
        let child = spawn(kind, address, folder.path());
        let mut server = Self {
            child,
            address,
            folder,
        };
        server.wait_until_ready();
        server
    }

    /// Kills it and starts it on the same state; how long it took until it answered.
    pub(crate) fn restart(&mut self) -> Duration {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let started = Instant::now();
        self.child = spawn(Kind::Condotta, self.address, self.folder.path());
        self.wait_until_ready();
        started.elapsed()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !answers(self.address) {
            assert!(Instant::now() < deadline, "the server does not answer");
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                panic!("the server ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The CPU time that it took until now, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        life::processor_time(self.child.id())
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        life::memory_now(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(kind: Kind, address: SocketAddr, folder: &Path) -> Child {
    let port = address.port().to_string();
    let mut command = match kind {
        Kind::Stock => {
            let python = stock_python().expect("it was looked for before");
            let mut command = Command::new(python.with_file_name("luigid"));
            command.args(["--address", "127.0.0.1", "--port", &port, "--state-path"]);
            command.arg(folder.join("state.pickle"));
            command
        }
        Kind::Condotta => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_condotta"));
            command.args(["scheduler", "--address", "127.0.0.1", "--port", &port]);
            command.arg("--state-dir").arg(folder.join("state"));
            command
        }
        Kind::Echo => {
            let this = std::env::current_exe().expect("this program has a path");
            let mut command = Command::new(this);
            command.args(["--echo", &port]);
            command
        }
    };
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", kind.name()))
}

/// Whether a ping is answered with success.
fn answers(address: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    let body = "data=%7B%22worker%22%3A%22bench%22%7D";
    let request = format!(
        "POST /api/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = [0; 12];
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer == *b"HTTP/1.1 200"
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound")
}

/// The Python that has stock Luigi, if there is one.
pub(crate) fn stock_python() -> Option<PathBuf> {
    let named = std::env::var_os("CONDOTTA_STOCK_LUIGI").map(PathBuf::from);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/stock-luigi/bin/python");
    named.or(Some(kept)).filter(|python| python.exists())
}

/// The bare echo: the same HTTP stack, which decodes the form and the JSON in it, and nothing else.
pub(crate) fn echo(port: u16) {
    use axum::{Router, body::Bytes, response::IntoResponse, routing::post};

    async fn answer(body: Bytes) -> impl IntoResponse {
        let data = body.strip_prefix(b"data=").unwrap_or_default();
        let data: String = percent_decoded(data);
        let value: serde_json::Value = serde_json::from_str(&data).expect("the bench sends JSON");
        let response = serde_json::json!({ "response": value["nothing"] });
        (
            [("content-type", "application/json; charset=UTF-8")],
            response.to_string(),
        )
    }

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("the port is free");
        let router = Router::new().route("/api/{method}", post(answer));
        axum::serve(listener, router).await.expect("it serves");
    });
}

fn percent_decoded(text: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (hex(rest.next()), hex(rest.next()));
                let value = high.zip(low).map(|(high, low)| high * 16 + low);
                u8::try_from(value.expect("two digits")).expect("two digits make a byte")
            }
            other => other,
        });
    }
    String::from_utf8(decoded).expect("UTF-8")
}
