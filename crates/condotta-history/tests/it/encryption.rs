//! A history on a server that takes encrypted connections alone, and on one that is not to be trusted.

use std::fs;

use condotta_history::{Address, Filter, HistoryError, Outcome, Settings};
use condotta_scheduler::Timestamp;
use condotta_test_servers::{certificates::Authority, wait_until};

use crate::{
    databases::{Kind, PASSWORD, Server},
    lines,
    story::{ask, attempts, began, record, run, start},
};

pub(crate) const CASES: &[(&str, fn())] = &[
    ("postgresql", || encrypted(Kind::Postgres)),
    ("mariadb", || encrypted(Kind::MariaDb)),
];

fn encrypted(kind: Kind) {
    let (known, stranger) = (Authority::new("known"), Authority::new("stranger"));
    let server = Server::encrypted(kind, &known.certificate("127.0.0.1"));
    let url = server.database("safe_runs");
    let folder = tempfile::tempdir().unwrap();
    let file = |authority: &Authority, name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, &authority.pem).unwrap();
        path.display().to_string()
    };
    let (known, stranger) = (file(&known, "known.pem"), file(&stranger, "stranger.pem"));
    let (full, none, authority) = match kind {
        Kind::Postgres => ("sslmode=verify-full", "sslmode=disable", "sslrootcert"),
        _ => ("ssl-mode=VERIFY_IDENTITY", "ssl-mode=DISABLED", "ssl-ca"),
    };
    let address = |parameters: &str| Address::parse(&format!("{url}?{parameters}")).unwrap();
    let safe = address(&format!("{full}&{authority}={known}"));
    demand_encryption(&server, kind);

    record(&safe, run(began(1, 0.0), 1.0, Outcome::Done));
    assert_eq!(attempts(&safe, &Filter::default()).len(), 1);

    let unknown = "the server's certificate is signed by nobody who is trusted here; sslrootcert";
    let doubtful = address(&format!("{full}&{authority}={stranger}"));
    assert_refused(&doubtful, unknown);
    let (recorder, sender) = start(Settings::new(doubtful.clone())).unwrap();
    wait_until("it is told", || {
        !lines::with(&[doubtful.place(), unknown]).is_empty()
    });
    drop(sender);
    recorder.close();
    let missing = address(&format!("{full}&{authority}=/no/such.pem"));
    let (recorder, sender) = start(Settings::new(missing.clone())).unwrap();
    let named = format!("{authority} of the URL names /no/such.pem: No such file");
    wait_until("it is told", || {
        !lines::with(&[missing.place(), &named]).is_empty()
    });
    drop(sender);
    recorder.close();

    // The server's own word that the others were encrypted.
    let refused = error(&address(none)).to_string();
    assert!(refused.contains("loader"), "{refused}");
    assert_eq!(lines::with(&[PASSWORD]), []);
}

/// From now on the server takes encrypted connections alone.
fn demand_encryption(server: &Server, kind: Kind) {
    if kind == Kind::Postgres {
        let file = server.ask(None, "SHOW hba_file");
        fs::write(file.trim(), "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
        server.ask(None, "SELECT pg_reload_conf()");
    } else {
        server.ask(None, "ALTER USER loader@'127.0.0.1' REQUIRE SSL");
    }
}

fn error(address: &Address) -> HistoryError {
    ask(address, async |history| {
        history.families(Timestamp(0.0)).await.unwrap_err()
    })
}

fn assert_refused(address: &Address, reason: &str) {
    let said = error(address).to_string();
    let expected = format!("the history in {}: {reason}", address.place());
    assert!(said.starts_with(&expected), "{said}");
}
