//! The parts of the test command that are about the Python package.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::{
    report,
    venv::{Interpreter, Venv, requirements},
    wheel::{self, Profile},
};
use crate::{project::Project, setup, shell, tally::Tally};

/// The package on the Python at hand: lint, format, types, stubs against the binary, and all tests.
pub(crate) fn python(project: &Project) -> anyhow::Result<Tally> {
    let interpreter = Interpreter::at_hand()?;
    let mut tally = lint(project)?;
    let wheel = wheel::build(project, Profile::Dev)?;
    let venv = with_wheel(project, &interpreter, &wheel, Scope::All)?;
    tally.add(Tally::one(types_fit(project, &venv)?));
    tally.add(Tally::one(stubs_fit(project, &venv)?));
    prepare(project)?;
    tally.add(tests(project, &venv, &interpreter, &wheel, Scope::All)?);
    Ok(tally)
}

/// The package's Spark tasks, and the weather, on a real Spark.
pub(crate) fn spark(project: &Project) -> anyhow::Result<Tally> {
    let venv = for_engine(project, "spark", &["sqlalchemy>=2", setup::SPARK])?;
    tests_of_engine(project, &venv, "spark", |_| {})
}

/// Python tasks on a real Slurm.
pub(crate) fn slurm(project: &Project) -> anyhow::Result<Tally> {
    let venv = for_engine(project, "slurm", &[])?;
    tests_of_engine(project, &venv, "slurm", |_| {})
}

/// Python tasks on the stand-in for a Kubernetes cluster.
pub(crate) fn kubernetes(project: &Project) -> anyhow::Result<Tally> {
    let venv = for_engine(project, "kubernetes", &[])?;
    let build = ["build", "--lib", "--bin", "kubernetes-server"];
    shell::must(project.cargo_with_features(&build))?;
    wheel::put_native_module(&venv, &project.target().join("debug/lib_engine.so"))?;
    tests_of_engine(project, &venv, "kubernetes", |pytest| {
        let server = project.target().join("debug/kubernetes-server");
        pytest.env("CONDOTTA_KUBERNETES_SERVER", server);
    })
}

/// An environment with the wheel for the tests of an engine, and what they need besides.
fn for_engine(project: &Project, engine: &str, more: &[&str]) -> anyhow::Result<Venv> {
    let wheel = wheel::build(project, Profile::Dev)?;
    let list = [&["pytest==9.2.0", "pytest-timeout==2.4.0"], more].concat();
    let list: Vec<String> = list.into_iter().map(str::to_owned).collect();
    let venv = Venv::with(project, engine, &Interpreter::at_hand()?, &list)?;
    wheel::install(&venv, &wheel)?;
    Ok(venv)
}

fn tests_of_engine(
    project: &Project,
    venv: &Venv,
    engine: &str,
    change: impl FnOnce(&mut Command),
) -> anyhow::Result<Tally> {
    let folder = project.target().join("python/runs").join(engine);
    let tests = project.root().join("python/tests").join(engine);
    let mut pytest = pytest(project, venv, &folder, &tests)?;
    change(&mut pytest);
    run(&folder, pytest)
}

/// Which of the Python tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    /// All but those of the contrib modules, which need many client libraries.
    Core,
}

/// The core's tests on each other interpreter that can be found, side by side: each waits most of its time.
pub(crate) fn versions(project: &Project) -> anyhow::Result<Tally> {
    let at_hand = Interpreter::at_hand()?;
    let wheel = wheel::build(project, Profile::Dev)?;
    let mut others = Interpreter::all();
    others.retain(|other| other.release != at_hand.release);
    if others.is_empty() {
        return Ok(Tally::skip("python-versions"));
    }
    prepare(project)?;
    let run = |interpreter: &Interpreter| {
        let venv = with_wheel(project, interpreter, &wheel, Scope::Core)?;
        tests(project, &venv, interpreter, &wheel, Scope::Core)
    };
    thread::scope(|scope| {
        let runs: Vec<_> = others
            .iter()
            .map(|interpreter| scope.spawn(|| run(interpreter)))
            .collect();
        let mut tally = Tally::default();
        for run in runs {
            tally.add(run.join().expect("it gives its errors")?);
        }
        Ok(tally)
    })
}

/// `pip install` of the source archive, as a user without a wheel does it, and a first run.
pub(crate) fn package(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let sdist = wheel::build_sdist(project)?;
    let venv = Venv::with(project, "from-sdist", &Interpreter::at_hand()?, &[])?;
    let mut pip = Command::new(venv.python());
    pip.args(["-m", "pip", "install", "--quiet", "--force-reinstall"])
        .arg(&sdist);
    setup::build_as_user(project, &mut pip);
    shell::must(pip)?;
    let mut first_run = Command::new(venv.program("luigi"));
    let folder = tempfile::tempdir()?;
    first_run
        .args(["--module", "helloworld", "HelloWorldTask"])
        .args(["--local-scheduler", "--no-lock"])
        .env("PYTHONPATH", project.root().join("python/tests/programs"))
        .current_dir(folder.path());
    let mut command = Command::new(venv.program("condotta"));
    command.arg("--version");
    let has_run = shell::run(first_run)?.success && folder.path().join("hello.txt").exists();
    let mut tally = Tally::one(has_run);
    tally.add(Tally::one(shell::run(command)?.success));
    Ok(tally)
}

/// A Python with the package and nothing else, for tests that need workers.
pub(crate) fn worker_python(project: &Project) -> anyhow::Result<PathBuf> {
    let wheel = wheel::build(project, Profile::Dev)?;
    let venv = Venv::with(project, "workers", &Interpreter::at_hand()?, &[])?;
    wheel::install(&venv, &wheel)?;
    Ok(venv.python())
}

fn lint(project: &Project) -> anyhow::Result<Tally> {
    let tools = wheel::tools(project)?;
    let mut tally = Tally::default();
    for arguments in [&["check"][..], &["format", "--check"]] {
        let mut ruff = Command::new(tools.program("ruff"));
        ruff.args(arguments)
            .args(["python", "xtask/python", "examples/python"])
            .current_dir(project.root());
        tally.add(Tally::one(shell::run(ruff)?.success));
    }
    Ok(tally)
}

/// Whether the types that the package says it has are those that it uses.
fn types_fit(project: &Project, venv: &Venv) -> anyhow::Result<bool> {
    let mut mypy = Command::new(venv.python());
    mypy.args(["-m", "mypy", "--cache-dir"])
        .arg(project.target().join("python/mypy"))
        .current_dir(project.root());
    Ok(shell::run(mypy)?.success)
}

/// Whether the stubs say what the native module has, and the parameters' module.
fn stubs_fit(project: &Project, venv: &Venv) -> anyhow::Result<bool> {
    let mut stubtest = Command::new(venv.python());
    stubtest
        .args(["-m", "mypy.stubtest", "condotta._engine", "luigi.parameter"])
        .current_dir(project.target());
    Ok(shell::run(stubtest)?.success)
}

/// An environment of this interpreter with what the tests need and the wheel.
fn with_wheel(
    project: &Project,
    interpreter: &Interpreter,
    wheel: &Path,
    scope: Scope,
) -> anyhow::Result<Venv> {
    let tests = project.root().join("python/tests");
    let mut list = Vec::new();
    let mut folders = vec![tests.clone()];
    if scope == Scope::All {
        folders.push(tests.join("contrib"));
    }
    for folder in &folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
        files.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("requirements") && name.ends_with(".txt")
        });
        for file in files {
            list.extend(requirements(&file)?);
        }
    }
    let name = format!("tests-{}", interpreter.release);
    let venv = Venv::with(project, &name, interpreter, &list)?;
    wheel::install(&venv, wheel)?;
    Ok(venv)
}

/// What the tests start.
fn prepare(project: &Project) -> anyhow::Result<()> {
    setup::need_services()?;
    setup::stock_luigi(project)?;
    shell::must(project.programs_of_tests())?;
    Ok(())
}

/// Runs pytest from a folder of its own, so that the installed package is what is imported.
fn tests(
    project: &Project,
    venv: &Venv,
    interpreter: &Interpreter,
    wheel: &Path,
    scope: Scope,
) -> anyhow::Result<Tally> {
    let folder = project
        .target()
        .join("python/runs")
        .join(&interpreter.release);
    let all = project.root().join("python/tests");
    let mut pytest = pytest(project, venv, &folder, &all)?;
    // They are parts of their own.
    for engine in ["kubernetes", "slurm", "spark"] {
        pytest.arg("--ignore").arg(all.join(engine));
    }
    pytest
        .env("CONDOTTA_WHEEL", wheel)
        .env("CONDOTTA_EXAMPLES", project.target().join("debug/examples"))
        .env("CONDOTTA_STOCK_LUIGI", setup::stock_luigi(project)?);
    if scope == Scope::Core {
        let contrib = project.root().join("python/tests/contrib");
        pytest.arg("--ignore").arg(contrib);
    }
    // Most tests wait: for processes, for servers, for time to pass. A file's tests stay together, for what
    // they share.
    let processes = if scope == Scope::All { "4" } else { "2" };
    pytest.args(["--numprocesses", processes, "--dist", "loadfile"]);
    run(&folder, pytest)
}

/// Pytest with what is in `tests`, in an empty folder.
fn pytest(project: &Project, venv: &Venv, folder: &Path, tests: &Path) -> anyhow::Result<Command> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let mut pytest = Command::new(venv.python());
    pytest
        .current_dir(folder)
        .args(["-m", "pytest", "-q", "-p", "condotta_report"])
        .args(["--continue-on-collection-errors"])
        .arg("--rootdir")
        .arg(project.root())
        .arg("-c")
        .arg(project.root().join("pyproject.toml"))
        .arg(tests)
        .env("PYTHONPATH", project.root().join("xtask/python"))
        .env("CONDOTTA_REPORT", folder.join("report.jsonl"))
        .env_remove("LUIGI_CONFIG_PATH")
        .env_remove("LUIGI_CONFIG_PARSER");
    Ok(pytest)
}

fn run(folder: &Path, pytest: Command) -> anyhow::Result<Tally> {
    let ran = shell::run(pytest)?;
    let written = folder.join("report.jsonl");
    Ok(report::tally(&report::read(&written), ran.success))
}
