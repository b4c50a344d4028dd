//! Snapshots: consistent, all or nothing.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use condotta_databases::{Type, Value};
use condotta_targets::{LocalTarget, MemoryStore, ReadWrite as _, Target as _};

use condotta_test_servers::databases::{Kind, Place};

use crate::{Case, Contents as _, chain};

pub(crate) const CASES: &[Case] = &[
    ("a_snapshot_shows_one_moment", one_moment),
    ("an_empty_table_has_its_columns", empty_table),
    ("a_query_keeps_its_order", order),
    ("a_snapshot_that_fails_leaves_the_target", failing),
];

/// Money is moved between accounts, and rows are added, all the while: each snapshot adds up.
fn one_moment(place: &Place) {
    const ACCOUNTS: i64 = 3000;
    let database = place.database();
    let columns = [
        ("id", Type::sql("INTEGER PRIMARY KEY")),
        ("money", Type::Integer),
    ];
    let rows = (0..ACCOUNTS).map(|id| (id, 100));
    database
        .table("accounts", "1")
        .copy(columns)
        .rows(rows)
        .unwrap();
    if place.kind == Kind::Sqlite {
        // As a database has to be in which others write while one reads.
        let target = database.table("accounts", "wal");
        target
            .query("PRAGMA journal_mode = WAL")
            .autocommit()
            .run()
            .unwrap();
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut moved = 0;
            while !stop.load(Ordering::Relaxed) {
                moved += 1;
                let (from, to) = (moved * 7 % ACCOUNTS, moved * 13 % ACCOUNTS);
                let statements = format!(
                    "UPDATE accounts SET money = money - 30 WHERE id = {from};
                     UPDATE accounts SET money = money + 30 WHERE id = {to};
                     INSERT INTO accounts VALUES ({}, 0)",
                    ACCOUNTS + moved
                );
                place.database().execute(&statements).unwrap();
            }
            moved
        });
        let mut seen = Vec::new();
        // Until there have been changes between two snapshots, and during one.
        while seen.len() < 5 || seen.first() == seen.last() {
            let (mut sum, mut count) = (0, 0);
            let read = database.snapshot("accounts").for_each(|values| {
                let [_, Value::Integer(money)] = values else {
                    panic!("{values:?}");
                };
                sum += money;
                count += 1;
                if count == 1 {
                    // Others have changed something before the second row is looked at.
                    let before = place.found("SELECT count(*) FROM accounts");
                    while place.found("SELECT count(*) FROM accounts") == before {}
                }
                Ok(())
            });
            read.unwrap();
            assert_eq!(sum, ACCOUNTS * 100);
            seen.push(count);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 5);
    });
}

fn empty_table(place: &Place) {
    let database = place.database();
    database
        .execute("CREATE TABLE rain (day INTEGER, place VARCHAR(20))")
        .unwrap();
    let store = MemoryStore::new();
    let (csv, json) = (store.target("csv"), store.target("json"));
    let parquet = LocalTarget::new(place.folder.path().join("parquet"));
    let snapshot = database.snapshot("rain");
    assert_eq!(snapshot.csv(&csv).unwrap(), 0);
    assert_eq!(csv.read_to_string().unwrap(), "day,place\n");
    assert_eq!(snapshot.json_lines(&json).unwrap(), 0);
    assert_eq!(json.read_to_string().unwrap(), "");
    assert_eq!(snapshot.parquet(&parquet).unwrap(), 0);
    assert!(parquet.read_bytes().unwrap().starts_with(b"PAR1"));
}

fn order(place: &Place) {
    let database = place.database();
    let rows = (0..2000).map(|day| (day, day * 7919 % 2000));
    let columns = [("day", Type::Integer), ("rank", Type::Decimal(9, 0))];
    database
        .table("rain", "1")
        .copy(columns)
        .rows(rows)
        .unwrap();
    let mut last = -1;
    let snapshot = database.query_snapshot("SELECT * FROM rain WHERE day > 5 ORDER BY rank;");
    let read = snapshot.for_each(|values| {
        let Value::Decimal(rank) = &values[1] else {
            panic!("{values:?}");
        };
        let rank: i64 = rank.parse()?;
        assert!(rank > last);
        last = rank;
        Ok(())
    });
    assert_eq!(read.unwrap(), 1994);
}

fn failing(place: &Place) {
    let database = place.database();
    let target = LocalTarget::new(place.folder.path().join("rain.csv"));
    let error = database.snapshot("rain").csv(&target).unwrap_err();
    let message = chain(&error);
    assert!(
        message.starts_with(&format!("cannot dump rain of {database}: ")),
        "{message}"
    );
    assert!(message.contains("rain"), "{message}");
    assert!(!target.exists().unwrap());

    target.write("of yesterday").unwrap();
    assert!(database.query_snapshot("SELECT 1 +").csv(&target).is_err());
    assert_eq!(target.read_to_string().unwrap(), "of yesterday");

    let rows = (0..20_000).map(|day| [day]);
    database
        .table("rain", "1")
        .copy([("day", Type::Integer)])
        .rows(rows)
        .unwrap();
    let mut shown = 0;
    let read = database.snapshot("rain").for_each(|_| {
        shown += 1;
        if shown == 3 {
            Err("enough".into())
        } else {
            Ok(())
        }
    });
    assert!(chain(&read.unwrap_err()).ends_with(": row 3: enough"));
    let full = LocalTarget::new("/dev/full/rain.csv");
    let message = chain(&database.snapshot("rain").csv(&full).unwrap_err());
    assert!(
        message.contains("cannot write /dev/full/rain.csv"),
        "{message}"
    );
}
