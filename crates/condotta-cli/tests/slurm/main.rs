//! Tasks whose engine is a real Slurm, which this test starts for itself.
//!
//! The program is three things: the test, the tests within a cluster (Slurm's client programs find it by an
//! environment variable), and the pipeline, which Slurm starts on a node, too.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod ends;
mod pipeline;
mod place;
mod runs;
mod settings;

use std::process::ExitCode;

use condotta_test_servers::slurm::{Cluster, is_inside};
use libtest_mimic::{Arguments, Trial};

/// Set for a process that is a worker of the pipeline.
pub(crate) const PIPELINE: &str = "TEST_PIPELINE";

type Test = (&'static str, fn());

fn main() -> ExitCode {
    if std::env::var_os(PIPELINE).is_some() {
        return condotta::run();
    }
    if is_inside() {
        return inner();
    }
    Cluster::start().run_this()
}

fn inner() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = [runs::TESTS, ends::TESTS, settings::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
