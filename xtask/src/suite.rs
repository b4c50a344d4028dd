//! The test command: which parts there are, and what comes of running some of them.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{
    connectors, engines, page, parts, project::Project, python, skips::AllowedSkips, tally::Tally,
};

/// One part of the test command.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    name: &'static str,
    about: &'static str,
    /// Runs only with `--all`, or by name.
    slow: bool,
    run: fn(&Project) -> anyhow::Result<Tally>,
}

const PARTS: &[Part] = &[
    part("fmt", "every file is formatted", parts::fmt),
    part("clippy", "no lint has anything to say", parts::clippy),
    part(
        "docs",
        "the API's documentation builds without a warning",
        parts::docs,
    ),
    part(
        "tests",
        "unit, integration, example and documentation tests, stock workers on the server, house rules",
        parts::tests,
    ),
    part(
        "replay",
        "the scheduler's scenarios, replayed on stock Luigi",
        parts::replay,
    ),
    part(
        "python",
        "the Python package: lint, format, types, stubs against the binary, and its tests",
        python::python,
    ),
    part(
        "deny",
        "licences, bans and sources of all dependencies",
        parts::deny,
    ),
    slow(
        "features",
        "lints, documentation and unit tests with every feature",
        parts::features,
    ),
    slow(
        "storage",
        "targets in stores, on real servers: S3, SFTP, FTP, HTTP and others",
        connectors::storage,
    ),
    slow(
        "each-crate",
        "every crate builds by itself, without its neighbours' features",
        parts::each_crate,
    ),
    slow(
        "python-versions",
        "the Python core's tests on every other interpreter from 3.10 to 3.13 that is here",
        python::versions,
    ),
    slow(
        "python-sdist",
        "pip builds the package from its source archive",
        python::package,
    ),
    slow(
        "page",
        "the web page in a browser, and that the built page is what its source makes",
        page::page,
    ),
    slow(
        "databases",
        "tables in PostgreSQL, MariaDB and SQLite, beside Luigi's targets",
        connectors::databases,
    ),
    slow(
        "slurm",
        "jobs on a real Slurm: slurmctld and slurmd on loopback",
        engines::slurm,
    ),
    slow(
        "kubernetes",
        "jobs and tasks on a stand-in for a Kubernetes cluster",
        engines::kubernetes,
    ),
    slow(
        "spark",
        "applications on a real Spark: a master and a worker on loopback",
        engines::spark,
    ),
    slow(
        "weather",
        "the main example with real services: PostgreSQL, Spark, S3, SFTP, FTP, HDFS",
        connectors::weather,
    ),
    slow("bench-smoke", "every bench runs, once", parts::bench_smoke),
    slow(
        "fresh-clone",
        "README's commands work in a fresh clone",
        crate::fresh_clone::run,
    ),
];

const fn part(
    name: &'static str,
    about: &'static str,
    run: fn(&Project) -> anyhow::Result<Tally>,
) -> Part {
    Part {
        name,
        about,
        slow: false,
        run,
    }
}

const fn slow(
    name: &'static str,
    about: &'static str,
    run: fn(&Project) -> anyhow::Result<Tally>,
) -> Part {
    Part {
        slow: true,
        ..part(name, about, run)
    }
}

/// What runs while one works.
pub(crate) fn lean() -> Vec<Part> {
    PARTS.iter().filter(|part| !part.slow).copied().collect()
}

/// What CI runs.
pub(crate) fn all() -> Vec<Part> {
    PARTS.to_vec()
}

/// The parts of these names.
pub(crate) fn named(names: &[&str]) -> anyhow::Result<Vec<Part>> {
    let find = |name: &&str| {
        let part = PARTS.iter().find(|part| part.name == *name).copied();
        part.with_context(|| format!("no part {name}: see cargo xtask test --list"))
    };
    names.iter().map(find).collect()
}

/// Prints the parts with what they are about.
pub(crate) fn print_list() {
    for part in PARTS {
        let when = if part.slow { "  (only with --all)" } else { "" };
        println!("{:<15} {}{when}", part.name, part.about);
    }
}

/// Runs the parts, all of them whatever fails, and closes with the count on a line of its own.
pub(crate) fn run(project: &Project, parts: &[Part]) -> anyhow::Result<bool> {
    let allowed = AllowedSkips::of_project()?;
    let mut rows = Vec::new();
    for part in parts {
        println!("\n=== {}: {}", part.name, part.about);
        let start = Instant::now();
        let mut tally = (part.run)(project).unwrap_or_else(|error| {
            eprintln!("{}: {error:#}", part.name);
            Tally::one(false)
        });
        refuse_unlisted_skips(&allowed, &mut tally);
        println!("=== {}: {}", part.name, row(&tally, start.elapsed()));
        rows.push((part.name, tally, start.elapsed()));
    }

    println!();
    let mut total = Tally::default();
    for (name, tally, time) in rows {
        println!("{name:<15} {}", row(&tally, time));
        total.add(tally);
    }
    for name in &total.skipped {
        println!(
            "skipped {name}: {}",
            allowed.reason(name).unwrap_or("not allowed")
        );
    }
    println!(
        "{} passed, {} failed, {} skipped",
        total.passed,
        total.failed,
        total.skipped.len()
    );
    Ok(total.failed == 0)
}

/// A test that nobody allowed to be skipped has failed.
fn refuse_unlisted_skips(allowed: &AllowedSkips, tally: &mut Tally) {
    let (listed, unlisted): (Vec<_>, Vec<_>) = std::mem::take(&mut tally.skipped)
        .into_iter()
        .partition(|name| allowed.reason(name).is_some());
    for name in &unlisted {
        eprintln!("{name} was skipped, but xtask/allowed-skips.txt does not list it");
    }
    tally.failed += unlisted.len();
    tally.skipped = listed;
}

fn row(tally: &Tally, time: Duration) -> String {
    format!(
        "{:>7.1} s  {:>5} passed {:>3} failed {:>3} skipped",
        time.as_secs_f64(),
        tally.passed,
        tally.failed,
        tally.skipped.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_that_is_not_listed_is_a_failure() {
        let allowed = AllowedSkips::of_project().unwrap();
        let mut tally = Tally::skip("cargo-deny");
        tally.add(Tally::skip("a::b"));
        refuse_unlisted_skips(&allowed, &mut tally);
        assert_eq!(
            (tally.failed, tally.skipped),
            (1, vec!["cargo-deny".to_owned()])
        );
    }

    #[test]
    fn parts_have_names_of_their_own() {
        let mut names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PARTS.len());
        assert!(named(&["fmt", "no-such-part"]).is_err());
    }
}
