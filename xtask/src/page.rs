//! The web page: its types, that what is in the repository is what its source makes, and its tests in a
//! browser against the server.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{project::Project, python, setup, shell, tally::Tally};

/// The built page, as the server's crate has it.
const BUILT: &str = "crates/condotta-server/page";

/// All that the page is tested for.
pub(crate) fn page(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    let node = setup::need_node(project)?;
    let chromium = setup::need_chromium()?;
    let folder = project.root().join("ui");
    let npm = |arguments: &[&str]| {
        let mut command = node.npm();
        command.args(arguments).current_dir(&folder);
        // The browser is the system's.
        command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        command
    };
    shell::must(npm(&["ci", "--no-audit", "--no-fund"]))?;
    let mut tally = Tally::one(shell::run(npm(&["run", "check"]))?.success);
    tally.add(Tally::one(is_current(project, npm)?));

    shell::must(project.programs_of_tests())?;
    let mut tests = npm(&["test"]);
    tests.env("CONDOTTA", project.target().join("debug/condotta"));
    tests.env("CONDOTTA_CHROMIUM", chromium);
    tests.env("CONDOTTA_PYTHON", python::worker_python(project)?);
    let ran = shell::run(tests)?;
    tally.add(Tally::of_playwright(&ran.text, ran.success));
    Ok(tally)
}

/// Whether the page in the repository is what its source makes.
fn is_current(project: &Project, npm: impl Fn(&[&str]) -> Command) -> anyhow::Result<bool> {
    let built = project.target().join("page");
    let place = built.to_string_lossy();
    let arguments = ["run", "build", "--", "--outDir", &*place, "--emptyOutDir"];
    shell::must(npm(&arguments))?;
    let is_same = files(&built)? == files(&project.root().join(BUILT))?;
    if !is_same {
        println!(
            "{BUILT} is not what ui/ makes: run `npm run build` there, and commit what changes"
        );
    }
    Ok(is_same)
}

fn files(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let read = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut files = BTreeMap::new();
    for entry in read {
        let path = entry?.path();
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        files.insert(name, std::fs::read(&path)?);
    }
    Ok(files)
}
