//! A scheduler's server in a process of its own, for as long as a test needs it.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The longest wait for a server that starts.
const WAIT: Duration = Duration::from_secs(30);

/// The command `condotta scheduler`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Its port, as the command line takes it.
    pub(crate) port: String,
    _folder: TempDir,
}

impl Server {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let mut child = Command::new(Self::program())
            .args(["scheduler", "--port", &port.to_string(), "--state-dir"])
            .arg(folder.path().join("state"))
            .current_dir(folder.path())
            .env_remove("LUIGI_CONFIG_PATH")
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let deadline = Instant::now() + WAIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(Instant::now() < deadline, "the server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            port: port.to_string(),
            _folder: folder,
        }
    }

    /// The statuses of all tasks.
    pub(crate) fn statuses(&self) -> Vec<String> {
        let tasks = self.ask("task_list");
        let statuses = tasks.split("\"status\": \"").skip(1);
        let word = |rest: &str| rest.split('"').next().unwrap_or_default().to_owned();
        statuses.map(word).collect()
    }

    /// The answer to a request without arguments, as text.
    pub(crate) fn ask(&self, method: &str) -> String {
        let url = format!("http://127.0.0.1:{}/api/{method}", self.port);
        let deadline = Instant::now() + WAIT;
        let mut answer = loop {
            match ureq::get(&url).config().proxy(None).build().call() {
                // It listens before it has read its state.
                Err(ureq::Error::StatusCode(503)) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(10));
                }
                answer => break answer.expect("it answers"),
            }
        };
        let text = answer.body_mut().read_to_string();
        let text = text.expect("it answers with text");
        let start = "{\"response\": ";
        let inner = text.trim().strip_prefix(start);
        let inner = inner.and_then(|rest| rest.strip_suffix('}'));
        inner.unwrap_or(&text).to_owned()
    }

    /// `cargo test --workspace` builds it before any test runs.
    pub(crate) fn program() -> PathBuf {
        let test = std::env::current_exe().expect("a test knows its own path");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("it is in target/PROFILE/deps");
        let path = profile.join("condotta");
        assert!(
            path.exists(),
            "{} is missing: `cargo build -p condotta-cli` builds it",
            path.display()
        );
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
