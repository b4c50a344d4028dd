//! A scheduler server in a process of its own, on a free port of this machine.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use condotta_worker::{RemoteOptions, RemoteScheduler};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Stock,
    Ours,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock => "stock",
            Self::Ours => "ours",
        })
    }
}

impl Which {
    pub const ALL: [Self; 2] = [Self::Stock, Self::Ours];

    pub fn how_to_get(self) -> &'static str {
        match self {
            Self::Stock => {
                "stock Luigi is not there: run `cargo xtask test tests`, which installs it, or let \
                 CONDOTTA_STOCK_LUIGI name a Python that has luigi 3.8.1"
            }
            Self::Ours => "our server is not there: run `cargo build --package condotta-cli`",
        }
    }

    pub fn is_there(self) -> bool {
        match self {
            Self::Stock => stock_python().exists(),
            Self::Ours => our_program().exists(),
        }
    }
}

fn target_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // …/target/debug/deps/remote-0123
    test.ancestors().nth(2).unwrap().to_owned()
}

pub fn stock_python() -> PathBuf {
    match std::env::var_os("CONDOTTA_STOCK_LUIGI") {
        Some(python) => python.into(),
        None => target_folder().join("../stock-luigi/bin/python"),
    }
}

fn our_program() -> PathBuf {
    target_folder().join("condotta")
}

/// A running server.
pub struct Server {
    which: Which,
    folder: TempDir,
    port: u16,
    on_socket: bool,
    child: Child,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    pub fn start(which: Which) -> Self {
        Self::start_with(which, "")
    }

    /// With more lines of configuration.
    pub fn start_with(which: Which, config: &str) -> Self {
        Self::launch(which, config, false)
    }

    /// On a socket in the file system.
    pub fn start_on_socket(which: Which) -> Self {
        Self::launch(which, "", true)
    }

    fn launch(which: Which, config: &str, on_socket: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!("[scheduler]\nprune_on_get_work=true\n{config}\n");
        std::fs::write(folder.path().join("luigi.cfg"), config).unwrap();
        let port = free_port();
        let child = launch(which, folder.path(), port, on_socket);
        let mut server = Self {
            on_socket,
            which,
            folder,
            port,
            child,
        };
        server.wait_until_it_answers();
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn which(&self) -> Which {
        self.which
    }

    /// A client that does not wait long.
    pub fn client(&self) -> Arc<RemoteScheduler> {
        client(&self.url())
    }

    /// Kills it, so that it cannot save anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew at the same address.
    pub fn restart(&mut self) {
        self.child = launch(self.which, self.folder.path(), self.port, self.on_socket);
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !self.answers() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        if self.on_socket {
            UnixStream::connect(socket(self.folder.path())).is_ok()
        } else {
            // Ours listens a moment before it has read its state.
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
                && ureq::get(format!("{}api/is_paused", self.url()))
                    .config()
                    .proxy(None)
                    .build()
                    .call()
                    .is_ok()
        }
    }

    pub fn socket_url(&self) -> String {
        let path = socket(self.folder.path());
        format!(
            "http+unix://{}/",
            path.to_str().unwrap().replace('/', "%2F")
        )
    }

    /// Asks the server itself.
    pub fn ask(&self, method: &str, keywords: Value) -> Value {
        let url = format!("{}api/{method}", self.url());
        let mut response = ureq::post(&url)
            .config()
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .send_form([("data", keywords.to_string())])
            .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        assert_eq!(response.status(), 200, "{method}: {text}");
        let mut reply: Value = serde_json::from_str(&text).unwrap();
        reply["response"].take()
    }

    /// What it shows of a task.
    pub fn task(&self, task_id: &str) -> Value {
        self.ask("task_list", json!({}))[task_id].take()
    }

    /// All tasks with their statuses.
    pub fn statuses(&self) -> BTreeMap<String, String> {
        let tasks = self.ask("task_list", json!({}));
        let tasks = tasks.as_object().unwrap().iter();
        tasks
            .map(|(id, task)| (id.clone(), task["status"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// Waits until `holds`.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "{what} did not come about in time");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn client(url: &str) -> Arc<RemoteScheduler> {
    let options = RemoteOptions {
        rpc_retry_wait: 10.0,
        rpc_log_retries: false,
        ..RemoteOptions::default()
    };
    Arc::new(RemoteScheduler::new(url, options).unwrap())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

fn launch(which: Which, folder: &Path, port: u16, on_socket: bool) -> Child {
    let port = port.to_string();
    let mut command = match which {
        Which::Stock => {
            let mut command = Command::new(stock_python());
            let code = "from luigi.cmdline import luigid; luigid()";
            command.args(["-c", code]);
            command.arg("--state-path").arg(folder.join("state.pickle"));
            command
        }
        Which::Ours => {
            let mut command = Command::new(our_program());
            command.arg("scheduler");
            command.arg("--state-dir").arg(folder.join("state"));
            command
        }
    };
    if on_socket {
        command.arg("--unix-socket").arg(socket(folder));
    } else {
        command.args(["--port", &port, "--address", "127.0.0.1"]);
    }
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    command
        .env("LUIGI_CONFIG_PATH", folder.join("luigi.cfg"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
