//! Google Cloud Storage, on fake-gcs-server, an emulator. It knows no uploads in parts, which content of more
//! than eight megabytes is put into, and no credentials: both come from a stand-in before it.

use std::io::{self, Write};

use condotta_targets::{Gcs, GcsFileSystem, ReadWrite, Target};

use crate::{
    faults,
    proxy::Proxy,
    servers::{
        gcs::{BUCKET, FakeGcs},
        gcs_front::Front,
    },
    suite::{Can, Store, said, suite},
};

fn start() -> (Store<Gcs>, (FakeGcs, Front)) {
    let server = FakeGcs::start();
    let front = Front::of(server.port, None);
    let endpoint = format!("http://127.0.0.1:{}", front.port);
    let store = Store {
        fs: at(front.port),
        root: format!("gs://{BUCKET}/folder of a test"),
        environment: vec![("STORAGE_EMULATOR_HOST".to_owned(), endpoint)],
        can: Can {
            empty_folders: false,
        },
    };
    (store, (server, front))
}

/// The file system of a server at a port.
fn at(port: u16) -> GcsFileSystem {
    GcsFileSystem::new()
        .endpoint(format!("http://127.0.0.1:{port}"))
        .anonymous()
}

suite!(start());

#[test]
fn large_content_goes_up_in_parts() {
    let (store, (_server, front)) = start();
    let target = store.fs.target(store.url("large"));
    let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    target.write_bytes(&bytes).unwrap();
    assert_eq!(front.uploads(), (1, 1));
    assert!(target.read_bytes().unwrap() == bytes);

    let mut writer = target.writer().unwrap();
    writer.write_all(&bytes).unwrap();
    drop(writer);
    assert_eq!(front.uploads(), (2, 1));
    assert!(target.read_bytes().unwrap() == bytes);
}

#[test]
fn wrong_credentials_are_refused_and_stay_secret() {
    let server = FakeGcs::start();
    let front = Front::of(server.port, Some("the token"));
    let with = |token: &str| {
        let endpoint = format!("http://127.0.0.1:{}", front.port);
        GcsFileSystem::new().endpoint(endpoint).token(token)
    };
    let bucket = format!("gs://{BUCKET}");
    faults::wrong_credentials_are_refused(
        &with("a wrong secret"),
        &bucket,
        "[gcs]",
        "a wrong secret",
    );
    let target = with("the token").target(format!("gs://{BUCKET}/x"));
    target.write("content").unwrap();
    assert_eq!(target.read_to_string().unwrap(), "content");
}

#[test]
fn an_upload_in_parts_that_breaks_off_writes_nothing() {
    let server = FakeGcs::start();
    let front = Front::of(server.port, None);
    let proxy = Proxy::to(front.port);
    let target = at(proxy.port).target(format!("gs://{BUCKET}/x"));
    let go = || {
        proxy.refuse(usize::MAX);
        proxy.cut();
    };
    faults::what_breaks_off_is_an_error(&target, go, "also when tried again");
    proxy.refuse(0);
    assert_eq!(target.read_to_string().unwrap(), "old");
}

#[test]
fn a_missing_bucket_is_an_error() {
    let server = FakeGcs::start();
    let target = at(server.port).target("gs://no-such-bucket/x");
    // The emulator says of an object there what it says of one that is missing elsewhere.
    let error = target.write("x").unwrap_err();
    assert!(
        said(&error).contains("cannot write gs://no-such-bucket/x"),
        "{error:?}"
    );
}

#[test]
fn without_credentials_the_advice_names_their_places() {
    let server = FakeGcs::start();
    let fs = GcsFileSystem::new()
        .endpoint(server.endpoint())
        .credential_file("/no/such/file");
    let error = fs.target(format!("gs://{BUCKET}/x")).exists().unwrap_err();
    let said = said(&error);
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
    assert!(said.contains("[gcs]"), "{said}");
}

#[test]
fn connections_that_break_are_made_again() {
    let server = FakeGcs::start();
    let proxy = Proxy::to(server.port);
    let target = at(proxy.port).target(format!("gs://{BUCKET}/x"));
    faults::connections_that_break_are_made_again(&target, &proxy);
}

#[test]
fn a_server_that_is_gone_is_an_error_and_nothing_is_written() {
    let mut server = FakeGcs::start();
    let target = at(server.port).target(format!("gs://{BUCKET}/x"));
    target.write("old").unwrap();
    let mut writer = target.writer().unwrap();
    writer.write_all(b"new").unwrap();
    server.kill();
    let error = writer.commit().unwrap_err();
    assert!(
        error.to_string().contains("cannot write gs://bucket/x"),
        "{error}"
    );
    let error = target.exists().unwrap_err();
    assert!(said(&error).contains("also when tried again"), "{error:?}");
    server.restart();
    assert_eq!(target.read_to_string().unwrap(), "old");
}
