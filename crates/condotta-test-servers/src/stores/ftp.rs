//! Two FTP servers: pyftpdlib, which lists for programs and knows users, and vsftpd, which lists for people.

use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::Server;

/// Who may log in.
pub const USER: &str = "luigi";
/// By this.
pub const PASSWORD: &str = "some p@ss/word";

const PYTHON: &str = r#"
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
user, password, folder, port = sys.argv[1:]
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user(user, password, folder, perm="elradfmwMT")
server = FTPServer(("127.0.0.1", int(port)), FTPHandler)
print("PORT", server.address[1], flush=True)
server.serve_forever()
"#;

/// A running server.
pub struct FtpServer {
    server: Server,
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
}

impl FtpServer {
    /// pyftpdlib, with a login.
    pub fn pyftpdlib() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, port) = Server::saying_its_port(pyftpdlib(&folder, 0));
        Self {
            server,
            port,
            folder,
        }
    }

    /// vsftpd, which lets everybody in.
    pub fn vsftpd() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = open_folder(&folder);
        let user = nix::unistd::User::from_uid(nix::unistd::getuid());
        let settings = [
            ("run_as_launching_user", "YES"),
            ("anonymous_enable", "YES"),
            ("no_anon_password", "YES"),
            ("anon_root", files.to_str().unwrap()),
            ("ftp_username", &user.unwrap().unwrap().name),
            ("anon_umask", "022"),
            ("anon_upload_enable", "YES"),
            ("anon_mkdir_write_enable", "YES"),
            ("anon_other_write_enable", "YES"),
            ("anon_world_readable_only", "NO"),
        ];
        let (config, port) = configure(&folder, &settings);
        let mut command = Command::new(VSFTPD);
        command.arg(config);
        let server = Server::listening(command, port);
        Self {
            server,
            port,
            folder,
        }
    }

    /// vsftpd for a user of the system with a password. The user is there for nobody else: the server sees
    /// other files where the system has its users, which takes the rights of root.
    pub fn vsftpd_with_login() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "only root can have the server see a user of its own"
        );
        let folder = tempfile::tempdir().unwrap();
        let files = open_folder(&folder);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let settings = [
            ("anonymous_enable", "NO"),
            ("local_enable", "YES"),
            ("local_umask", "022"),
            ("chroot_local_user", "YES"),
            ("allow_writeable_chroot", "YES"),
            ("pam_service_name", "test"),
            ("secure_chroot_dir", empty.to_str().unwrap()),
        ];
        let (config, port) = configure(&folder, &settings);
        let hash = Command::new("openssl")
            .args(["passwd", "-6", PASSWORD])
            .output();
        let hash = String::from_utf8(hash.unwrap().stdout).unwrap();
        let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
        let (uid, gid) = (nobody.uid, nobody.gid);
        let user = format!("{USER}:x:{uid}:{gid}::{}:/bin/sh\n", files.display());
        let password = format!("{USER}:{}:19000:0:99999:7:::\n", hash.trim());
        for (place, line) in [("passwd", user), ("shadow", password)] {
            let own = fs::read_to_string(format!("/etc/{place}")).unwrap();
            fs::write(folder.path().join(place), own + &line).unwrap();
        }
        let pam = folder.path().join("pam.d");
        fs::create_dir(&pam).unwrap();
        let rules = "auth required pam_unix.so\naccount required pam_unix.so\n";
        fs::write(pam.join("test"), rules).unwrap();
        let script = "cd \"$0\" && for place in passwd shadow pam.d; do \
            mount --bind \"$place\" \"/etc/$place\" || exit 1; done && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).arg(folder.path());
        command.arg(VSFTPD).arg(config);
        let server = Server::listening(command, port);
        Self {
            server,
            port,
            folder,
        }
    }

    /// The folder that is served.
    pub fn files(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts pyftpdlib again, at the same port and with what it has.
    pub fn restart(&mut self) {
        self.server = Server::saying_its_port(pyftpdlib(&self.folder, self.port)).0;
    }
}

const VSFTPD: &str = "/usr/sbin/vsftpd";

/// A folder of vsftpd's with a folder in it that everybody may write to.
fn open_folder(folder: &TempDir) -> PathBuf {
    let files = folder.path().join("files");
    let open = files.join("open");
    fs::create_dir_all(&open).unwrap();
    fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
    files
}

/// Writes a configuration of vsftpd with these settings and the usual ones, and chooses a port.
fn configure(folder: &TempDir, settings: &[(&str, &str)]) -> (PathBuf, u16) {
    let port = super::free_port();
    let number = port.to_string();
    let usual = [
        ("listen", "YES"),
        ("listen_address", "127.0.0.1"),
        ("listen_port", &number),
        ("background", "NO"),
        ("write_enable", "YES"),
        ("seccomp_sandbox", "NO"),
        ("max_per_ip", "0"),
    ];
    let lines = usual.iter().chain(settings);
    let text: String = lines
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let config = folder.path().join("vsftpd.conf");
    fs::write(&config, text).unwrap();
    (config, port)
}

fn pyftpdlib(folder: &TempDir, port: u16) -> Command {
    let python = env::var_os("CONDOTTA_FTP_PYTHON");
    let python = python.expect("CONDOTTA_FTP_PYTHON has pyftpdlib: see cargo xtask test storage");
    let mut command = Command::new(python);
    command
        .args(["-c", PYTHON, USER, PASSWORD])
        .arg(folder.path())
        .arg(port.to_string());
    command.stderr(std::process::Stdio::null());
    command
}
