//! WebHDFS, on Hadoop itself.

use std::io;

use condotta_targets::{ReadWrite, WebHdfs, WebHdfsFileSystem, WebHdfsTarget};

use crate::{
    faults,
    proxy::Proxy,
    servers::hadoop::Hadoop,
    suite::{Can, Store, cases, said, suite},
};

fn start() -> (Store<WebHdfs>, ()) {
    let (hadoop, name) = Hadoop::shared();
    let store = Store {
        fs: at_home(),
        root: format!("webhdfs://127.0.0.1:{}/user/{name}", hadoop.web_port),
        environment: vec![("HADOOP_USER_NAME".to_owned(), Hadoop::user())],
        can: Can {
            empty_folders: true,
        },
    };
    store.fs.make_dirs(&store.root).unwrap();
    (store, ())
}

/// The file system for a user who may do everything.
fn at_home() -> WebHdfsFileSystem {
    WebHdfsFileSystem::new().user(Hadoop::user())
}

suite!(start());
cases! { start(); a_gigabyte_needs_no_memory }

#[test]
fn what_killed_writers_left_is_swept() {
    let (store, ()) = start();
    let fresh = WebHdfsFileSystem::new().user(Hadoop::user());
    let age = |target: &WebHdfsTarget| {
        let path = target.url().splitn(4, '/').nth(3).unwrap().to_owned();
        Hadoop::shared().0.make_old(&path);
    };
    crate::suite::what_killed_writers_left_is_swept(&store, &fresh, age);
}

#[test]
fn a_missing_host_is_an_error() {
    crate::suite::a_missing_host_is_an_error(&WebHdfsFileSystem::new(), "webhdfs");
}

#[test]
fn who_may_not_is_told_so() {
    let (store, ()) = start();
    let stranger = WebHdfsFileSystem::new().user("stranger");
    let with_token = WebHdfsFileSystem::new().delegation_token("a secret token");
    for fs in [stranger, with_token] {
        for content in ["x".to_owned(), "x".repeat(8 << 20)] {
            let error = fs.target(store.url("x")).write(content).unwrap_err();
            let said = said(&error);
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        assert!(!format!("{fs:?}").contains("secret"));
    }
}

#[test]
fn connections_that_break_are_made_again() {
    let (hadoop, name) = Hadoop::shared();
    let proxy = Proxy::to(hadoop.web_port);
    let url = format!("webhdfs://127.0.0.1:{}/user/{name}", proxy.port);
    let target = at_home().target(url);
    proxy.refuse(2);
    target.write("content").unwrap();
    proxy.cut();
    proxy.refuse(2);
    assert_eq!(target.read_to_string().unwrap(), "content");
}

#[test]
fn a_server_that_is_gone_is_an_error() {
    let mut hadoop = Hadoop::start();
    let url = format!("webhdfs://127.0.0.1:{}/x", hadoop.web_port);
    let target = at_home().target(url);
    let tried = "also when tried 5 times more";
    faults::what_breaks_off_is_an_error(&target, || hadoop.kill(), tried);
}
