//! What pipelines reach: stores and databases, each on its real counterpart, and the example with all of it.
//!
//! All of it is built with one choice of packages and features, so that what these depend on is built once.

use std::process::Command;

use crate::{project::Project, setup, setup_stores, shell, tally::Tally};

/// The packages that have connectors or use them.
const PACKAGES: [&str; 5] = [
    "condotta",
    "condotta-databases",
    "condotta-examples",
    "condotta-targets",
    "condotta-test-servers",
];

/// All connectors, and the tests that want services.
const FEATURES: &str = "condotta-databases/mysql,condotta-databases/parquet,condotta-databases/postgres,\
    condotta-databases/sqlite,condotta-examples/postgres,condotta-examples/spark-tests,\
    condotta-examples/storage,condotta-test-servers/s3";

/// A call of cargo for all connectors.
fn connectors(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.cargo(arguments);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    command.args(["--features", FEATURES]);
    command
}

/// No lint has anything to say of what only these features bring, and its documentation builds.
fn lints(project: &Project) -> anyhow::Result<Tally> {
    let mut clippy = connectors(project, &["clippy", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    let mut tally = Tally::one(shell::run(clippy)?.success);
    let mut docs = connectors(project, &["doc", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    tally.add(Tally::one(shell::run(docs)?.success));
    Ok(tally)
}

/// Builds what tests start: a server, and the example. (An example is built with what only tests depend on,
/// as tests are; a server alone would have its dependencies built once more.)
fn build_programs(project: &Project) -> anyhow::Result<()> {
    let programs = ["build", "--bin", "s3-server", "--example", "weather"];
    shell::must(connectors(project, &programs))?;
    Ok(())
}

/// Runs some tests.
fn test(
    project: &Project,
    which: &[&str],
    change: impl FnOnce(&mut Command),
) -> anyhow::Result<Tally> {
    let mut command = connectors(project, &["test", "--no-fail-fast"]);
    command.args(which);
    change(&mut command);
    let ran = shell::run(command)?;
    Ok(Tally::of_cargo_test(&ran.text, ran.success))
}

/// Targets in stores, each on its server, and the page of the book that is about them.
pub(crate) fn storage(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let servers = setup_stores::need_servers(project)?;
    let mut tally = lints(project)?;
    build_programs(project)?;
    let tests = ["--lib", "--test", "stores", "--test", "download"];
    tally.add(test(project, &tests, |command| {
        servers.tell(command.env("CONDOTTA_S3_SERVER", s3_server(project)));
    })?);
    let pages = ["--doc", "--", "storage", "condotta-targets"];
    tally.add(test(project, &pages, |_| {})?);
    Ok(tally)
}

/// The tables in real databases: lints and tests with all features, Luigi's own targets on the same
/// tables, and the bench, once.
pub(crate) fn databases(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_services()?;
    let stock_luigi = setup::stock_luigi(project)?;
    setup::database_drivers(project, &stock_luigi)?;
    let mut tally = lints(project)?;
    let tests = ["--lib", "--test", "databases"];
    tally.add(test(project, &tests, |command| {
        command.env("CONDOTTA_STOCK_LUIGI", stock_luigi);
    })?);
    // Without the word `--bench` it runs once, and small.
    let bench = connectors(project, &["test", "--bench", "load"]);
    tally.add(Tally::one(shell::run(bench)?.success));
    Ok(tally)
}

/// The weather with real services around it: PostgreSQL at both ends, Spark for the filter, stores in between.
pub(crate) fn weather(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_services()?;
    let servers = setup_stores::need_servers(project)?;
    let spark = setup::need_spark(project)?;
    build_programs(project)?;
    test(project, &["--test", "services"], |command| {
        servers.tell(command.env("CONDOTTA_S3_SERVER", s3_server(project)));
        command.env("CONDOTTA_SPARK_PYTHON", spark);
    })
}

/// The server that [`build_programs`] builds.
fn s3_server(project: &Project) -> std::path::PathBuf {
    project.target().join("debug/s3-server")
}
