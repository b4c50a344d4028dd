//! Markers, and the statements that come with them.

use condotta_databases::{DatabaseError, Type};
use condotta_targets::Target as _;

use condotta_test_servers::databases::{Kind, Place};

use crate::{Case, Contents as _, chain};

pub(crate) const CASES: &[Case] = &[
    ("a_target_exists_once_it_is_marked", exists_once_marked),
    ("ids_are_taken_to_the_letter", ids_are_taken_to_the_letter),
    (
        "markers_may_have_a_table_of_their_own",
        another_marker_table,
    ),
    ("a_query_runs_with_its_marker", a_query_runs_with_its_marker),
    ("a_query_that_fails_changes_nothing", a_failing_query),
    ("a_query_may_be_outside_of_transactions", autocommit),
    ("the_same_update_is_not_done_twice", not_twice),
];

fn exists_once_marked(place: &Place) {
    let database = place.database();
    let target = database.table("rain", "Rain_1");
    assert!(!target.exists().unwrap());
    if place.kind == Kind::Sqlite {
        let files = std::fs::read_dir(place.folder.path()).unwrap();
        assert_eq!(files.count(), 0, "looking makes no file");
    }
    target.touch().unwrap();
    assert!(target.exists().unwrap());
    assert!(!database.table("rain", "Rain_2").exists().unwrap());
    target.touch().unwrap();
    let markers = place.found("SELECT update_id, target_table FROM table_updates");
    assert_eq!(markers, ["Rain_1|rain"]);
    assert_eq!(
        place.found("SELECT 1 FROM table_updates WHERE inserted IS NULL"),
        [""; 0]
    );
}

fn ids_are_taken_to_the_letter(place: &Place) {
    let id = "Rain('x', \"y\", \\, é)";
    let target = place.database().table("ra'in", id);
    target.touch().unwrap();
    assert!(target.exists().unwrap());
    let markers = place.found("SELECT update_id, target_table FROM table_updates");
    assert_eq!(markers, [format!("{id}|ra'in")]);
}

fn another_marker_table(place: &Place) {
    let database = place.database().marker_table("my markers");
    let target = database.table("rain", "Rain_1");
    target.touch().unwrap();
    assert!(target.exists().unwrap());
    assert!(!place.database().table("rain", "Rain_1").exists().unwrap());
    assert!(database.has_table("my markers").unwrap());
    assert!(!database.has_table("table_updates").unwrap());
}

fn a_query_runs_with_its_marker(place: &Place) {
    let database = place.database();
    database
        .execute("CREATE TABLE rain (day INTEGER); INSERT INTO rain VALUES (1), (2), (3)")
        .unwrap();
    let target = database.table("rain", "Dry");
    let query = target.query("DELETE FROM rain WHERE day > 1");
    assert_eq!(query.run().unwrap(), 2);
    assert!(target.exists().unwrap());
    assert_eq!(place.found("SELECT day FROM rain"), ["1"]);
}

fn a_failing_query(place: &Place) {
    let database = place.database();
    database
        .execute("CREATE TABLE rain (day INTEGER NOT NULL); INSERT INTO rain VALUES (1)")
        .unwrap();
    let target = database.table("rain", "Dry");
    let statements = "DELETE FROM rain; INSERT INTO rain VALUES (NULL)";
    let error = target.query(statements).run().unwrap_err();
    let message = chain(&error);
    assert!(
        message.starts_with("cannot run a query for rain of "),
        "{message}"
    );
    assert!(message.to_lowercase().contains("null"), "{message}");
    assert!(!target.exists().unwrap());
    assert_eq!(place.found("SELECT day FROM rain"), ["1"]);
}

fn autocommit(place: &Place) {
    let database = place.database();
    database.execute("CREATE TABLE rain (day INTEGER)").unwrap();
    let target = database.table("rain", "Clean");
    let statement = match place.kind {
        Kind::Postgres => "VACUUM rain",
        Kind::Sqlite => "VACUUM",
        // There is nothing that it refuses within a transaction.
        Kind::MariaDb => "INSERT INTO rain VALUES (1)",
    };
    if place.kind != Kind::MariaDb {
        assert!(target.query(statement).run().is_err());
        assert!(!target.exists().unwrap());
    }
    target.query(statement).autocommit().run().unwrap();
    assert!(target.exists().unwrap());
}

fn not_twice(place: &Place) {
    let target = place.database().table("rain", "Rain_1");
    let columns = [("day", Type::Integer)];
    target.copy(columns.clone()).rows([[1], [2]]).unwrap();
    let again = target.copy(columns).rows([[1], [2]]);
    assert!(
        matches!(again, Err(DatabaseError::Marked { .. })),
        "{again:?}"
    );
    assert!(matches!(
        target.query("DELETE FROM rain").run(),
        Err(DatabaseError::Marked { .. })
    ));
    assert_eq!(place.found("SELECT count(*) FROM rain"), ["2"]);
}
