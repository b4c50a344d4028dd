//! Jobs on a real Slurm, which this test starts for itself.
//!
//! Slurm's client programs find the cluster by an environment variable, so the tests are a process of
//! their own, started with it. A run of theirs that is to be killed is another one.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod jobs;

use std::process::ExitCode;

use condotta_test_servers::slurm::{Cluster, is_inside};
use libtest_mimic::{Arguments, Trial};

/// Set for a process that runs one job, which may be killed: the folder to do it in.
pub(crate) const VICTIM: &str = "TEST_VICTIM";

fn main() -> ExitCode {
    if std::env::var_os(VICTIM).is_some() {
        jobs::victim();
        return ExitCode::SUCCESS;
    }
    if is_inside() {
        return inner();
    }
    Cluster::with_accounts().run_this()
}

fn inner() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = jobs::TESTS.iter().map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
