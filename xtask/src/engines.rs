//! The engines that tasks hand work to, each with its real counterpart on this machine, where there is one.

use std::path::PathBuf;

use crate::{project::Project, python, setup, setup_stores, shell, tally::Tally};

/// Programs, tasks of Rust and tasks of Python on a Slurm that the tests start for themselves.
pub(crate) fn slurm(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_slurm()?;
    // The features turn on tests and nothing else, so of the whole workspace little is built anew.
    let mut command = project.cargo(&["test", "--workspace", "--test", "slurm", "--no-fail-fast"]);
    command.args([
        "--features",
        "condotta-cli/slurm-tests,condotta-programs/slurm-tests",
    ]);
    command.env("PATH", with_daemons());
    let ran = shell::run(command)?;
    let mut tally = Tally::of_cargo_test(&ran.text, ran.success);
    tally.add(python::slurm(project)?);
    Ok(tally)
}

/// Jobs and tasks of Rust on a stand-in for a Kubernetes cluster, and lints of what is built for it.
pub(crate) fn kubernetes(project: &Project) -> anyhow::Result<Tally> {
    const FEATURES: [&str; 2] = ["--features", "condotta/kubernetes"];
    setup::need_linker()?;
    let mut clippy = project.cargo(&["clippy", "--workspace", "--all-targets"]);
    clippy.args(FEATURES).args(["--", "-D", "warnings"]);
    let mut tally = Tally::one(shell::run(clippy)?.success);
    let mut tests = project.cargo(&["test", "--workspace", "--test", "kubernetes"]);
    tests.args(FEATURES).arg("--no-fail-fast");
    let ran = shell::run(tests)?;
    tally.add(Tally::of_cargo_test(&ran.text, ran.success));
    Ok(tally)
}

/// Applications on Spark: on a cluster that the tests start for themselves, the weather with Spark for its
/// filter, and the Python tasks. And a jar on Hadoop's own client, whose jars come with an old Spark.
pub(crate) fn spark(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let python = setup::need_spark(project)?;
    let hadoop = setup_stores::need_hadoop(project)?;
    setup::need_programs(&[("/usr/bin/javac", "openjdk-17-jdk-headless")])?;
    shell::must(project.programs_of_tests())?;
    let mut command =
        project.cargo(&["test", "--workspace", "--test", "spark", "--test", "hadoop"]);
    command.args([
        "--features",
        "condotta-programs/hadoop-tests,condotta-programs/spark-tests,condotta-examples/spark-tests",
    ]);
    command.env("CONDOTTA_HADOOP", hadoop);
    command.env("CONDOTTA_SPARK_PYTHON", &python);
    let ran = shell::run(command)?;
    let mut tally = Tally::of_cargo_test(&ran.text, ran.success);
    tally.add(python::spark(project)?);
    Ok(tally)
}

/// Debian has the daemons where only the superuser looks.
fn with_daemons() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    std::env::join_paths(folders).unwrap_or(path)
}
