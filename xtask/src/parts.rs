//! What each part of the test command does.

use std::process::Command;

use crate::{project::Project, setup, shell, tally::Tally};

/// Every file is formatted.
pub(crate) fn fmt(project: &Project) -> anyhow::Result<Tally> {
    let checked = shell::run(project.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Tally::one(checked.success))
}

/// No lint has anything to say, be it in code or in tests.
pub(crate) fn clippy(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    Ok(Tally::one(shell::run(project.cargo(&arguments))?.success))
}

/// The documentation builds without a warning.
pub(crate) fn docs(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let mut command = project.cargo(&["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    Ok(Tally::one(shell::run(command)?.success))
}

/// What only features bring: lints, documentation, and the tests beside the code. What wants a service is
/// tested by parts of their own.
pub(crate) fn features(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let mut clippy = project.cargo_with_features(&["clippy", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    let mut tally = Tally::one(shell::run(clippy)?.success);
    let mut docs = project.cargo_with_features(&["doc", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    tally.add(Tally::one(shell::run(docs)?.success));
    tally.add(project.test_with_features(&["--lib"], |_| {})?);
    Ok(tally)
}

/// All of `cargo test`. Stock Luigi's workers are among those who test the server, also through nginx.
pub(crate) fn tests(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_python()?;
    setup::need_services()?;
    let mut command = project.cargo(&["test", "--workspace", "--no-fail-fast"]);
    // Most tests wait: for processes, for servers, for time to pass.
    command.env("RUST_TEST_THREADS", "4");
    command.env("CONDOTTA_STOCK_LUIGI", setup::stock_luigi(project)?);
    command.env("CONDOTTA_NGINX", setup::need_nginx(project)?);
    command.env("CONDOTTA_FAKETIME", setup::need_faketime(project)?);
    let ran = shell::run(command)?;
    Ok(Tally::of_cargo_test(&ran.text, ran.success))
}

/// Replays the scheduler's scenarios on stock Luigi, which answers the same or is listed.
pub(crate) fn replay(project: &Project) -> anyhow::Result<Tally> {
    let python = setup::stock_luigi(project)?;
    let mut command = Command::new(python);
    command
        .arg("scenarios/replay_on_stock.py")
        .current_dir(project.root());
    let ran = shell::run(command)?;
    Ok(Tally::of_closing_line(&ran.text, ran.success))
}

/// Asks cargo-deny, where it is installed.
pub(crate) fn deny(project: &Project) -> anyhow::Result<Tally> {
    if !shell::works("cargo-deny", &["--version"]) {
        return Ok(Tally::skip("cargo-deny"));
    }
    // Advisories come from a repository that changes by itself: they say nothing of a change here.
    let arguments = ["deny", "check", "licenses", "bans", "sources"];
    Ok(Tally::one(shell::run(project.cargo(&arguments))?.success))
}

/// Builds each crate by itself: in the whole workspace, a feature that one crate forgot to ask for
/// may come from another.
pub(crate) fn each_crate(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let mut tally = Tally::default();
    for package in project.packages() {
        let checked = shell::run(project.cargo(&["check", "--package", &package]))?;
        tally.add(Tally::one(checked.success));
    }
    Ok(tally)
}

/// Runs each bench once, and small: that it works, not how fast it is. So it is built as the tests are,
/// and of the whole workspace, which uses again what the tests have built. Without the word `--bench`,
/// which `cargo bench` adds, a bench knows that it is a test.
pub(crate) fn bench_smoke(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let stock_luigi = setup::stock_luigi(project)?;
    let mut tally = Tally::default();
    // Those that need features run with the tests that need the same.
    let benches = project.benches().into_iter();
    for bench in benches.filter(|bench| bench.features.is_empty()) {
        let mut command = project.cargo(&["test", "--workspace", "--bench", &bench.name]);
        // The server's bench starts it, too.
        command.env("CONDOTTA_STOCK_LUIGI", &stock_luigi);
        tally.add(Tally::one(shell::run(command)?.success));
    }
    Ok(tally)
}
