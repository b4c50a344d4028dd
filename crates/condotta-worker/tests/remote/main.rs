//! Workers with a scheduler server: Luigi's own `luigid`, and ours.
//!
//! `CONDOTTA_STOCK_LUIGI` names the Python of a virtual environment that has Luigi; our server is the
//! program `condotta` of the last build. Tests of a server that is not there are skipped.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "tests")]

mod graphs;
mod ours;
mod outages;
mod relay;
mod same_words;
mod server;
#[path = "../it/tasks.rs"]
mod tasks;
mod words;

use std::{process::ExitCode, sync::Arc};

use condotta_worker::TaskHandle;
use libtest_mimic::{Arguments, Failed, Trial};
use server::Which;

/// A test of a worker with a server of this kind.
type Test = fn(Which);

fn main() -> ExitCode {
    let for_both = [
        graphs::TESTS,
        words::TESTS,
        same_words::TESTS,
        outages::TESTS,
    ];
    let for_both = for_both.into_iter().flatten();
    let for_both =
        for_both.flat_map(|(name, test)| Which::ALL.map(|which| trial(which, name, *test)));
    let for_ours = ours::TESTS.iter();
    let for_ours = for_ours.map(|(name, test)| trial(Which::Ours, name, *test));
    let trials = for_both.chain(for_ours).collect();
    let arguments = Arguments::from_args();
    for which in Which::ALL {
        if !which.is_there() && !arguments.list {
            eprintln!("{}", which.how_to_get());
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A server that is not there skips its tests.
fn trial(which: Which, name: &str, test: Test) -> Trial {
    let run = move || {
        test(which);
        Ok::<(), Failed>(())
    };
    Trial::test(format!("{which}::{name}"), run).with_ignored_flag(!which.is_there())
}

/// As a task of any kind.
fn any(task: &Arc<tasks::Memory>) -> TaskHandle {
    task.clone()
}
