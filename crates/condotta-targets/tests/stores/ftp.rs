//! FTP, on pyftpdlib and on vsftpd.

use std::{fs, io};

use condotta_targets::{Ftp, FtpFileSystem, FtpTarget, ReadWrite, Target};

use crate::{
    faults,
    servers::ftp::{FtpServer, PASSWORD, USER},
    suite::{Can, Store, cases, configuration, make_old, name_of, said, suite},
};

const CAN: Can = Can {
    empty_folders: true,
};

mod pyftpdlib {
    use super::*;

    /// The login comes from the configuration, and for this process from the file system.
    fn start() -> (Store<Ftp>, (FtpServer, tempfile::TempDir)) {
        let server = FtpServer::pyftpdlib();
        let login = format!("[ftp]\nusername = {USER}\npassword = {PASSWORD}\n");
        let (settings, environment) = configuration(&login);
        fs::create_dir(server.files().join("folder of a test")).unwrap();
        let store = Store {
            fs: FtpFileSystem::new().login(USER, PASSWORD),
            root: format!("ftp://127.0.0.1:{}/folder of a test", server.port),
            environment,
            can: CAN,
        };
        (store, (server, settings))
    }

    suite!(start());

    #[test]
    fn what_killed_writers_left_is_swept() {
        let (store, (server, _settings)) = start();
        let fresh = FtpFileSystem::new().login(USER, PASSWORD);
        let folder = server.files().join("folder of a test");
        let age = |target: &FtpTarget| make_old(&folder.join(name_of(target)));
        crate::suite::what_killed_writers_left_is_swept(&store, &fresh, age);
    }

    #[test]
    fn a_missing_host_is_an_error() {
        crate::suite::a_missing_host_is_an_error(&FtpFileSystem::new(), "ftp");
    }

    #[test]
    fn the_login_may_be_in_the_url_and_is_not_shown() {
        let server = FtpServer::pyftpdlib();
        let target = FtpFileSystem::new().target(format!(
            "ftp://{USER}:some%20p%40ss%2Fword@127.0.0.1:{}/x",
            server.port
        ));
        target.write("content").unwrap();
        assert_eq!(fs::read(server.files().join("x")).unwrap(), b"content");
        assert_eq!(
            target.to_string(),
            format!("ftp://luigi@127.0.0.1:{}/x", server.port)
        );
        assert!(!format!("{target:?}").contains("p@ss"));
    }

    #[test]
    fn a_wrong_password_is_refused_and_stays_secret() {
        let server = FtpServer::pyftpdlib();
        let fs = FtpFileSystem::new().login(USER, "a wrong one");
        let error = fs
            .target(format!("ftp://127.0.0.1:{}/x", server.port))
            .exists()
            .unwrap_err();
        let said = said(&error);
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
        assert!(said.contains("[ftp]"), "{said}");
        assert!(!said.contains("wrong one"), "{said}");
    }

    #[test]
    fn what_breaks_off_goes_on_where_it_did() {
        let mut server = FtpServer::pyftpdlib();
        let target = FtpFileSystem::new()
            .login(USER, PASSWORD)
            .target(format!("ftp://127.0.0.1:{}/x", server.port));
        faults::what_breaks_off_is_read_on(&target, || {
            server.kill();
            server.restart();
        });
    }

    #[test]
    fn a_server_that_is_gone_is_an_error_and_nothing_is_written() {
        let mut server = FtpServer::pyftpdlib();
        let target = FtpFileSystem::new()
            .login(USER, PASSWORD)
            .target(format!("ftp://127.0.0.1:{}/x", server.port));
        let tried = "also when tried 5 times more";
        faults::what_breaks_off_is_an_error(&target, || server.kill(), tried);
        server.restart();
        assert_eq!(target.read_to_string().unwrap(), "old");
    }
}

mod vsftpd {
    use super::*;

    fn start() -> (Store<Ftp>, FtpServer) {
        let server = FtpServer::vsftpd();
        let store = Store {
            fs: FtpFileSystem::new(),
            root: format!("ftp://127.0.0.1:{}/open", server.port),
            environment: Vec::new(),
            can: CAN,
        };
        (store, server)
    }

    suite!(start());
    cases! { start(); a_gigabyte_needs_no_memory }

    #[test]
    fn what_killed_writers_left_is_swept() {
        let (store, server) = start();
        let folder = server.files().join("files/open");
        let age = |target: &FtpTarget| make_old(&folder.join(name_of(target)));
        crate::suite::what_killed_writers_left_is_swept(&store, &FtpFileSystem::new(), age);
    }
}

mod vsftpd_with_login {
    use super::*;

    fn start() -> (Store<Ftp>, (FtpServer, tempfile::TempDir)) {
        let server = FtpServer::vsftpd_with_login();
        let login = format!("[ftp]\nusername = {USER}\npassword = {PASSWORD}\n");
        let (settings, environment) = configuration(&login);
        let store = Store {
            fs: FtpFileSystem::new().login(USER, PASSWORD),
            root: format!("ftp://{USER}@127.0.0.1:{}/open", server.port),
            environment,
            can: CAN,
        };
        (store, (server, settings))
    }

    suite!(start());

    #[test]
    fn who_may_not_log_in_is_told_so() {
        let (store, _server) = start();
        let fs = FtpFileSystem::new().login(USER, "a wrong one");
        let error = fs.target(store.url("x")).write("x").unwrap_err();
        let said = said(&error);
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{said}");
        assert!(!said.contains("wrong one"), "{said}");
        let nobody = FtpFileSystem::new().target(store.url("x").replace("luigi@", ""));
        let error = nobody.exists().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error:?}");
    }
}
