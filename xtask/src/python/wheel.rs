//! Builds the wheel with maturin and installs it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::venv::{Interpreter, Venv, requirements};
use crate::{project::Project, setup, shell};

/// How a wheel is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to compile, for the tests.
    Dev,
    /// As users get it.
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// The environment with the tools that build, check and test the package.
pub(crate) fn tools(project: &Project) -> anyhow::Result<Venv> {
    let list = requirements(&project.root().join("xtask/python/tools.txt"))?;
    Venv::with(project, "tools", &Interpreter::at_hand()?, &list)
}

/// Builds the wheel; it serves every interpreter.
pub(crate) fn build(project: &Project, profile: Profile) -> anyhow::Result<PathBuf> {
    setup::need_linker()?;
    let folder = project.target().join("python/wheels").join(profile.name());
    let mut arguments = vec!["build", "--auditwheel", "skip", "--profile", profile.name()];
    if profile == Profile::Dev {
        // What is named here is always there, and takes the place of what pyproject.toml names: with the client
        // of Kubernetes, half of the dependencies would be built once more.
        arguments.extend(["--features", "pyo3/abi3-py310"]);
    }
    maturin(project, &arguments, &folder)
}

/// Builds the source archive.
pub(crate) fn build_sdist(project: &Project) -> anyhow::Result<PathBuf> {
    maturin(project, &["sdist"], &project.target().join("python/sdist"))
}

/// Has maturin make one file in an empty folder.
fn maturin(project: &Project, arguments: &[&str], folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let mut maturin = Command::new(tools(project)?.program("maturin"));
    maturin
        .current_dir(project.root())
        .args(arguments)
        .arg("--out")
        .arg(folder);
    shell::must(maturin)?;
    only_file(folder)
}

/// Installs a wheel with what it requires, unless this very wheel is there.
pub(crate) fn install(venv: &Venv, wheel: &Path) -> anyhow::Result<()> {
    install_as(venv, wheel, true)
}

/// Installs a wheel without what it requires, unless this very wheel is there.
pub(crate) fn install_alone(venv: &Venv, wheel: &Path) -> anyhow::Result<()> {
    install_as(venv, wheel, false)
}

/// Puts another build of the native module into an environment that has the wheel.
pub(crate) fn put_native_module(venv: &Venv, module: &Path) -> anyhow::Result<()> {
    let code = "import condotta._engine; print(condotta._engine.__file__)";
    let found = Command::new(venv.python()).args(["-c", code]).output()?;
    let place = String::from_utf8(found.stdout)?;
    // Not into the file, which what installed it may have in its cache, too.
    std::fs::remove_file(place.trim())?;
    std::fs::copy(module, place.trim())?;
    Ok(())
}

fn install_as(venv: &Venv, wheel: &Path, with_requirements: bool) -> anyhow::Result<()> {
    let mut hasher = DefaultHasher::new();
    std::fs::read(wheel)?.hash(&mut hasher);
    let mark = format!("{:016x}", hasher.finish());
    if venv.note("wheel").as_deref() == Some(&mark) {
        return Ok(());
    }
    let wheel = wheel
        .to_str()
        .context("the wheel's path is not UTF-8")?
        .to_owned();
    if with_requirements {
        venv.pip(std::slice::from_ref(&wheel))?;
    }
    venv.pip(&[
        "--force-reinstall".to_owned(),
        "--no-deps".to_owned(),
        wheel,
    ])?;
    venv.write_note("wheel", &mark)
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut files = std::fs::read_dir(folder)?;
    let first = files.next().context("maturin left no file")??;
    anyhow::ensure!(files.next().is_none(), "maturin left more than one file");
    Ok(first.path())
}
