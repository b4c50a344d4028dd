//! s3s-fs, a server for S3 over a folder. It checks signatures.

use std::{env, fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::Server;

/// The id of who has access.
pub const ID: &str = "AKIDTEST";
/// The secret of that.
pub const SECRET: &str = "sekret/of+the=test";
/// The bucket that is there.
pub const BUCKET: &str = "bucket";

/// A running server with an empty bucket.
pub struct S3Server {
    server: Server,
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
}

impl S3Server {
    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let (server, port) = Server::saying_its_port(command(&folder));
        Self {
            server,
            port,
            folder,
        }
    }

    /// The folder of the bucket, where each object is a file.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
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
        let mut command = command(&self.folder);
        command.arg(self.port.to_string());
        self.server = Server::saying_its_port(command).0;
    }
}

fn command(folder: &TempDir) -> Command {
    let program = env::var_os("CONDOTTA_S3_SERVER");
    let program =
        program.expect("CONDOTTA_S3_SERVER names the server: see cargo xtask test storage");
    let mut command = Command::new(program);
    command.arg(folder.path()).args([ID, SECRET]);
    command
}
