//! HDFS, on Hadoop itself.

use std::io;

use condotta_targets::{Hdfs, HdfsFileSystem, HdfsTarget, ReadWrite};

use crate::{
    faults,
    servers::hadoop::Hadoop,
    suite::{Can, Store, cases, configuration, said, suite},
};

/// The user comes from the configuration, and for this process from the file system.
fn start() -> (Store<Hdfs>, tempfile::TempDir) {
    let (hadoop, name) = Hadoop::shared();
    let user = Hadoop::user();
    let (settings, environment) = configuration(&format!("[hdfs]\neffective_user = {user}\n"));
    let store = Store {
        fs: HdfsFileSystem::new().user(user),
        root: format!("hdfs://127.0.0.1:{}/user/{name}", hadoop.port),
        environment,
        can: Can {
            empty_folders: true,
        },
    };
    store.fs.make_dirs(&store.root).unwrap();
    (store, settings)
}

suite!(start());
cases! { start(); a_gigabyte_needs_no_memory }

#[test]
fn what_killed_writers_left_is_swept() {
    let (store, _settings) = start();
    let fresh = HdfsFileSystem::new().user(Hadoop::user());
    let age = |target: &HdfsTarget| {
        let path = target.url().splitn(4, '/').nth(3).unwrap().to_owned();
        Hadoop::shared().0.make_old(&path);
    };
    crate::suite::what_killed_writers_left_is_swept(&store, &fresh, age);
}

#[test]
fn a_missing_host_is_an_error() {
    crate::suite::a_missing_host_is_an_error(&HdfsFileSystem::new(), "hdfs");
}

#[test]
fn who_may_not_is_told_so() {
    let (store, _settings) = start();
    let stranger = HdfsFileSystem::new().user("stranger");
    let error = stranger.target(store.url("x")).write("x").unwrap_err();
    let said = said(&error);
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
    assert!(said.contains("stranger"), "{said}");
    let by_url = store.root.replace("hdfs://", "hdfs://stranger@");
    let error = store.fs.target(format!("{by_url}/x")).write("x");
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn a_cluster_that_is_gone_is_an_error() {
    let mut hadoop = Hadoop::start();
    let fs = HdfsFileSystem::new().user(Hadoop::user());
    let target = fs.target(format!("hdfs://127.0.0.1:{}/x", hadoop.port));
    faults::what_breaks_off_is_an_error(&target, || hadoop.kill(), "");
}
