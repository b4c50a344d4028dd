//! The task that downloads, run as any other, from a web server of the test.

use std::{env, fs, path::Path, process::Command};

use condotta::{BuildOptions, download::Download};
use condotta_test_servers::{
    certificates::Authority,
    stores::{
        secure::SecureFront,
        web::{Page, WebServer},
    },
};

#[test]
fn it_downloads_once_and_goes_on_with_what_a_failed_run_left() {
    let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let server = WebServer::start(Page {
        content: content.clone(),
        etag: Some("\"one\"".to_owned()),
        // The first run fails half way, with all that it tries again.
        breaks: [vec![1_500_000], vec![1; 6]].concat(),
        ..Page::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("new/page.bin");
    let task = || {
        Download::from(server.url())
            .to(to.to_str().unwrap())
            .partial(folder.path().join("part").to_str().unwrap())
    };
    let run = || {
        let options = BuildOptions::new().local_scheduler();
        condotta::build(task(), options).unwrap()
    };
    assert!(!run().succeeded());
    assert!(!to.exists());
    server.asked();
    assert!(run().succeeded());
    assert!(fs::read(&to).unwrap() == content);
    let asked = server.asked();
    assert!(asked[0].contains("range: bytes="), "{asked:?}");

    assert!(run().succeeded());
    assert!(server.asked().is_empty());
}

const URL: &str = "CONDOTTA_TEST_CHILD_URL";
const TO: &str = "CONDOTTA_TEST_CHILD_TO";

/// The child's way in: whom a process trusts is said by its environment.
#[test]
fn downloads_in_a_process_of_its_own() {
    let Ok(url) = env::var(URL) else { return };
    let task = Download::from(url).to(env::var(TO).unwrap());
    let options = BuildOptions::new().local_scheduler();
    let result = condotta::build(task, options).unwrap();
    println!("{}", result.summary_text());
}

#[test]
fn it_downloads_from_whom_it_is_told_to_trust() {
    let (authority, stranger) = (Authority::new("known"), Authority::new("stranger"));
    let server = WebServer::start(Page {
        content: b"secret enough".to_vec(),
        ..Page::default()
    });
    let front = SecureFront::start(&authority.certificate("127.0.0.1"), server.port);
    let url = server.url().replace(
        &format!("http://127.0.0.1:{}", server.port),
        &format!("https://127.0.0.1:{}", front.port),
    );
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("page.bin");
    let said_trusting = |authority: &Authority| {
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, &authority.pem).unwrap();
        said_by_a_child(&url, &to, &ca)
    };
    let said = said_trusting(&stranger);
    let expected =
        format!("cannot download {url}\n  caused by: the server's certificate is signed by nobody");
    assert!(said.contains(&expected), "{said}");
    assert!(!to.exists());
    let said = said_trusting(&authority);
    assert!(said.contains("1 ran successfully"), "{said}");
    assert_eq!(fs::read(&to).unwrap(), b"secret enough");
}

fn said_by_a_child(url: &str, to: &Path, ca: &Path) -> String {
    let output = Command::new(env::current_exe().expect("this program"))
        .args([
            "--exact",
            "downloads_in_a_process_of_its_own",
            "--nocapture",
        ])
        .env(URL, url)
        .env(TO, to)
        .env("SSL_CERT_FILE", ca)
        .output()
        .expect("it starts");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
