//! Stock Luigi workers on our server: the same graphs on stock Luigi's server end the same way.
//!
//! The tests need the stock package, which `cargo xtask test` installs; without it they are skipped,
//! and the command says so.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "../processes/mod.rs"]
mod processes;

mod cases;
mod faults;
mod moving;
mod outages;
mod outcome;
mod stage;
mod tools;
mod traffic;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// More workers at a time than this say more of the machine than of the server.
const MOST_AT_ONCE: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments
        .test_threads
        .get_or_insert(cores.min(MOST_AT_ONCE));
    let is_there = processes::stock_python().is_some();
    if !is_there && !arguments.list {
        eprintln!(
            "stock Luigi is not there: run `cargo xtask test tests`, which installs it, or let \
             CONDOTTA_STOCK_LUIGI name a Python that has luigi 3.8.1"
        );
    }
    let trials = cases::trials()
        .into_iter()
        .chain(tools::trials())
        .chain(faults::trials())
        .chain(moving::trials())
        .chain(outages::trials())
        .map(|trial| trial.with_ignored_flag(!is_there))
        .chain(traffic::trials())
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test that fails by panicking.
fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.to_owned(), move || {
        test();
        Ok(())
    })
}
