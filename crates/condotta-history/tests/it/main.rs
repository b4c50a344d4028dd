//! The history in real databases: the same cases over SQLite, PostgreSQL and MariaDB.

#![expect(clippy::unwrap_used, reason = "an unexpected error fails the test")]

mod asked;
mod bounds;
mod databases;
mod encryption;
mod lines;
mod outages;
mod packed;
mod story;
mod told;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Failed, Trial};

use databases::{Databases, Kind, Place};

/// A test over one database.
type Case = (&'static str, fn(&Place));

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    lines::remember();
    let databases = Arc::new(Databases::default());
    let cases: Vec<Case> = [told::CASES, asked::CASES, bounds::CASES, packed::CASES].concat();
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        let of_files = packed::OF_FILES.iter().filter(|_| kind == Kind::Sqlite);
        for &(name, case) in cases.iter().chain(of_files) {
            let databases = Arc::clone(&databases);
            let run = move || -> Result<(), Failed> {
                case(&Place::new(&databases, kind));
                Ok(())
            };
            trials.push(Trial::test(format!("{}::{name}", kind.name()), run));
        }
    }
    for &(name, case) in outages::CASES {
        trials.push(Trial::test(format!("outages::{name}"), move || {
            case();
            Ok(())
        }));
    }
    for &(name, case) in encryption::CASES {
        trials.push(Trial::test(format!("encryption::{name}"), move || {
            case();
            Ok(())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Before the process ends, so that the servers end, too.
    drop(databases);
    conclusion.exit_code()
}
