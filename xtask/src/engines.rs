//! The engines that tasks hand work to, each with its real counterpart on this machine, where there is one.

use std::path::PathBuf;

use crate::{connectors, project::Project, python, setup, setup_stores, tally::Tally};

/// Programs, tasks of Rust and tasks of Python on a Slurm that the tests start for themselves.
pub(crate) fn slurm(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_slurm()?;
    let mut tally = project.test_with_features(&["--test", "slurm"], |command| {
        command.env("PATH", with_daemons());
    })?;
    tally.add(python::slurm(project)?);
    Ok(tally)
}

/// Jobs, tasks of Rust and tasks of Python on a stand-in for a Kubernetes cluster.
pub(crate) fn kubernetes(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let mut tally = project.test_with_features(&["--test", "kubernetes"], |_| {})?;
    tally.add(python::kubernetes(project)?);
    Ok(tally)
}

/// Applications on Spark: on a cluster that the tests start for themselves, the weather with Spark for its
/// filter, and the Python tasks. And a jar on Hadoop's own client, whose jars come with an old Spark.
pub(crate) fn spark(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let python = setup::need_spark(project)?;
    let hadoop = setup_stores::need_hadoop(project)?;
    setup::need_programs(&[("/usr/bin/javac", "openjdk-17-jdk-headless")])?;
    connectors::build_programs(project)?;
    let tests = ["--test", "spark", "--test", "hadoop"];
    let mut tally = project.test_with_features(&tests, |command| {
        command.env("CONDOTTA_HADOOP", hadoop);
        command.env("CONDOTTA_SPARK_PYTHON", python);
    })?;
    tally.add(python::spark(project)?);
    Ok(tally)
}

/// Debian has the daemons where only the superuser looks.
fn with_daemons() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    std::env::join_paths(folders).unwrap_or(path)
}
