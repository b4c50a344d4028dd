//! Nginx with TLS before a server that has none.

use std::{env, fs, process::Command};

use tempfile::TempDir;

use super::{Server, free_port};
use crate::certificates::Certificate;

/// A running nginx.
pub struct SecureFront {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    _server: Server,
    _folder: TempDir,
}

impl SecureFront {
    /// Starts one that shows this certificate, and hands on to a port.
    pub fn start(certificate: &Certificate, to: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cert.pem"), &certificate.pem).unwrap();
        fs::write(folder.path().join("key.pem"), &certificate.key).unwrap();
        let port = free_port();
        let path = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .collect();
        let config = format!(
            "daemon off;
             master_process off;
             pid {path}/pid;
             error_log {path}/error.log;
             events {{}}
             http {{
               access_log off;
               {temporary}
               server {{
                 listen 127.0.0.1:{port} ssl;
                 ssl_certificate {path}/cert.pem;
                 ssl_certificate_key {path}/key.pem;
                 location / {{ proxy_pass http://127.0.0.1:{to}; proxy_buffering off; }}
               }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let nginx = env::var_os("CONDOTTA_NGINX");
        let nginx = nginx.expect("CONDOTTA_NGINX names nginx: see cargo xtask test storage");
        let mut command = Command::new(nginx);
        command.arg("-e").arg(folder.path().join("error.log"));
        command.arg("-c").arg(file);
        Self {
            port,
            _server: Server::listening(command, port),
            _folder: folder,
        }
    }
}
