//! Tables in real databases: the same cases over SQLite, PostgreSQL and MariaDB, with processes and
//! servers that are really killed.

#![expect(clippy::unwrap_used, reason = "an unexpected error fails the test")]

mod child;
mod copying;
mod encryption;
mod faults;
mod kills;
mod luigi;
mod markers;
mod memory;
mod snapshots;
mod types;

use std::{process::ExitCode, sync::Arc};

use condotta_databases::{Database, Value};
use libtest_mimic::{Arguments, Failed, Trial};

use condotta_test_servers::databases::{Databases, Kind, Place};

/// A test over one database.
type Case = (&'static str, fn(&Place));

fn main() -> ExitCode {
    if child::play_a_role() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let databases = Arc::new(Databases::default());
    let cases: Vec<Case> = [
        markers::CASES,
        copying::CASES,
        types::CASES,
        snapshots::CASES,
        faults::CASES,
        encryption::CASES,
        kills::CASES,
        luigi::CASES,
        memory::CASES,
    ]
    .concat();
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        for &(name, case) in &cases {
            let databases = Arc::clone(&databases);
            let run = move || -> Result<(), Failed> {
                case(&databases.place(kind));
                Ok(())
            };
            trials.push(Trial::test(format!("{}::{name}", kind.name()), run));
        }
    }
    for &(name, case) in kills::SERVERS.iter().chain(encryption::SERVERS) {
        for kind in [Kind::Postgres, Kind::MariaDb] {
            let name = format!("{}::{name}", kind.name());
            trials.push(Trial::test(name, move || {
                case(kind);
                Ok(())
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Before the process ends, so that the servers end, too.
    drop(databases);
    conclusion.exit_code()
}

/// What a place has.
trait Contents {
    fn database(&self) -> Database;

    /// What a query finds, a text for each row.
    fn found(&self, query: &str) -> Vec<String>;
}

impl Contents for Place {
    fn database(&self) -> Database {
        Database::new(&self.url).unwrap()
    }

    fn found(&self, query: &str) -> Vec<String> {
        let mut found = Vec::new();
        let read = self.database().query_snapshot(query).for_each(|values| {
            found.push(shown(values));
            Ok(())
        });
        read.unwrap();
        found
    }
}

/// A row with bars between the values.
fn shown(values: &[Value<'_>]) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::Null => "NULL".to_owned(),
            Value::Text(text) | Value::Decimal(text) => text.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Double(number) => number.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    texts.join("|")
}

/// An error with all its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    text
}
