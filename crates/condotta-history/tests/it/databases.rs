//! Real databases for the tests: files, and servers on free ports of this machine with their data in
//! folders that go away. Servers run as an unprivileged user, as they demand.

use std::{
    fs::File,
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use condotta_history::Address;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, geteuid},
};
use tempfile::TempDir;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb",
        }
    }
}

/// The servers, which start when they are needed and end with this.
#[derive(Default)]
pub(crate) struct Databases {
    postgres: OnceLock<Server>,
    maria: OnceLock<Server>,
    count: AtomicU32,
}

/// An empty place for a history.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) address: Address,
    /// With the password.
    pub(crate) url: String,
    folder: TempDir,
}

impl Place {
    /// The file, where it is one.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("history.sqlite")
    }
}

impl Databases {
    /// A new place on a server that others use, too.
    pub(crate) fn place(&self, kind: Kind) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("history_{number}");
        let url = match kind {
            Kind::Sqlite => format!("sqlite:///{}/history.sqlite", folder.path().display()),
            Kind::Postgres => self.postgres.get_or_init(|| Server::start(kind)).url(&name),
            Kind::MariaDb => self.maria.get_or_init(|| Server::start(kind)).url(&name),
        };
        Place {
            kind,
            address: Address::parse(&url).expect("it is a good URL"),
            url,
            folder,
        }
    }
}

/// A database server of the test's own.
pub(crate) struct Server {
    kind: Kind,
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Child>>,
}

const USER: &str = "history";
pub(crate) const PASSWORD: &str = "open-sesame";

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(user) = unprivileged() {
            chown(folder.path(), Some(user.uid), Some(user.gid)).expect("it is root");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        let server = Self {
            kind,
            folder,
            port,
            process: Mutex::default(),
        };
        server.install();
        drop(listener);
        server.run();
        server
    }

    fn install(&self) {
        let data = self.folder.path().join("data");
        let mut command = match self.kind {
            Kind::Postgres => {
                let password = self.folder.path().join("password");
                std::fs::write(&password, PASSWORD).expect("a file");
                let mut command = Command::new(program("initdb"));
                command
                    .args([
                        "-U",
                        USER,
                        "--auth=scram-sha-256",
                        "--no-sync",
                        "-E",
                        "UTF8",
                        "--locale=C",
                    ])
                    .arg(format!("--pwfile={}", password.display()))
                    .arg("-D")
                    .arg(data);
                command
            }
            _ => {
                let mut command = Command::new(program("mariadb-install-db"));
                command
                    .args(["--no-defaults", "--skip-test-db"])
                    .arg("--auth-root-authentication-method=normal")
                    .arg(format!("--datadir={}", data.display()));
                command
            }
        };
        let output = as_user(&mut command)
            .current_dir(self.folder.path())
            .output()
            .expect("it is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts it, again, where it was.
    pub(crate) fn run(&self) {
        let folder = self.folder.path();
        let data = folder.join("data");
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = Command::new(program("postgres"));
                command
                    .args(["-h", "127.0.0.1", "-F", "-p", &self.port.to_string()])
                    .args([Path::new("-D"), &data, Path::new("-k"), folder]);
                command
            }
            _ => {
                let mut command = Command::new(program("mariadbd"));
                command
                    .args(["--no-defaults", "--bind-address=127.0.0.1"])
                    .arg(format!("--port={}", self.port))
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--socket={}/socket", folder.display()))
                    .arg(format!("--pid-file={}/pid", folder.display()));
                command
            }
        };
        let log = File::create(folder.join("log")).expect("a file");
        let again = log.try_clone().expect("the same file");
        let child = as_user(&mut command)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .spawn()
            .expect("it is installed");
        *self.process.lock().expect("nobody panics") = Some(child);
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.ask("SELECT 1").is_ok()
            {
                return;
            }
            let log = || std::fs::read_to_string(self.folder.path().join("log"));
            assert!(Instant::now() < deadline, "{:?}: {:?}", self.kind, log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once, without good-byes.
    pub(crate) fn stop(&self) {
        let process = self.process.lock().expect("nobody panics").take();
        if let Some(mut child) = process {
            let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
            // SIGQUIT has PostgreSQL end its other processes, too.
            let signal = match self.kind {
                Kind::Postgres => Signal::SIGQUIT,
                _ => Signal::SIGKILL,
            };
            let _ = kill(pid, signal);
            child.wait().expect("it ends");
        }
    }

    /// A database of its own.
    pub(crate) fn database(&self, name: &str) -> Address {
        Address::parse(&self.url(name)).expect("it is a good URL")
    }

    /// The URL of a new database, for a user who may do everything in it.
    fn url(&self, name: &str) -> String {
        self.ask(&format!("CREATE DATABASE {name}"))
            .expect("it answers");
        let port = self.port;
        match self.kind {
            Kind::Postgres => format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}"),
            _ => {
                let create = format!(
                    "CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
                );
                self.ask(&create).expect("it answers");
                let grant = format!("GRANT ALL ON {name}.* TO {USER}@'127.0.0.1'");
                self.ask(&grant).expect("it answers");
                format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}")
            }
        }
    }

    /// Has the server's own client send a statement.
    pub(crate) fn ask(&self, sql: &str) -> Result<(), String> {
        let port = self.port.to_string();
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = Command::new(program("psql"));
                command.env("PGPASSWORD", PASSWORD).args([
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &port,
                    "-U",
                    USER,
                    "-d",
                    "postgres",
                    "-c",
                    sql,
                ]);
                command
            }
            _ => {
                let mut command = Command::new(program("mariadb"));
                let port = format!("--port={port}");
                let words = [
                    "--no-defaults",
                    "--host=127.0.0.1",
                    "--user=root",
                    &port,
                    "-e",
                    sql,
                ];
                command.args(words);
                command
            }
        };
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where a program of a database is.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let found = folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: apt-get install postgresql mariadb-server"))
}

fn unprivileged() -> Option<User> {
    let nobody = || {
        User::from_name("nobody")
            .ok()
            .flatten()
            .expect("there is nobody")
    };
    geteuid().is_root().then(nobody)
}

fn as_user(command: &mut Command) -> &mut Command {
    match unprivileged() {
        Some(user) => command.uid(user.uid.as_raw()).gid(user.gid.as_raw()),
        None => command,
    }
}
