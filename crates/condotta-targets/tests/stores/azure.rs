//! Azure Blob Storage, on Azurite, Microsoft's emulator of it.

use condotta_targets::{Azure, AzureFileSystem, AzureTarget, ReadWrite, Target};

use crate::{
    child, faults,
    proxy::Proxy,
    servers::azurite::{ACCOUNT, Azurite, CONTAINER, KEY, endpoint, token},
    suite::{Can, Store, cases, configuration, said, suite},
};

/// The account comes from the configuration, and for this process from the file system.
fn start() -> (Store<Azure>, (Azurite, tempfile::TempDir)) {
    let server = Azurite::start();
    let (settings, config) = configuration(&format!(
        "[azure]\naccount_name = {ACCOUNT}\naccount_key = {KEY}\nendpoint_url = {}\n",
        server.endpoint()
    ));
    let store = Store {
        fs: at(server.port),
        root: format!("azblob://{CONTAINER}/folder of a test"),
        environment: config,
        can: Can {
            empty_folders: false,
        },
    };
    (store, (server, settings))
}

/// The file system of a server at a port.
fn at(port: u16) -> AzureFileSystem {
    AzureFileSystem::new()
        .endpoint(endpoint(port))
        .account(ACCOUNT, KEY)
}

suite!(start());
cases! { start(); a_gigabyte_needs_no_memory }

#[test]
fn wrong_credentials_are_refused_and_stay_secret() {
    let server = Azurite::start();
    // As long as a key is.
    let wrong = KEY.replace("Eby8", "Eby9");
    let fs = AzureFileSystem::new()
        .endpoint(server.endpoint())
        .account(ACCOUNT, &wrong);
    faults::wrong_credentials_are_refused(&fs, &format!("azblob://{CONTAINER}"), "[azure]", &wrong);
}

/// A token is enough, with and without the question mark that it is often shown with.
#[test]
fn a_token_gives_access() {
    let server = Azurite::start();
    let token = token();
    for (name, token) in [
        ("plain", token.clone()),
        ("as a query", format!("?{token}")),
    ] {
        let fs = AzureFileSystem::new()
            .endpoint(server.endpoint())
            .sas_token(ACCOUNT, token);
        let target = fs.target(format!("azblob://{CONTAINER}/{name}"));
        target.write(name).unwrap();
        assert_eq!(target.read_to_string().unwrap(), name);
        let names: Vec<String> = fs
            .list(format!("azblob://{CONTAINER}"))
            .unwrap()
            .iter()
            .map(|file| file.url())
            .collect();
        assert!(names.contains(&target.url()), "{names:?}");
    }
    let wrong = AzureFileSystem::new()
        .endpoint(server.endpoint())
        .sas_token(ACCOUNT, token.replace("sp=racwdl", "sp=racwdli"));
    let error = wrong.target(format!("azblob://{CONTAINER}/plain")).exists();
    let said = said(&error.unwrap_err());
    assert!(said.contains("refuses these credentials"), "{said}");
    assert!(!said.contains("sig="), "{said}");
}

/// A token is in the URL of each request, and in nothing that is said, also when nobody answers.
#[test]
fn a_token_is_in_no_log() {
    let port = crate::servers::free_port();
    let (_settings, mut environment) = configuration(&format!(
        "[azure]\naccount_name = {ACCOUNT}\nsas_token = {}\nendpoint_url = {}\n",
        token().replace('%', "%%"),
        endpoint(port)
    ));
    environment.push(("RUST_BACKTRACE".to_owned(), "0".to_owned()));
    let url = format!("azblob://{CONTAINER}/x");
    let said = child::start("fail", &url, &environment).finish();
    let waits: Vec<&str> = said.split("; trying again in ").skip(1).collect();
    assert!(!waits.is_empty(), "{said}");
    for wait in waits {
        let (seconds, _) = wait.split_once(" s").unwrap();
        assert!(seconds.len() <= "10.0".len(), "{said}");
    }
    let asked = format!("cannot reach http://127.0.0.1:{port}: ");
    assert!(said.contains(&asked), "{said}");
    assert!(
        said.contains("cannot look for azblob://container/x"),
        "{said}"
    );
    assert!(!said.contains("sig="), "{said}");
}

#[test]
fn the_environment_may_name_the_account() {
    let server = Azurite::start();
    let (_settings, configured) =
        configuration(&format!("[azure]\nendpoint_url = {}\n", server.endpoint()));
    let account = ("AZURE_STORAGE_ACCOUNT", ACCOUNT.to_owned());
    for (name, credential) in [
        ("key", ("AZURE_STORAGE_KEY", KEY.to_owned())),
        ("token", ("AZURE_STORAGE_SAS_TOKEN", token())),
    ] {
        let mut environment = configured.clone();
        for (variable, value) in [&account, &credential] {
            environment.push(((*variable).to_owned(), value.clone()));
        }
        let url = format!("azblob://{CONTAINER}/{name}");
        child::start("write", &url, &environment).wait_for("WRITTEN");
        assert_eq!(
            at(server.port).target(&url).read_to_string().unwrap(),
            "content"
        );
    }
}

#[test]
fn a_missing_container_is_an_error() {
    let server = Azurite::start();
    let target = at(server.port).target("azblob://no-such-container/x");
    faults::a_missing_bucket_is_an_error(&target, "ContainerNotFound");
}

#[test]
fn an_account_that_is_not_named_is_asked_for() {
    let error = AzureTarget::new("azblob://container/x")
        .exists()
        .unwrap_err();
    assert!(said(&error).contains("no account is named"), "{error:?}");
}

#[test]
fn connections_that_break_are_made_again() {
    let server = Azurite::start();
    let proxy = Proxy::to(server.port);
    let target = at(proxy.port).target(format!("azblob://{CONTAINER}/x"));
    faults::connections_that_break_are_made_again(&target, &proxy);
}

#[test]
fn a_server_that_is_gone_is_an_error() {
    let mut server = Azurite::start();
    let target = at(server.port).target(format!("azblob://{CONTAINER}/x"));
    faults::what_breaks_off_is_an_error(&target, || server.kill(), "also when tried again");
}
