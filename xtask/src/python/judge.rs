//! Runs somebody else's tests twice, with stock Luigi and with our wheel, and compares.
//!
//! Both sides have an environment of their own and share all other packages. Each batch of tests is a
//! process of its own with a time limit, and what it leaves running is killed.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::{
    report::{self, Outcome, Results},
    venv::{Interpreter, Venv},
    wheel::{self, Profile},
};
use crate::{
    project::Project,
    setup::{LUIGI, LUIGI_REQUIRES},
};

/// The two sides, and what they have in common.
pub(crate) struct Judge {
    folder: PathBuf,
    plugin: PathBuf,
    dependencies: Venv,
    /// With stock Luigi.
    pub(crate) stock: Side,
    /// With our wheel.
    pub(crate) ours: Side,
    /// The packages that could not be installed for either side.
    pub(crate) missing: Vec<String>,
    /// The interpreter of both.
    pub(crate) interpreter: Interpreter,
    options: Options,
}

/// One of the two.
pub(crate) struct Side {
    name: &'static str,
    /// Its environment.
    pub(crate) venv: Venv,
}

/// What the command line asks for, whichever tests are run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The folder with the tests' sources.
    pub(crate) source: PathBuf,
    /// The interpreter; the one at hand if it is not said.
    pub(crate) python: Option<PathBuf>,
    /// The batches to run; all if there are none.
    pub(crate) only: Vec<String>,
    /// Takes what the last run with stock left behind.
    pub(crate) reuse_stock: bool,
    /// Compiles the wheel for tests instead of as users get it.
    pub(crate) dev: bool,
}

/// A process of pytest.
pub(crate) struct Batch {
    /// What it is called in the table.
    pub(crate) name: String,
    /// The arguments for pytest.
    pub(crate) arguments: Vec<String>,
    /// Where it runs, on each side a copy of the same things.
    pub(crate) folder: PathBuf,
    /// When it is killed.
    pub(crate) limit: Duration,
    /// Environment variables.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// What came of one batch on both sides.
pub(crate) struct Compared {
    /// The batch.
    pub(crate) name: String,
    /// How many tests stock passes.
    pub(crate) passed_on_stock: usize,
    /// The tests that stock passes and ours does not, with what pytest said.
    pub(crate) differences: Vec<(String, String)>,
    /// The tests that ours passed only when they were run once more.
    pub(crate) second_try: Vec<String>,
    /// The tests that stock did not pass again: they are not counted.
    pub(crate) unsteady_on_stock: Vec<String>,
    /// How many tests stock fails or skips.
    pub(crate) not_passed_on_stock: usize,
}

impl Batch {
    /// Whether this is its name, with or without the folders before it.
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.ends_with(&format!("/{name}"))
    }
}

impl Compared {
    /// How many of the tests that stock passes ours passes.
    pub(crate) fn passed_on_ours(&self) -> usize {
        self.passed_on_stock - self.differences.len()
    }
}

impl Judge {
    /// Makes both environments; `name` tells one set of shared packages from another. What is in
    /// `alone` is shared, too, but installed without what it requires, which would bring stock Luigi.
    pub(crate) fn new(
        project: &Project,
        name: &str,
        shared: &[String],
        alone: &[String],
        options: &Options,
    ) -> anyhow::Result<Self> {
        let interpreter = match &options.python {
            Some(program) => Interpreter::at(program)
                .with_context(|| format!("{}: no Python from 3.10 to 3.13", program.display()))?,
            None => Interpreter::at_hand()?,
        };
        let release = &interpreter.release;
        let mut wanted: Vec<String> = LUIGI_REQUIRES.map(str::to_owned).to_vec();
        wanted.extend_from_slice(shared);
        let dependencies = Venv::with(
            project,
            &format!("{name}-{release}-shared"),
            &interpreter,
            &[],
        )?;
        let missing = install_what_can_be(&dependencies, &wanted)?;
        if !alone.is_empty() {
            dependencies.pip(&[&["--no-deps".to_owned()], alone].concat())?;
        }

        let side = |side: &'static str| -> anyhow::Result<Side> {
            let venv = Venv::with(
                project,
                &format!("{name}-{release}-{side}"),
                &interpreter,
                &[],
            )?;
            let shared = dependencies.site_packages()?;
            std::fs::write(
                venv.site_packages()?.join("shared.pth"),
                format!("{}\n", shared.display()),
            )?;
            Ok(Side { name: side, venv })
        };
        let (stock, ours) = (side("stock")?, side("ours")?);
        stock
            .venv
            .pip(&["--no-deps".to_owned(), LUIGI.to_owned()])?;
        let profile = if options.dev {
            Profile::Dev
        } else {
            Profile::Release
        };
        wheel::install_alone(&ours.venv, &wheel::build(project, profile)?)?;
        Ok(Self {
            folder: project.target().join("python/judge").join(name),
            plugin: project.root().join("xtask/python"),
            dependencies,
            stock,
            ours,
            missing,
            interpreter,
            options: options.clone(),
        })
    }

    /// Where copies of the tests may be kept.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs these batches, all if `only` names none, on both sides, and those that differ once more.
    pub(crate) fn compare(
        &self,
        batches: &[Batch],
        only: &[String],
    ) -> anyhow::Result<Vec<Compared>> {
        let wanted =
            |batch: &&Batch| only.is_empty() || only.iter().any(|name| batch.is_called(name));
        let batches: Vec<&Batch> = batches.iter().filter(wanted).collect();
        anyhow::ensure!(!batches.is_empty(), "no tests of the names {only:?}");
        let mut all = Vec::new();
        for batch in batches {
            let kept = self.report_of(&self.stock, batch);
            let stock = match self.options.reuse_stock && kept.exists() {
                true => report::read(&kept),
                false => self.run(&self.stock, batch)?,
            };
            let ours = self.run(&self.ours, batch)?;
            let mut compared = compare(&batch.name, &stock, &ours);
            if !compared.differences.is_empty() {
                let stock = match self.options.reuse_stock {
                    true => stock,
                    false => self.run(&self.stock, batch)?,
                };
                look_again(&mut compared, &stock, &self.run(&self.ours, batch)?);
            }
            println!(
                "{:<50} {:>5} on stock {:>5} on ours",
                compared.name,
                compared.passed_on_stock,
                compared.passed_on_ours()
            );
            for (test, message) in &compared.differences {
                println!("    {test}: {message}");
            }
            all.push(compared);
        }
        Ok(all)
    }

    fn report_of(&self, side: &Side, batch: &Batch) -> PathBuf {
        let name = batch.name.replace(['/', ' '], "-");
        self.folder
            .join("reports")
            .join(side.name)
            .join(name + ".jsonl")
    }

    /// Runs one batch on one side.
    fn run(&self, side: &Side, batch: &Batch) -> anyhow::Result<Results> {
        let written = self.report_of(side, batch);
        std::fs::create_dir_all(written.parent().expect("it is in a folder"))?;
        if written.exists() {
            std::fs::remove_file(&written)?;
        }
        let output = File::create(written.with_extension("log"))?;
        let mut command = Command::new(side.venv.python());
        command
            .args([
                "-m",
                "pytest",
                "-p",
                "condotta_report",
                "-p",
                "no:cacheprovider",
            ])
            .args(["-o", "addopts=", "-q", "--continue-on-collection-errors"])
            .args(&batch.arguments)
            .current_dir(batch.folder.join(side.name))
            .env("PYTHONPATH", &self.plugin)
            .env("PATH", self.path_of(side)?)
            .env("CONDOTTA_REPORT", &written)
            .env_remove("LUIGI_CONFIG_PARSER")
            .envs(batch.variables.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        let mut child = command.spawn().context("cannot start Python")?;
        if !wait_until(&mut child, Instant::now() + batch.limit)? {
            println!(
                "{} on {}: killed after {:?}",
                batch.name, side.name, batch.limit
            );
        }
        kill_group(&mut child)?;
        Ok(report::read(&written))
    }

    /// The programs of the side come first, then those of the shared packages.
    fn path_of(&self, side: &Side) -> anyhow::Result<OsString> {
        let own = [side.venv.program(""), self.dependencies.program("")];
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let all = own.into_iter().chain(std::env::split_paths(&rest));
        Ok(std::env::join_paths(all)?)
    }
}

/// Installs all at once or, where that fails, one after the other; the answer is what has failed.
fn install_what_can_be(venv: &Venv, requirements: &[String]) -> anyhow::Result<Vec<String>> {
    let wanted = requirements.join("\n");
    if venv.note("wanted").as_deref() != Some(&wanted) {
        let all: Vec<&str> = requirements.iter().map(String::as_str).collect();
        let mut missing = Vec::new();
        if !venv.try_pip(&all) {
            let one = |requirement: &&String| !venv.try_pip(&[requirement]);
            missing = requirements.iter().filter(one).cloned().collect();
        }
        venv.write_note("missing", &missing.join("\n"))?;
        venv.write_note("wanted", &wanted)?;
    }
    let missing = venv.note("missing").unwrap_or_default();
    Ok(missing.lines().map(str::to_owned).collect())
}

/// Whether the process ends by itself before that time.
fn wait_until(child: &mut Child, deadline: Instant) -> anyhow::Result<bool> {
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// Kills whatever is left of a process and its children.
fn kill_group(child: &mut Child) -> anyhow::Result<()> {
    let group = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
    // That there is nobody left is the usual answer.
    let _ = killpg(group, Signal::SIGKILL);
    child.wait()?;
    Ok(())
}

fn passed(results: &Results) -> BTreeSet<&str> {
    let passed = results
        .iter()
        .filter(|(_, result)| result.outcome == Outcome::Passed);
    passed.map(|(test, _)| test.as_str()).collect()
}

fn compare(name: &str, stock: &Results, ours: &Results) -> Compared {
    let on_stock = passed(stock);
    let on_ours = passed(ours);
    let message = |test: &str| match ours.get(test) {
        None => whole_file(ours, test)
            .unwrap_or("it did not run to its end")
            .to_owned(),
        Some(result) if result.outcome == Outcome::Skipped => {
            format!("skipped: {}", result.message)
        }
        Some(result) => result.message.clone(),
    };
    Compared {
        name: name.to_owned(),
        passed_on_stock: on_stock.len(),
        differences: on_stock
            .difference(&on_ours)
            .map(|test| ((*test).to_owned(), message(test)))
            .collect(),
        second_try: Vec::new(),
        unsteady_on_stock: Vec::new(),
        not_passed_on_stock: stock.len() - on_stock.len(),
    }
}

/// What kept the whole file of a test from running.
fn whole_file<'a>(results: &'a Results, test: &str) -> Option<&'a str> {
    let (file, _) = test.split_once("::")?;
    results.get(file).map(|result| result.message.as_str())
}

/// What the second run of both sides says of the differences.
fn look_again(compared: &mut Compared, stock: &Results, ours: &Results) {
    let (on_stock, on_ours) = (passed(stock), passed(ours));
    for (test, message) in std::mem::take(&mut compared.differences) {
        if on_ours.contains(test.as_str()) {
            compared.second_try.push(test);
        } else if !on_stock.contains(test.as_str()) {
            compared.passed_on_stock -= 1;
            compared.unsteady_on_stock.push(test);
        } else {
            compared.differences.push((test, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(tests: &[(&str, Outcome)]) -> Results {
        let result = |outcome| report::Result {
            outcome,
            message: "why".to_owned(),
        };
        let named = tests
            .iter()
            .map(|(test, outcome)| ((*test).to_owned(), result(*outcome)));
        named.collect()
    }

    use Outcome::{Failed, Passed, Skipped};

    #[test]
    fn only_what_stock_passes_is_asked_of_ours() {
        let stock = results(&[("a", Passed), ("b", Passed), ("c", Failed), ("d", Passed)]);
        let ours = results(&[("a", Passed), ("b", Skipped), ("c", Passed)]);
        let compared = compare("x", &stock, &ours);
        assert_eq!(
            (compared.passed_on_stock, compared.passed_on_ours()),
            (3, 1)
        );
        let differences: Vec<_> = compared
            .differences
            .iter()
            .map(|(t, m)| (&t[..], &m[..]))
            .collect();
        assert_eq!(
            differences,
            [("b", "skipped: why"), ("d", "it did not run to its end")]
        );
        assert_eq!(compared.not_passed_on_stock, 1);
    }

    #[test]
    fn a_second_run_tells_what_is_unsteady() {
        let stock = results(&[("a", Passed), ("b", Passed), ("c", Passed)]);
        let mut compared = compare("x", &stock, &Results::new());
        let again = results(&[("a", Passed), ("b", Failed), ("c", Passed)]);
        look_again(&mut compared, &again, &results(&[("c", Passed)]));
        assert_eq!(compared.unsteady_on_stock, ["b"]);
        assert_eq!(compared.second_try, ["c"]);
        assert_eq!(
            (compared.passed_on_stock, compared.passed_on_ours()),
            (2, 1)
        );
    }
}
