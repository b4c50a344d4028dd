//! Failures for which the machine has to be bent: a wall clock that leaps, a disk that is full.
//!
//! The tests need libfaketime, which `cargo xtask test` unpacks, and the right to mount in a namespace
//! of their own; without these they are skipped, and the command says so.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "../processes/mod.rs"]
mod processes;

mod small_disk;
mod wall_clock;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_faketime = processes::faketime().is_some();
    let may_mount = small_disk::may_mount();
    if !arguments.list && !has_faketime {
        eprintln!("libfaketime is not there: run `cargo xtask test tests`, which unpacks it");
    }
    if !arguments.list && !may_mount {
        eprintln!("nobody may mount a file system here, not even in a namespace (unshare -rm)");
    }
    let needing = |is_there: bool, trials: Vec<Trial>| {
        let mark = move |trial: Trial| trial.with_ignored_flag(!is_there);
        trials.into_iter().map(mark)
    };
    let trials = needing(has_faketime, wall_clock::trials())
        .chain(needing(may_mount, small_disk::trials()))
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
