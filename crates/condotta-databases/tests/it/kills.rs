//! Processes and servers that are killed half way.

use std::{path::Path, thread};

use condotta_databases::{Database, Type};
use condotta_targets::{LocalTarget, Target as _};

use condotta_test_servers::{
    child::wait_to_be_killed,
    databases::{Kind, PASSWORD, Place, Server},
    wait_until,
};

use crate::{Case, Contents as _, chain, child};

pub(crate) const CASES: &[Case] = &[
    ("a_killed_copy_leaves_neither_rows_nor_marker", killed_copy),
    ("a_killed_dump_leaves_no_target", killed_dump),
];

/// A test over a server of its own.
pub(crate) type ServerCase = (&'static str, fn(Kind));

/// Those that need a server of their own.
pub(crate) const SERVERS: &[ServerCase] = &[
    (
        "a_server_that_goes_while_rows_come_keeps_none",
        server_goes_while_copying,
    ),
    (
        "a_server_that_goes_while_it_dumps_leaves_no_target",
        server_goes_while_dumping,
    ),
];

fn columns() -> [(&'static str, Type); 2] {
    [("day", Type::Integer), ("place", Type::Text)]
}

/// In a child: stops when most rows have been sent.
pub(crate) fn stop_while_copying(url: &str, _: &str) {
    let target = Database::new(url).unwrap().table("rain", "killed");
    // Few, since MariaDB takes them back one by one, but with more bytes than any buffer holds.
    let place = "a place that takes some bytes ".repeat(10);
    let rows = (1..=5000).map(|day| {
        if day == 4999 {
            wait_to_be_killed();
        }
        (day, &*place)
    });
    target
        .copy(columns())
        .before("DELETE FROM rain")
        .rows(rows)
        .unwrap();
}

/// In a child: is busy with a statement when all rows are there, and only the marker is missing.
pub(crate) fn stop_before_the_end(url: &str, kind: &str) {
    let target = Database::new(url).unwrap().table("rain", "killed");
    let wait = match kind {
        "Postgres" => "SELECT pg_sleep(60)",
        "MariaDb" => "SELECT SLEEP(60)",
        _ => {
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        }
    };
    let rows = (1..=5000).map(|day| {
        if day == 5000 {
            println!("READY");
        }
        (day, "a place")
    });
    let copy = target
        .copy(columns())
        .before("DELETE FROM rain")
        .after(wait);
    copy.rows(rows).unwrap();
}

/// In a child: dumps what has no end.
pub(crate) fn dump_without_end(url: &str, path: &str) {
    let kind = match url.split_once(':').unwrap().0 {
        "postgresql" => Kind::Postgres,
        "mysql" => Kind::MariaDb,
        _ => Kind::Sqlite,
    };
    let snapshot = Database::new(url).unwrap().query_snapshot(endless(kind));
    snapshot.csv(&LocalTarget::new(path)).unwrap();
}

fn endless(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "SELECT generate_series(1, 1000000000) AS x",
        Kind::MariaDb => "SELECT seq FROM seq_1_to_1000000000",
        Kind::Sqlite => {
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
        }
    }
}

/// Waits until something has been written in a folder, under whatever name.
fn wait_for_bytes(folder: &Path) {
    let written = || {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter_map(|file| file.metadata().ok())
            .any(|file| file.len() > 100_000)
    };
    wait_until("something is written", written);
}

fn killed_copy(place: &Place) {
    let database = place.database();
    database
        .table("rain", "0")
        .copy(columns())
        .rows([(0, "a")])
        .unwrap();
    let target = database.table("rain", "killed");
    for role in ["stop while copying", "stop before the end"] {
        let mut child = child::start(role, &place.url, &format!("{:?}", place.kind));
        child.wait_for("READY");
        if role == "stop before the end" {
            wait_for_the_last_statement(place);
        }
        child.kill();
        assert!(!target.exists().unwrap(), "{role}");
        assert_eq!(
            place.found("SELECT day, place FROM rain"),
            ["0|a"],
            "{role}"
        );
        if role == "stop while copying" {
            let other = database.table("rain", "next");
            other.copy(columns()).rows([(1, "b")]).unwrap();
            database.execute("DELETE FROM rain WHERE day = 1").unwrap();
        }
    }
}

/// Waits until the server is busy with what comes after the rows.
fn wait_for_the_last_statement(place: &Place) {
    let query = match place.kind {
        Kind::Sqlite => return,
        Kind::Postgres => {
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'
             AND datname = current_database() AND state = 'active'"
        }
        Kind::MariaDb => {
            "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'
             AND db = database()"
        }
    };
    wait_until("it comes to it", || !place.found(query).is_empty());
}

fn killed_dump(place: &Place) {
    let folder = place.folder.path().join("dumps");
    let target = LocalTarget::new(folder.join("rain.csv"));
    let path = target.path().to_str().unwrap();
    let mut child = child::start("dump without end", &place.url, path);
    wait_for_bytes(&folder);
    child.kill();
    assert!(!target.exists().unwrap());
}

fn server_goes_while_copying(kind: Kind) {
    let server = Server::start(kind);
    let database = Database::new(&server.database("kills")).unwrap();
    database
        .table("rain", "0")
        .copy(columns())
        .rows([(0, "a")])
        .unwrap();
    let target = database.table("rain", "1");
    let place = "a place that takes some bytes ".repeat(10);
    let rows = (1..=10_000).map(|day| {
        if day == 5000 {
            server.stop();
        }
        (day, &*place)
    });
    let copy = target.copy(columns()).before("DELETE FROM rain").rows(rows);
    let message = chain(&copy.unwrap_err());
    assert_lost(&message, &format!("cannot copy to rain of {database}: "));
    assert!(target.exists().is_err(), "it cannot be found out");

    server.run();
    assert!(!target.exists().unwrap());
    let rain = server.ask(Some("kills"), "SELECT day FROM rain");
    assert_eq!(rain, "0\n");
    target.copy(columns()).rows([(1, "b")]).unwrap();
    assert!(target.exists().unwrap());
}

fn server_goes_while_dumping(kind: Kind) {
    let server = Server::start(kind);
    let database = Database::new(&server.database("kills")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path().join("rain.csv"));
    let dump = thread::scope(|scope| {
        let dump = scope.spawn(|| database.query_snapshot(endless(kind)).csv(&target));
        wait_for_bytes(folder.path());
        server.stop();
        dump.join().unwrap()
    });
    let message = chain(&dump.unwrap_err());
    assert_lost(&message, &format!("cannot dump a query of {database}: "));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[track_caller]
fn assert_lost(message: &str, start: &str) {
    assert!(message.starts_with(start), "{message}");
    assert!(
        message.contains("the server") || message.contains("connection"),
        "{message}"
    );
    assert!(!message.contains(PASSWORD), "{message}");
}
