//! Azurite, Microsoft's emulator of Azure's storage, with an empty container. It checks signatures.

use std::{
    env,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{Server, free_port};

/// The account that every Azurite has.
pub const ACCOUNT: &str = "devstoreaccount1";
/// The account's key, which is known to all.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// The container that is there.
pub const CONTAINER: &str = "container";

/// Makes a container: OpenDAL makes none.
const MAKE_CONTAINER: &str = r"
const { createHmac } = require('crypto');
const { request } = require('http');
const [port, account, key, container] = process.argv.slice(1);
const path = `/${account}/${container}`;
const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-08-06' };
const signed = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
const text = `PUT${'\n'.repeat(12)}${signed}/${account}${path}\nrestype:container`;
const hmac = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
headers.authorization = `SharedKey ${account}:${hmac}`;
headers['content-length'] = 0;
request({ host: '127.0.0.1', port, method: 'PUT', path: `${path}?restype=container`, headers }, (answer) => {
  process.exit(answer.statusCode === 201 ? 0 : 1);
}).end();
";

/// Signs a token that gives access to a container, for an hour.
const SIGN_TOKEN: &str = r"
const { createHmac } = require('crypto');
const [account, key, container] = process.argv.slice(1);
const [may, until, version] = ['racwdl', new Date(Date.now() + 3600e3).toISOString().slice(0, 19) + 'Z', '2021-08-06'];
const place = `/blob/${account}/${container}`;
const text = [may, '', until, place, '', '', '', version, 'c', '', '', '', '', '', '', ''].join('\n');
const hmac = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
process.stdout.write(new URLSearchParams({ sp: may, se: until, sv: version, sr: 'c', sig: hmac }).toString());
";

/// A token for the container.
pub fn token() -> String {
    let mut signs = Command::new(node());
    let signed = signs
        .args(["-e", SIGN_TOKEN, ACCOUNT, KEY, CONTAINER])
        .output();
    String::from_utf8(signed.unwrap().stdout).unwrap()
}

/// A running emulator.
pub struct Azurite {
    server: Server,
    /// Where it listens.
    pub port: u16,
    _folder: TempDir,
}

impl Azurite {
    /// Starts one with an empty container.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = Server::listening(command(&folder, port), port);
        let made = Command::new(node())
            .args(["-e", MAKE_CONTAINER, &port.to_string()])
            .args([ACCOUNT, KEY, CONTAINER])
            .status();
        assert!(made.unwrap().success(), "the container is made");
        Self {
            server,
            port,
            _folder: folder,
        }
    }

    /// The address of the account.
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }
}

/// The address of the account at a port.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}/{ACCOUNT}")
}

fn node() -> std::ffi::OsString {
    env::var_os("CONDOTTA_NODE").unwrap_or_else(|| "node".into())
}

fn command(folder: &TempDir, port: u16) -> Command {
    let program = env::var_os("CONDOTTA_AZURITE");
    let program = program.expect("CONDOTTA_AZURITE names it: see cargo xtask test storage");
    let mut command = Command::new(node());
    command
        .arg(program)
        .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"])
        .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
        .arg("--location")
        .arg(folder.path())
        .stdout(Stdio::null());
    command
}
