//! S3, on s3s-fs.

use condotta_targets::{ReadWrite, S3FileSystem, S3Target, Target};

use crate::{
    child, faults,
    proxy::Proxy,
    servers::{
        s3::{BUCKET, ID, S3Server, SECRET},
        web::{Page, WebServer},
    },
    suite::{Can, Store, cases, configuration, said, suite},
};

fn start() -> (Store<condotta_targets::S3>, S3Server) {
    let server = S3Server::start();
    let environment = [
        ("AWS_ENDPOINT_URL", server.endpoint()),
        ("AWS_ACCESS_KEY_ID", ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ];
    let store = Store {
        fs: at(server.port),
        root: format!("s3://{BUCKET}/folder of a test"),
        environment: environment
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        can: Can {
            empty_folders: false,
        },
    };
    (store, server)
}

/// The file system of a server at a port.
fn at(port: u16) -> S3FileSystem {
    S3FileSystem::new()
        .endpoint(format!("http://127.0.0.1:{port}"))
        .credentials(ID, SECRET)
}

suite!(start());
cases! { start(); a_gigabyte_needs_no_memory }

#[test]
fn a_whole_bucket_is_listed() {
    let (store, _server) = start();
    for name in ["x", "y/z"] {
        store
            .fs
            .target(format!("s3://{BUCKET}/{name}"))
            .write(name)
            .unwrap();
    }
    let files = store.fs.list(format!("s3a://{BUCKET}")).unwrap();
    let urls: Vec<String> = files.iter().map(|file| file.url()).collect();
    assert_eq!(urls, ["s3a://bucket/x", "s3a://bucket/y/z"]);
}

#[test]
fn wrong_credentials_are_refused_and_stay_secret() {
    let server = S3Server::start();
    let fs = S3FileSystem::new()
        .endpoint(server.endpoint())
        .credentials(ID, "a wrong secret");
    let bucket = format!("s3://{BUCKET}");
    faults::wrong_credentials_are_refused(&fs, &bucket, "[s3]", "a wrong secret");
    assert!(at(server.port).list(bucket).unwrap().is_empty());
}

/// Another process gets at the bucket with what a configuration says, whatever the environment says.
#[test]
fn credentials_are_those_of_the_configuration() {
    let server = S3Server::start();
    let files = tempfile::tempdir().unwrap();
    let credentials = files.path().join("credentials");
    let profiles = format!(
        "[default]\naws_access_key_id = {ID}\naws_secret_access_key = wrong\n\
         [team]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"
    );
    std::fs::write(&credentials, profiles).unwrap();
    let endpoint = format!("endpoint_url = {}\n", server.endpoint());
    let keys = format!("aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n");
    for (name, section) in [("keys", &*keys), ("profile", "profile_name = team\n")] {
        let (_settings, mut environment) = configuration(&format!("[s3]\n{endpoint}{section}"));
        let mut set =
            |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
        set("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap());
        set("AWS_CONFIG_FILE", "/no/such/file");
        set("AWS_EC2_METADATA_DISABLED", "true");
        if name == "keys" {
            set("AWS_ACCESS_KEY_ID", ID);
            set("AWS_SECRET_ACCESS_KEY", "wrong");
        }
        let url = format!("s3://{BUCKET}/{name}");
        child::start("write", &url, &environment).wait_for("WRITTEN");
        let written = std::fs::read(server.files().join(name)).unwrap();
        assert_eq!(written, b"content");
    }
}

#[test]
fn a_session_sends_its_token() {
    let server = WebServer::start(Page::default());
    let fs = S3FileSystem::new()
        .endpoint(format!("http://127.0.0.1:{}", server.port))
        .session(ID, SECRET, "the token");
    let target = fs.target(format!("s3://{BUCKET}/x"));
    let _ = target.exists();
    let asked = server.asked().join("\n");
    assert!(asked.contains("x-amz-security-token: the token"), "{asked}");
    assert!(!format!("{fs:?} {target:?}").contains("the token"));
}

#[test]
fn a_missing_bucket_is_an_error() {
    let server = S3Server::start();
    let target = at(server.port).target("s3://no-such-bucket/x");
    faults::a_missing_bucket_is_an_error(&target, "NoSuchBucket");
}

#[test]
fn what_is_no_url_of_s3_says_so() {
    let error = S3Target::new("data/x.csv").exists().unwrap_err();
    assert!(said(&error).contains("s3://place/name"), "{error:?}");
}

#[test]
fn connections_that_break_are_made_again() {
    let server = S3Server::start();
    let proxy = Proxy::to(server.port);
    let target = at(proxy.port).target(format!("s3://{BUCKET}/x"));
    faults::connections_that_break_are_made_again(&target, &proxy);
}

#[test]
fn a_server_that_is_gone_is_an_error_and_nothing_is_written() {
    let mut server = S3Server::start();
    let target = at(server.port).target(format!("s3://{BUCKET}/x"));
    faults::what_breaks_off_is_an_error(&target, || server.kill(), "also when tried again");
    let text = said(&target.read_to_string().unwrap_err());
    let endpoint = format!("cannot reach {}: ", server.endpoint());
    assert!(text.contains(&endpoint), "{text}");
    server.restart();
    assert_eq!(target.read_to_string().unwrap(), "old");
}
