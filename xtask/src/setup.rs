//! What the tests need on the machine, installed when it is not there.
//!
//! Debian's packages are asked for only when something is missing, so that a machine which has
//! everything needs no rights and no network for them.

use std::{path::PathBuf, process::Command};

use anyhow::Context;

use crate::{project::Project, shell};

/// The release of Luigi whose behaviour is the measure.
const LUIGI: &str = "luigi==3.8.1";

/// A C compiler, which links Rust programs and builds the C libraries among the dependencies.
pub(crate) fn need_linker() -> anyhow::Result<()> {
    if shell::works("cc", &["--version"]) {
        return Ok(());
    }
    apt_install(&["gcc", "libc6-dev"])
}

/// Python, which computes expected values independently.
pub(crate) fn need_python() -> anyhow::Result<()> {
    if shell::works("python3", &["--version"]) {
        return Ok(());
    }
    apt_install(&["python3"])
}

/// Git, for the fresh clone.
pub(crate) fn need_git() -> anyhow::Result<()> {
    if shell::works("git", &["--version"]) {
        return Ok(());
    }
    apt_install(&["git"])
}

/// The Python of a virtual environment that has stock Luigi.
pub(crate) fn stock_luigi(project: &Project) -> anyhow::Result<PathBuf> {
    let folder = project.target().join("stock-luigi");
    let python = folder.join("bin/python");
    let program = python
        .to_str()
        .context("the target folder's path is not UTF-8")?;
    let (_, version) = LUIGI
        .split_once("==")
        .expect("the requirement names a version");
    let check = format!("import importlib.metadata as m; assert m.version('luigi') == {version:?}");
    if shell::works(program, &["-c", &check]) {
        return Ok(python);
    }

    need_python()?;
    if !shell::works("python3", &["-c", "import venv, ensurepip"]) {
        apt_install(&["python3-venv"])?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    shell::must(venv)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", LUIGI]);
    shell::must(pip).with_context(|| {
        format!("{LUIGI} cannot be installed from the Python package index: is it reachable?")
    })?;
    Ok(python)
}

fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let missing = packages.join(", ");
    let advice = || format!("this machine lacks {missing}: install it, then try again");
    if !shell::works("apt-get", &["--version"]) {
        anyhow::bail!(advice());
    }
    println!("{missing} not found, so apt-get is asked for it");
    shell::must(apt_get(&["update"])).with_context(advice)?;
    let mut install = apt_get(&["install", "-y", "--no-install-recommends"]);
    install.args(packages);
    shell::must(install).with_context(advice)?;
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments);
    command
}
