//! SFTP, on OpenSSH's server.

use std::{io, path::PathBuf};

use condotta_targets::{ReadWrite, Sftp, SftpFileSystem, SftpTarget, Target};

use crate::{
    faults,
    proxy::Proxy,
    servers::ssh::SshServer,
    suite::{Can, Store, cases, configuration, make_old, name_of, said, suite},
};

fn start() -> (Store<Sftp>, (SshServer, tempfile::TempDir)) {
    let server = SshServer::start();
    let text = format!("[sftp]\nconfig_file = {}\n", server.config().display());
    let (settings, environment) = configuration(&text);
    let store = Store {
        fs: SftpFileSystem::new().config_file(server.config()),
        root: url(server.port, &server),
        environment,
        can: Can {
            empty_folders: true,
        },
    };
    (store, (server, settings))
}

/// The URL of the served folder, by a port.
fn url(port: u16, server: &SshServer) -> String {
    format!("sftp://127.0.0.1:{port}{}", server.files().display())
}

suite!(start());
cases! { start(); a_gigabyte_needs_no_memory }

#[test]
fn what_killed_writers_left_is_swept() {
    let (store, (server, _settings)) = start();
    let fresh = SftpFileSystem::new().config_file(server.config());
    let age = |target: &SftpTarget| {
        make_old(&server.files().join(name_of(target)));
    };
    crate::suite::what_killed_writers_left_is_swept(&store, &fresh, age);
}

#[test]
fn a_missing_host_is_an_error() {
    let (store, _server) = start();
    crate::suite::a_missing_host_is_an_error(&store.fs, "sftp");
}

#[test]
fn the_folder_of_the_login_is_a_tilde() {
    let (store, (server, _settings)) = start();
    let home = format!("sftp://127.0.0.1:{}/~", server.port);
    assert!(store.fs.is_dir(&home).unwrap());
    let here = format!("{home}/condotta-no-such-file");
    assert!(!store.fs.exists(here).unwrap());
}

#[test]
fn who_may_not_log_in_is_told_why() {
    let server = SshServer::start();
    let refused = |config: PathBuf| {
        let fs = SftpFileSystem::new().config_file(config);
        let error = fs
            .target(format!("{}/x", url(server.port, &server)))
            .exists()
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error:?}");
        said(&error)
    };
    let stranger = refused(server.config_of_a_stranger());
    assert!(stranger.contains("Permission denied"), "{stranger}");
    assert!(
        stranger.contains("key_file in the section [sftp]"),
        "{stranger}"
    );
    let other = refused(server.config_of_another_host());
    assert!(other.contains("known hosts"), "{other}");
}

#[test]
fn connections_that_break_are_made_again() {
    let server = SshServer::start();
    let proxy = Proxy::to(server.port);
    let fs = SftpFileSystem::new().config_file(server.config_for(proxy.port));
    let target = fs.target(format!("{}/x", url(proxy.port, &server)));
    faults::connections_that_break_are_made_again(&target, &proxy);
}

#[test]
fn a_server_that_is_gone_is_an_error_and_nothing_is_written() {
    let mut server = SshServer::start();
    let proxy = Proxy::to(server.port);
    let fs = SftpFileSystem::new().config_file(server.config_for(proxy.port));
    let target = fs.target(format!("{}/x", url(proxy.port, &server)));
    let go = || {
        proxy.cut();
        server.kill();
    };
    faults::what_breaks_off_is_an_error(&target, go, "also when tried 5 times more");
    server.restart();
    assert_eq!(target.read_to_string().unwrap(), "old");
}

#[test]
fn what_the_server_says_is_told_in_its_words() {
    let server = SshServer::start();
    let fs = SftpFileSystem::new().config_file(server.config());
    let target = fs.target(format!("sftp://127.0.0.1:{}/proc/no-folder/x", server.port));
    let text = said(&target.write("x").unwrap_err());
    assert!(text.contains("the server says: No such file"), "{text}");
    assert!(!text.contains("Language Tag"), "{text}");
}
