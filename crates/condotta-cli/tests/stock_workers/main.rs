//! Stock Luigi workers on our server: the same graphs on stock Luigi's server end the same way.
//!
//! The tests need the stock package, and some of them nginx, which `cargo xtask test` installs;
//! without these they are skipped, and the command says so.

#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "../processes/mod.rs"]
mod processes;

mod cases;
mod faults;
mod guide;
mod history;
mod moving;
mod operate;
mod outages;
mod outcome;
mod proxies;
mod secure;
mod sockets;
mod stage;
mod tools;
mod traffic;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// More workers at a time than this say more of the machine than of the server.
const MOST_AT_ONCE: usize = 4;

fn main() -> ExitCode {
    if let Some(code) = operate::pipeline::main() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments
        .test_threads
        .get_or_insert(cores.min(MOST_AT_ONCE));
    let is_there = processes::stock_python().is_some();
    let has_nginx = is_there && processes::nginx().is_some();
    let has_unix_sockets = processes::unix_sockets().is_some();
    if !arguments.list {
        say_what_is_missing(is_there, has_nginx, has_unix_sockets);
    }
    let needing = |is_there: bool, trials: Vec<Trial>| {
        let mark = move |trial: Trial| trial.with_ignored_flag(!is_there);
        trials.into_iter().map(mark)
    };
    let plain = [
        cases::trials(),
        tools::trials(),
        faults::trials(),
        guide::trials(),
        history::trials(),
        moving::trials(),
        operate::trials(),
        outages::trials(),
        secure::trials(),
    ];
    let trials = needing(is_there, plain.into_iter().flatten().collect())
        .chain(needing(has_nginx, proxies::trials()))
        .chain(needing(has_unix_sockets, sockets::trials()))
        .chain(needing(has_unix_sockets, secure::trials_with_requests()))
        .chain(traffic::trials())
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Tests without what they need are skipped, and shown as such.
fn say_what_is_missing(stock_luigi: bool, nginx: bool, unix_sockets: bool) {
    let install = "run `cargo xtask test tests`, which installs it";
    if !stock_luigi {
        eprintln!(
            "stock Luigi is not there: {install}, or let CONDOTTA_STOCK_LUIGI name a Python that has \
             luigi 3.8.1"
        );
    } else if !nginx {
        eprintln!("nginx is not there: {install}, or let CONDOTTA_NGINX name it");
    } else if !unix_sockets {
        eprintln!("requests-unixsocket is not beside stock Luigi: {install}");
    }
}

/// A test that fails by panicking.
fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.to_owned(), move || {
        test();
        Ok(())
    })
}
