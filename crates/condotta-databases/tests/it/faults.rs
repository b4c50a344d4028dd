//! What is said when a database is not there, or does not let one in. Never a password.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use condotta_databases::{Database, DatabaseError, Type};
use condotta_targets::Target as _;

use condotta_test_servers::databases::{Kind, PASSWORD, Place};

use crate::{Case, chain, child};

pub(crate) const CASES: &[Case] = &[
    ("wrong_credentials_are_said_without_them", wrong_credentials),
    ("a_server_that_is_not_there_is_named", no_server),
    ("a_missing_database_is_named", no_database),
    ("passwords_come_from_the_environment", environment),
];

fn all_errors(database: &Database) -> Vec<String> {
    let target = database.table("rain", "1");
    let copy = target.copy([("day", Type::Integer)]).rows([[1]]);
    let errors: Vec<String> = [
        chain(&target.exists().unwrap_err()),
        chain(&target.touch().unwrap_err()),
        chain(&copy.unwrap_err()),
        chain(&target.query("SELECT 1").run().unwrap_err()),
        chain(&database.snapshot("rain").for_each(|_| Ok(())).unwrap_err()),
        format!("{:?}", target.touch().unwrap_err()),
        format!("{database} {database:?} {target} {target:?}"),
    ]
    .into();
    for error in &errors {
        assert!(
            !error.contains(PASSWORD) && !error.contains("s3cret"),
            "{error}"
        );
    }
    errors
}

fn wrong_credentials(place: &Place) {
    if place.kind == Kind::Sqlite {
        return; // A file asks nobody.
    }
    let url = place.url.replace(PASSWORD, "s3cret%20one");
    let database = Database::new(&url).unwrap();
    let errors = all_errors(&database);
    let expected = format!("cannot connect to {database}: ");
    assert!(errors[1].starts_with(&expected), "{}", errors[1]);
    let reason = match place.kind {
        Kind::Postgres => "password authentication failed for user \"loader\"",
        _ => "Access denied for user 'loader'@",
    };
    for error in &errors[..5] {
        assert!(error.contains(reason), "{error}");
    }
}

fn no_server(place: &Place) {
    let url = match place.kind {
        Kind::Sqlite => "sqlite:////proc/no/such/folder".to_owned(),
        Kind::Postgres => format!("postgresql://u:{PASSWORD}@127.0.0.1:1/rain"),
        Kind::MariaDb => format!("mysql://u:{PASSWORD}@127.0.0.1:1/rain"),
    };
    let database = Database::new(&url).unwrap();
    let error = database.table("rain", "1").touch().unwrap_err();
    assert!(matches!(error, DatabaseError::Connect { .. }), "{error:?}");
    let message = chain(&error);
    assert!(
        message.starts_with(&format!("cannot connect to {database}: ")),
        "{message}"
    );
    if place.kind == Kind::Sqlite {
        assert!(!database.table("rain", "1").exists().unwrap());
    } else {
        assert!(message.contains("refused"), "{message}");
        all_errors(&database);
    }
}

fn no_database(place: &Place) {
    if place.kind == Kind::Sqlite {
        return; // A file is made.
    }
    let (server, _) = place.url.rsplit_once('/').unwrap();
    let database = Database::new(&format!("{server}/no_such_place")).unwrap();
    for error in &all_errors(&database)[..5] {
        assert!(error.to_lowercase().contains("no_such_place"), "{error}");
    }
}

/// In a child: looks for a target, and says what it finds.
pub(crate) fn look(url: &str, _: &str) {
    match Database::new(url).unwrap().table("rain", "1").exists() {
        Ok(found) => println!("FOUND {found}"),
        Err(error) => println!("FAILED {}", chain(&error)),
    }
}

fn environment(place: &Place) {
    if place.kind == Kind::Sqlite {
        return; // A file asks nobody.
    }
    let url = place.url.replace(&format!(":{PASSWORD}@"), "@");
    let message = child::start("look", &url, "").wait_for("FAILED ");
    assert!(message.contains("cannot connect to"), "{message}");

    let variable = match place.kind {
        Kind::Postgres => "PGPASSWORD",
        _ => "MYSQL_PWD",
    };
    let mut child = child::start_with(&[(variable, PASSWORD)], "look", &url, "");
    assert_eq!(child.wait_for("FOUND "), "false");

    if place.kind == Kind::Postgres {
        let file = place.folder.path().join("pgpass");
        std::fs::write(&file, format!("127.0.0.1:*:*:loader:{PASSWORD}\n")).unwrap();
        let only_mine = Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, only_mine).unwrap();
        let variables = [("PGPASSFILE", file.to_str().unwrap())];
        let mut child = child::start_with(&variables, "look", &url, "");
        assert_eq!(child.wait_for("FOUND "), "false");
    }
}
