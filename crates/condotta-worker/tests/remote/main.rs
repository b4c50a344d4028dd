//! Workers with a scheduler server: Luigi's own `luigid`, and ours.
//!
//! `CONDOTTA_STOCK_LUIGI` names the Python of a virtual environment that has Luigi.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "tests")]

mod graphs;
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
    let tests = [
        graphs::TESTS,
        words::TESTS,
        same_words::TESTS,
        outages::TESTS,
    ];
    let tests = tests.into_iter().flatten();
    let trials = tests.flat_map(|(name, test)| {
        Which::ALL.map(|which| {
            let (name, test) = (format!("{which}::{name}"), *test);
            let run = move || {
                test(which);
                Ok::<(), Failed>(())
            };
            Trial::test(name, run).with_ignored_flag(!which.is_there())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// As a task of any kind.
fn any(task: &Arc<tasks::Memory>) -> TaskHandle {
    task.clone()
}
