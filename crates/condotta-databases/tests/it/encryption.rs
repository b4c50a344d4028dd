//! Encrypted connections: to servers with certificates that are made for the tests, and what is said when a server
//! is not to be trusted, or does not encrypt.

use std::{fs, path::PathBuf};

use condotta_databases::{Database, Type};
use condotta_test_servers::{
    certificates::{Authority, Certificate},
    databases::{Kind, PASSWORD, Place, Server},
};
use tempfile::TempDir;

use crate::{Case, Contents as _, chain, kills::ServerCase, shown};

pub(crate) const CASES: &[Case] = &[("a_server_that_does_not_encrypt_is_refused", plain)];

pub(crate) const SERVERS: &[ServerCase] = &[(
    "connections_are_encrypted_and_servers_are_who_they_say",
    encrypted,
)];

/// The host in the URLs of the tests.
const HOST: &str = "127.0.0.1";

/// What URLs say in the words of a database.
struct Words {
    none: &'static str,
    demanded: &'static str,
    authority: &'static str,
    signed: &'static str,
    full: &'static str,
}

fn words(kind: Kind) -> Words {
    match kind {
        Kind::Postgres => Words {
            none: "sslmode=disable",
            demanded: "sslmode=require",
            authority: "sslrootcert",
            signed: "sslmode=verify-ca",
            full: "sslmode=verify-full",
        },
        _ => Words {
            none: "ssl-mode=DISABLED",
            demanded: "ssl-mode=REQUIRED",
            authority: "ssl-ca",
            signed: "ssl-mode=VERIFY_CA",
            full: "ssl-mode=VERIFY_IDENTITY",
        },
    }
}

/// The cipher of a connection, in the words of the server; nothing where it is not encrypted.
fn cipher(database: &Database, kind: Kind) -> Result<String, String> {
    let query = match kind {
        Kind::Postgres => {
            "SELECT coalesce(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        }
        _ => {
            "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"
        }
    };
    let mut cipher = String::new();
    let read = database.query_snapshot(query).for_each(|values| {
        cipher = shown(values);
        Ok(())
    });
    read.map(|_| cipher).map_err(|error| chain(&error))
}

/// A server, its database and files with authorities.
struct Stage {
    kind: Kind,
    server: Server,
    url: String,
    folder: TempDir,
}

impl Stage {
    fn new(kind: Kind, certificate: &Certificate) -> Self {
        let server = Server::encrypted(kind, certificate);
        let url = server.database("rain");
        let folder = tempfile::tempdir().unwrap();
        Self {
            kind,
            server,
            url,
            folder,
        }
    }

    fn file(&self, authority: &Authority) -> PathBuf {
        let count = fs::read_dir(self.folder.path()).unwrap().count();
        let path = self.folder.path().join(format!("{count}.pem"));
        fs::write(&path, &authority.pem).unwrap();
        path
    }

    fn database(&self, parameters: &str) -> Database {
        Database::new(&format!("{}?{parameters}", self.url)).unwrap()
    }

    /// The cipher of a connection with these parameters.
    fn cipher(&self, parameters: &str) -> Result<String, String> {
        cipher(&self.database(parameters), self.kind)
    }

    fn is_refused(&self, parameters: &str, reason: &str) {
        let said = self.cipher(parameters).unwrap_err();
        let expected = format!("cannot connect to {}: {reason}", self.database(parameters));
        assert!(said.starts_with(&expected), "{parameters}: {said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }

    /// Shows another certificate from now on.
    fn show(&self, certificate: &Certificate) {
        self.server.show(certificate);
        let again = match self.kind {
            Kind::Postgres => "SELECT pg_reload_conf()",
            _ => "FLUSH SSL",
        };
        self.server.ask(None, again);
    }
}

fn encrypted(kind: Kind) {
    let words = words(kind);
    let (known, stranger) = (Authority::new("known"), Authority::new("stranger"));
    let stage = Stage::new(kind, &known.certificate(HOST));
    let ca = format!("{}={}", words.authority, stage.file(&known).display());
    let other = format!("{}={}", words.authority, stage.file(&stranger).display());
    let Words {
        none,
        demanded,
        signed,
        full,
        ..
    } = words;

    assert_eq!(stage.cipher(none).unwrap(), "");
    for parameters in [
        String::new(),
        demanded.to_owned(),
        ca.clone(),
        format!("{demanded}&{ca}"),
        format!("{signed}&{ca}"),
        format!("{full}&{ca}"),
    ] {
        let cipher = stage.cipher(&parameters).unwrap();
        assert!(
            cipher.contains("AES") || cipher.contains("CHACHA"),
            "{parameters}: {cipher}"
        );
    }
    let database = stage.database(&format!("{full}&{ca}"));
    let rain = database.table("rain", "1");
    let rows = (0..5000).map(|day| [day]);
    rain.copy([("day", Type::Integer)]).rows(rows).unwrap();
    let mut sum = 0;
    let read = database.snapshot("rain").for_each(|values| {
        sum += shown(values).parse::<u64>()?;
        Ok(())
    });
    assert_eq!((read.unwrap(), sum), (5000, 4999 * 5000 / 2));

    let unknown = "the server's certificate is signed by nobody who is trusted here; sslrootcert (PostgreSQL) or ssl-ca \
                   (MySQL) in the URL names a file of certificates to trust";
    for parameters in [
        full.to_owned(),
        signed.to_owned(),
        other.clone(),
        format!("{demanded}&{other}"),
        format!("{full}&{other}"),
    ] {
        stage.is_refused(&parameters, unknown);
    }
    let missing = format!("{full}&{}=/no/such.pem", words.authority);
    let reason = format!(
        "{} of the URL names /no/such.pem: No such file",
        words.authority
    );
    stage.is_refused(&missing, &reason);

    stage.show(&known.certificate("other.example.com"));
    eventually(|| stage.cipher(&format!("{full}&{ca}")).is_err());
    stage.is_refused(
        &format!("{full}&{ca}"),
        "the server's certificate is for another name; the URL has to name the server as its certificate does",
    );
    assert_ne!(stage.cipher(&format!("{signed}&{ca}")).unwrap(), "");

    stage.show(&known.expired(HOST));
    eventually(|| stage.cipher(&format!("{signed}&{ca}")).is_err());
    stage.is_refused(
        &format!("{signed}&{ca}"),
        "the server's certificate has expired; ",
    );
    assert_ne!(stage.cipher(demanded).unwrap(), "");
}

/// What a server was told, it does a little later.
fn eventually(is_so: impl Fn() -> bool) {
    let so = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        is_so()
    });
    assert!(so, "the server shows the certificate of before");
}

fn plain(place: &Place) {
    if place.kind == Kind::Sqlite {
        return; // A file needs no connection.
    }
    let Words { demanded, full, .. } = words(place.kind);
    for parameters in [demanded, full] {
        let database = Database::new(&format!("{}?{parameters}", place.url)).unwrap();
        let said = cipher(&database, place.kind).unwrap_err();
        let expected = format!(
            "cannot connect to {database}: the server does not encrypt connections, and the URL demands it (sslmode, \
             ssl-mode): TLS is to be turned on there"
        );
        assert_eq!(said, expected);
    }
    assert_eq!(cipher(&place.database(), place.kind).unwrap(), "");
}
