//! fake-gcs-server, an emulator of Google Cloud Storage, with an empty bucket. It asks for no credentials.

use std::{env, fs, process::Command};

use tempfile::TempDir;

use super::{Server, free_port};

/// The bucket that is there.
pub const BUCKET: &str = "bucket";

/// A running emulator.
pub struct FakeGcs {
    server: Server,
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
}

impl FakeGcs {
    /// Starts one with an empty bucket.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let port = free_port();
        Self {
            server: Server::listening(command(&folder, port), port),
            port,
            folder,
        }
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, at the same port and with what it has.
    pub fn restart(&mut self) {
        self.server = Server::listening(command(&self.folder, self.port), self.port);
    }
}

fn command(folder: &TempDir, port: u16) -> Command {
    let program = env::var_os("CONDOTTA_FAKE_GCS");
    let program = program.expect("CONDOTTA_FAKE_GCS names it: see cargo xtask test storage");
    let mut command = Command::new(program);
    command
        .args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-log-level",
            "error",
        ])
        .args(["-port", &port.to_string()])
        .args(["-public-host", &format!("127.0.0.1:{port}")])
        .args(["-external-url", &format!("http://127.0.0.1:{port}")])
        .args(["-backend", "filesystem", "-filesystem-root"])
        .arg(folder.path());
    command
}
