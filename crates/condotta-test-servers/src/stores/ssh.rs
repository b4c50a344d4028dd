//! OpenSSH's server, with a key that may log in, and the configuration for `ssh` that leads there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{Server, free_port};

/// A running server. The folder is also what it serves.
pub struct SshServer {
    server: Server,
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
}

impl SshServer {
    /// Starts one, with keys of its own.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        for key in ["host_key", "user_key", "stranger"] {
            make_key(&folder.path().join(key));
        }
        let public = folder.path().join("user_key.pub");
        fs::copy(public, folder.path().join("authorized_keys")).unwrap();
        let port = free_port();
        let server = serve(folder.path(), port);
        let made = Self {
            server,
            port,
            folder,
        };
        made.client_config("config", "user_key", "host_key.pub", port);
        made
    }

    /// The folder that is served.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// The configuration for a client that may log in.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The configuration for a client that comes through another port.
    pub fn config_for(&self, port: u16) -> PathBuf {
        self.client_config(&format!("config-{port}"), "user_key", "host_key.pub", port)
    }

    /// The configuration for a client whose key nobody knows.
    pub fn config_of_a_stranger(&self) -> PathBuf {
        self.client_config("config-stranger", "stranger", "host_key.pub", self.port)
    }

    /// The configuration for a client that knows another host key.
    pub fn config_of_another_host(&self) -> PathBuf {
        self.client_config("config-other", "user_key", "stranger.pub", self.port)
    }

    /// Ends it at once. Those who are logged in have processes of their own, and stay.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, at the same port and with what it has.
    pub fn restart(&mut self) {
        self.server = serve(self.folder.path(), self.port);
    }

    fn client_config(&self, name: &str, key: &str, host_key: &str, port: u16) -> PathBuf {
        let folder = self.folder.path();
        let host_key = fs::read_to_string(folder.join(host_key)).unwrap();
        let known = folder.join(format!("{name}.known_hosts"));
        fs::write(&known, format!("[127.0.0.1]:{port} {host_key}")).unwrap();
        let path = folder.join(name);
        let text = format!(
            "IdentityFile {}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {}\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n",
            folder.join(key).display(),
            known.display()
        );
        fs::write(&path, text).unwrap();
        path
    }
}

fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn serve(folder: &Path, port: u16) -> Server {
    let _ = fs::create_dir_all("/run/sshd");
    let place = |name: &str| folder.join(name).display().to_string();
    let settings = [
        ("Port", port.to_string()),
        ("ListenAddress", "127.0.0.1".to_owned()),
        ("HostKey", place("host_key")),
        ("AuthorizedKeysFile", place("authorized_keys")),
        ("PidFile", "none".to_owned()),
        ("StrictModes", "no".to_owned()),
        ("UsePAM", "no".to_owned()),
        ("PermitRootLogin", "yes".to_owned()),
        ("PasswordAuthentication", "no".to_owned()),
        ("MaxStartups", "100".to_owned()),
        ("Subsystem", "sftp internal-sftp".to_owned()),
    ];
    let text: String = settings
        .iter()
        .map(|(name, value)| format!("{name} {value}\n"))
        .collect();
    fs::write(folder.join("sshd_config"), text).unwrap();
    let log = fs::File::create(folder.join("sshd.log")).unwrap();
    // sshd insists on an absolute path to itself.
    let mut command = Command::new("/usr/sbin/sshd");
    command
        .args(["-D", "-e", "-f"])
        .arg(folder.join("sshd_config"))
        .stderr(log);
    Server::listening(command, port)
}
