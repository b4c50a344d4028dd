//! What pipelines reach: stores and databases, each on its real counterpart, and the example with all of it.

use crate::{project::Project, setup, setup_stores, shell, tally::Tally};

/// Builds what tests start: a server, and the example.
pub(crate) fn build_programs(project: &Project) -> anyhow::Result<()> {
    let programs = ["build", "--bin", "s3-server", "--example", "weather"];
    shell::must(project.cargo_with_features(&programs))?;
    Ok(())
}

/// Targets in stores, each on its server, and the page of the book that is about them.
pub(crate) fn storage(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let servers = setup_stores::need_servers(project)?;
    build_programs(project)?;
    let tests = ["--test", "stores", "--test", "download"];
    let mut tally = project.test_with_features(&tests, |command| {
        // Most tests wait: for servers, for time to pass.
        command.env("RUST_TEST_THREADS", "4");
        servers.tell(command.env("CONDOTTA_S3_SERVER", s3_server(project)));
    })?;
    let pages = ["--doc", "--", "storage", "condotta-targets"];
    tally.add(project.test_with_features(&pages, |_| {})?);
    Ok(tally)
}

/// The tables in real databases, Luigi's own targets on the same tables, and the bench, once.
pub(crate) fn databases(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_services()?;
    let stock_luigi = setup::stock_luigi(project)?;
    setup::database_drivers(project, &stock_luigi)?;
    let mut tally = project.test_with_features(&["--test", "databases"], |command| {
        command.env("CONDOTTA_STOCK_LUIGI", stock_luigi);
    })?;
    // Without the word `--bench` it runs once, and small.
    let bench = project.cargo_with_features(&["test", "--bench", "load"]);
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
    project.test_with_features(&["--test", "services"], |command| {
        servers.tell(command.env("CONDOTTA_S3_SERVER", s3_server(project)));
        command.env("CONDOTTA_SPARK_PYTHON", spark);
    })
}

/// The server that [`build_programs`] builds.
fn s3_server(project: &Project) -> std::path::PathBuf {
    project.target().join("debug/s3-server")
}
