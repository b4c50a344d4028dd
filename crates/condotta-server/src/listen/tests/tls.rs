//! Encrypted connections, with real certificates.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use super::{PING, wait_for_end};
use crate::{
    listen::{Limits, Place, Tls, TlsError, TlsFiles, bind},
    testing::{PATIENCE, Setup, TestServer, handle, percent, receive, send},
};

/// A folder with a certificate and its key.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.renew("one", &["certificate", "key"]);
        home
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.0.path().join("certificate"),
            key: self.0.path().join("key"),
        }
    }

    /// Makes a new pair, and puts these files of it in place.
    fn renew(&self, name: &str, which: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        for (file, text) in [
            ("certificate", certificate.pem()),
            ("key", key.serialize_pem()),
        ] {
            let path = self.0.path().join(file);
            if which.contains(&file) {
                fs::write(path.with_extension("new"), text).unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            }
        }
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files().certificate).unwrap()
    }

    fn serve(&self, limits: Limits) -> TestServer {
        let tls = Tls::new(self.files()).unwrap();
        // One socket: each that waits for a client takes a place.
        let address = "127.0.0.1".to_owned();
        let mut listeners = bind(&[Place::Tcp { address, port: 0 }]).unwrap();
        listeners.iter_mut().for_each(|one| one.encrypt(&tls));
        let setup = Setup {
            limits,
            ..Setup::default()
        };
        setup.start_on(handle(&[]), listeners)
    }
}

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts this certificate alone.
fn client(server: &TestServer, trusted: CertificateDer<'static>) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, server.connect())
}

fn ping(client: &mut Client) -> u16 {
    let body = format!("data={}", percent(PING));
    let form = ("content-type", "application/x-www-form-urlencoded");
    send(client, "POST", "/api/ping", &[form], body.as_bytes());
    receive(client, "POST").status
}

/// The certificate that the server shows, to a client that trusts `trusted`; none if it refuses it.
fn shown(server: &TestServer, trusted: CertificateDer<'static>) -> Option<Vec<u8>> {
    let mut client = client(server, trusted);
    client.conn.complete_io(&mut client.sock).ok()?;
    let certificates = client.conn.peer_certificates()?;
    Some(certificates[0].to_vec())
}

#[test]
fn requests_and_long_answers_go_encrypted() {
    let home = Home::new();
    let server = home.serve(Limits::default());
    let mut client = client(&server, home.certificate());
    for _ in 0..3 {
        assert_eq!(ping(&mut client), 200);
    }
    send(&mut client, "POST", "/api/dep_graph", &[], b"");
    let answer = receive(&mut client, "POST");
    assert_eq!((answer.status, answer.body.len() > 4_000_000), (200, true));
}

#[test]
fn plain_http_is_told_to_come_encrypted() {
    let home = Home::new();
    let server = home.serve(Limits::default());
    let answer = server.call("ping", PING);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "not_encrypted")
    );
    assert!(answer.text().contains("https://"), "{}", answer.text());
}

#[test]
fn a_client_that_begins_no_encryption_is_cut_off() {
    let home = Home::new();
    let server = home.serve(Limits {
        header_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    for said in [&b""[..], &[0x16, 3, 1]] {
        let mut stream = server.connect();
        stream.write_all(said).unwrap();
        let (took, seen) = wait_for_end(&mut stream);
        assert!(took >= Duration::from_millis(200), "{took:?}");
        assert_eq!(seen, b"");
    }
    // The head of a request has its own time.
    let mut client = client(&server, home.certificate());
    client.write_all(b"POST /api/ping HTTP/1.1\r\n").unwrap();
    let mut rest = Vec::new();
    // It ends with an error or without, but it ends.
    let _ = client.read_to_end(&mut rest);
    assert_eq!(rest, b"");
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let home = Home::new();
    let server = home.serve(Limits {
        write_timeout: Duration::from_millis(300),
        max_connections: 1,
        ..Limits::default()
    });
    let mut silent = client(&server, home.certificate());
    send(&mut silent, "POST", "/api/graph", &[], b"");
    // There is one place, so this one waits until the other has lost it.
    let mut next = client(&server, home.certificate());
    next.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(ping(&mut next), 200);
}

#[test]
fn a_renewed_certificate_is_shown_and_half_of_one_is_not() {
    let home = Home::new();
    let server = home.serve(Limits::default());
    let first = home.certificate();
    let old = shown(&server, first.clone()).unwrap();
    assert_eq!(old, first.to_vec());
    home.renew("two", &["certificate"]);
    let unusable = shown(&server, first.clone());
    assert_eq!(unusable, Some(old), "its key has not come yet");
    home.renew("three", &["certificate", "key"]);
    let third = home.certificate();
    assert_eq!(shown(&server, third.clone()), Some(third.to_vec()));
    assert_eq!(shown(&server, first), None);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let home = Home::new();
    let path = home.0.path();
    let error = |files: TlsFiles| Tls::new(files).unwrap_err();
    let absent = TlsFiles {
        certificate: path.join("absent"),
        ..home.files()
    };
    let said = error(absent).to_string();
    assert!(
        said.contains("absent") && said.contains("certificate"),
        "{said}"
    );
    let swapped = TlsFiles {
        certificate: home.files().key,
        key: home.files().certificate,
    };
    let said = error(swapped).to_string();
    assert!(
        said.contains("no certificate") || said.contains("-----BEGIN"),
        "{said}"
    );
    home.renew("two", &["key"]);
    let unusable = error(home.files());
    assert!(matches!(unusable, TlsError::Unusable { .. }), "{unusable}");
    let secret = fs::read_to_string(Path::new(&home.files().key)).unwrap();
    let line = secret.lines().nth(1).unwrap();
    assert!(!unusable.to_string().contains(line));
}
