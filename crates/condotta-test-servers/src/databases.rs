//! Real databases for tests and benches: files, and servers on free ports of this machine with their
//! data in folders that go away. Servers run as an unprivileged user, as they demand.

use std::{
    fs::{File, Permissions},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, geteuid},
};
use tempfile::TempDir;

use crate::certificates::Certificate;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// PostgreSQL's server.
    Postgres,
    /// MariaDB's server.
    MariaDb,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    /// Its name, for those who read results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb",
        }
    }
}

/// The servers, which start when they are needed and end with this.
#[derive(Debug, Default)]
pub struct Databases {
    postgres: OnceLock<Server>,
    maria: OnceLock<Server>,
    count: AtomicU32,
}

/// An empty database, and a folder.
#[derive(Debug)]
pub struct Place {
    /// Of which kind it is.
    pub kind: Kind,
    /// Where it is, with the password.
    pub url: String,
    /// A folder that goes with it.
    pub folder: TempDir,
}

impl Place {
    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("place.sqlite")
    }
}

impl Databases {
    /// A new database on a server that others use, too.
    pub fn place(&self, kind: Kind) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let name = format!("place_{}", self.count.fetch_add(1, Ordering::Relaxed));
        let url = match kind {
            Kind::Sqlite => format!("sqlite:///{}/place.sqlite", folder.path().display()),
            Kind::Postgres | Kind::MariaDb => self.server(kind).database(&name),
        };
        Place { kind, url, folder }
    }

    /// The server of this kind.
    pub fn server(&self, kind: Kind) -> &Server {
        let server = match kind {
            Kind::Postgres => &self.postgres,
            _ => &self.maria,
        };
        server.get_or_init(|| Server::start(kind))
    }
}

/// A database server of the test's own.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    folder: TempDir,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    is_encrypted: bool,
    process: Mutex<Option<Child>>,
}

/// The user that may do everything.
pub const USER: &str = "loader";
/// That user's password.
pub const PASSWORD: &str = "open-sesame";

impl Server {
    /// Installs and starts a server of this kind, and waits until it answers.
    #[must_use]
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, None)
    }

    /// The same, but it encrypts connections, and shows this certificate.
    #[must_use]
    pub fn encrypted(kind: Kind, certificate: &Certificate) -> Self {
        Self::start_with(kind, Some(certificate))
    }

    fn start_with(kind: Kind, certificate: Option<&Certificate>) -> Self {
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
            is_encrypted: certificate.is_some(),
            process: Mutex::default(),
        };
        if let Some(certificate) = certificate {
            server.show(certificate);
        }
        server.install();
        drop(listener);
        server.run();
        server
    }

    /// Has it show this certificate from its next start on.
    pub fn show(&self, certificate: &Certificate) {
        for (name, text) in [
            ("cert.pem", &certificate.pem),
            ("key.pem", &certificate.key),
        ] {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            // PostgreSQL takes no key that others may read.
            let only_mine = Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, only_mine).expect("it is there");
            if let Some(user) = unprivileged() {
                chown(&path, Some(user.uid), Some(user.gid)).expect("it is root");
            }
        }
    }

    fn install(&self) {
        let data = self.folder.path().join("data");
        let mut command = match self.kind {
            Kind::Postgres => {
                let password = self.folder.path().join("password");
                std::fs::write(&password, PASSWORD).expect("a file");
                let mut command = Command::new(program("initdb"));
                command
                    .args(["-U", USER, "--auth=scram-sha-256", "--no-sync"])
                    .args(["-E", "UTF8", "--locale=C"])
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
                    .arg(format!("--datadir={}", data.display()))
                    .arg(self.temporary());
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

    /// Where MariaDB has its temporary tables, which have the same names in each server's tests.
    fn temporary(&self) -> String {
        format!("--tmpdir={}", self.folder.path().display())
    }

    /// Starts it, again, where it was.
    pub fn run(&self) {
        let folder = self.folder.path();
        let data = folder.join("data");
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = Command::new(program("postgres"));
                command
                    .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                    .args([Path::new("-D"), &data, Path::new("-k"), folder]);
                if self.is_encrypted {
                    let path = folder.display();
                    command
                        .args(["-c", "ssl=on"])
                        .args(["-c", &format!("ssl_cert_file={path}/cert.pem")])
                        .args(["-c", &format!("ssl_key_file={path}/key.pem")]);
                }
                command
            }
            _ => {
                let mut command = Command::new(program("mariadbd"));
                command
                    .args([
                        "--no-defaults",
                        "--bind-address=127.0.0.1",
                        "--local-infile=1",
                    ])
                    .arg(format!("--port={}", self.port))
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--socket={}/socket", folder.display()))
                    .arg(format!("--pid-file={}/pid", folder.display()))
                    .arg(self.temporary());
                if self.is_encrypted {
                    command
                        .arg(format!("--ssl-cert={}/cert.pem", folder.display()))
                        .arg(format!("--ssl-key={}/key.pem", folder.display()));
                }
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
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let answers = TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && self.client(None, "SELECT 1").status.success();
            if answers {
                return;
            }
            let log = || std::fs::read_to_string(self.folder.path().join("log"));
            assert!(Instant::now() < deadline, "{:?}: {:?}", self.kind, log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once, without good-byes.
    pub fn stop(&self) {
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

    /// The URL of a new database, for a user who may do everything in it.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        self.ask(None, &format!("CREATE DATABASE {name}"));
        let port = self.port;
        match self.kind {
            Kind::Postgres => format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}"),
            _ => {
                for statement in [
                    format!(
                        "CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
                    ),
                    format!("GRANT ALL ON *.* TO {USER}@'127.0.0.1'"),
                ] {
                    self.ask(None, &statement);
                }
                format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}")
            }
        }
    }

    /// What the server's own client answers: a row on each line, with tabs between the values.
    pub fn ask(&self, database: Option<&str>, sql: &str) -> String {
        let output = self.client(database, sql);
        assert!(
            output.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("it answers in UTF-8")
    }

    fn client(&self, database: Option<&str>, sql: &str) -> std::process::Output {
        let mut command = self.client_command(database);
        let flag = if self.kind == Kind::Postgres {
            "-c"
        } else {
            "-e"
        };
        command.args([flag, sql]);
        command.output().expect("it is installed")
    }

    /// The server's own client, connected to a database, for words to be added.
    #[must_use]
    pub fn client_command(&self, database: Option<&str>) -> Command {
        let port = self.port.to_string();
        if self.kind == Kind::Postgres {
            let mut command = Command::new(program("psql"));
            let database = database.unwrap_or("postgres");
            command
                .env("PGPASSWORD", PASSWORD)
                .args(["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"])
                .args(["-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", database]);
            return command;
        }
        let mut command = Command::new(program("mariadb"));
        command
            .args([
                "--no-defaults",
                "--batch",
                "--skip-column-names",
                "--local-infile=1",
            ])
            .args([
                "--default-character-set=utf8mb4",
                "--host=127.0.0.1",
                "--user=root",
            ])
            .arg(format!("--port={port}"))
            .args(database);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where a program of a database is.
#[must_use]
pub fn program(name: &str) -> PathBuf {
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
