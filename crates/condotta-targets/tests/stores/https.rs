//! HTTPS: nginx with certificates that are made for the tests, by an authority that nobody else knows.

use std::{fs, io::Write as _, net::TcpListener, path::PathBuf, thread};

use condotta_targets::{Download, Downloaded, HttpTarget, MemoryStore, ReadWrite, Target};
use condotta_test_servers::certificates::{Authority, Certificate};
use tempfile::TempDir;

use crate::{
    child,
    servers::{
        secure::SecureFront,
        web::{Page, WebServer},
    },
};

const HOST: &str = "127.0.0.1";

/// A server, and the certificates of those who may be trusted in a file.
struct Stage {
    server: WebServer,
    front: SecureFront,
    folder: TempDir,
}

impl Stage {
    fn new(trusted: &Authority, shown: &Certificate) -> Self {
        let server = WebServer::start(Page {
            content: vec![7; 3_000_000],
            etag: Some("\"one\"".to_owned()),
            breaks: vec![500_000, 1_000_000],
            ..Page::default()
        });
        let front = SecureFront::start(shown, server.port);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), &trusted.pem).unwrap();
        Self {
            server,
            front,
            folder,
        }
    }

    fn url(&self) -> String {
        let plain = format!("http://{HOST}:{}/", self.server.port);
        let secure = format!("https://ann:sesame@{HOST}:{}/", self.front.port);
        self.server.url().replace(&plain, &secure)
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What another process says that trusts the certificates in a file.
    fn said(&self, role: &str, ca: PathBuf) -> String {
        said(role, &self.url(), ca)
    }
}

fn said(role: &str, url: &str, ca: PathBuf) -> String {
    let trusted = ("SSL_CERT_FILE".to_owned(), ca.to_str().unwrap().to_owned());
    child::start(role, url, &[trusted]).finish()
}

/// In a child: reads a page and downloads it.
pub(crate) fn read(url: &str) {
    let page = HttpTarget::new(url);
    assert!(page.exists().unwrap());
    let copy = MemoryStore::new().target("copy");
    let downloaded = Download::new(url).to(&copy).unwrap();
    assert!(matches!(
        downloaded,
        Downloaded::New {
            bytes: 3_000_000,
            ..
        }
    ));
    assert!(copy.read_bytes().unwrap() == page.read_bytes().unwrap());
    println!("READ");
}

#[test]
fn servers_of_an_authority_that_is_named_are_trusted() {
    let authority = Authority::new("known");
    let stage = Stage::new(&authority, &authority.certificate(HOST));
    let said = stage.said("read over https", stage.ca());
    assert!(said.contains("READ"), "{said}");
    let asked = stage.server.asked();
    let resumed = asked
        .iter()
        .filter(|asked| asked.to_lowercase().contains("range: bytes="));
    assert_eq!(resumed.count(), 2, "{asked:?}");
}

#[test]
fn servers_that_are_not_to_be_trusted_are_refused_at_once() {
    let authority = Authority::new("known");
    let (stranger, renewed) = (Authority::new("stranger"), Authority::new("known"));
    let unknown = "is signed by nobody who is trusted here; SSL_CERT_FILE names a file of certificates to trust";
    for (certificate, reason) in [
        (stranger.certificate(HOST), unknown),
        (renewed.certificate(HOST), unknown),
        (
            authority.certificate("other.example.com"),
            "is not for 127.0.0.1, but for other.example.com; the URL has to name the server as its certificate does",
        ),
        (
            authority.expired(HOST),
            "has expired; whoever runs the server has to renew it",
        ),
    ] {
        let stage = Stage::new(&authority, &certificate);
        let said = stage.said("fail", stage.ca());
        let place = stage.url().replace(":sesame", "");
        let expected = format!("cannot look for {place}: the server's certificate {reason}");
        assert!(said.contains(&expected), "{expected}\n{said}");
        assert!(!said.contains("trying again"), "{said}");
        assert!(!said.contains("sesame"), "{said}");
        assert_eq!(stage.server.asked(), [""; 0]);
    }
}

#[test]
fn certificates_that_are_not_there_and_servers_without_any_are_told() {
    let authority = Authority::new("known");
    let stage = Stage::new(&authority, &authority.certificate(HOST));
    let said_of_none = stage.said("fail", "/no/such/file.pem".into());
    assert!(
        said_of_none.contains("to trust; the one that it names now is not read: ")
            && said_of_none.contains("/no/such/file.pem"),
        "{said_of_none}"
    );
    let listener = TcpListener::bind((HOST, 0)).unwrap();
    let plain = format!("https://{}/x", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            client
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .unwrap();
        }
    });
    let said_of_plain = said("fail", &plain, stage.ca());
    assert!(
        said_of_plain.contains("the server speaks no TLS at this port: is it http:// there?"),
        "{said_of_plain}"
    );
}
