//! Luigi's own tests, from a checkout that is kept elsewhere, on stock and on ours.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use super::{
    judge::{Batch, Judge, Options},
    table::{self, Heading, Reasons},
};
use crate::project::Project;

/// How long one file of tests may take.
const LIMIT: Duration = Duration::from_secs(600);
/// What the checkout calls the packages that all its tests need, and those of single modules.
const CORE_GROUPS: &[&str] = &["common", "unixsocket"];
const CONTRIB_GROUPS: &[&str] = &[
    "common",
    "postgres",
    "gcloud",
    "dropbox",
    "cdh",
    "unixsocket",
];

/// Runs Luigi's tests, those of its contrib modules or all others, and writes the page about it.
pub(crate) fn run(project: &Project, options: &Options, contrib: bool) -> anyhow::Result<bool> {
    let source = options.source.canonicalize().context("no such checkout")?;
    let groups = if contrib { CONTRIB_GROUPS } else { CORE_GROUPS };
    let shared = dependency_groups(&source.join("pyproject.toml"), groups)?;
    let name = if contrib {
        "upstream-contrib"
    } else {
        "upstream"
    };
    let judge = Judge::new(project, name, &shared, &[], options)?;
    // The published wheel lacks a module of the release, `luigi.contrib.mrrunner`.
    let stock = judge.stock.venv.site_packages()?.join("luigi");
    copy_folder(&source.join("luigi"), &stock)?;
    let copies = copy_tests(&source, judge.folder())?;
    let batches = batches(&source, &copies, contrib)?;
    let all = judge.compare(&batches, &options.only)?;

    let docs = project.root().join("docs/python");
    let reasons = Reasons::read(&docs.join("upstream-differences.toml"))?;
    let (title, flag) = match contrib {
        true => ("Luigi's own tests of its contrib modules", " --contrib"),
        false => ("Luigi's own tests", ""),
    };
    let about = format!(
        "Luigi's test suite, from a checkout of its release 3.8.1, run on stock Luigi and on the wheel, each file of tests in a \
         process of its own. `cargo xtask upstream-tests --source CHECKOUT{flag}` does it again and writes this page."
    );
    let heading = Heading {
        title,
        about: &about,
        row: "File",
    };
    let page = table::page(&heading, &judge, &all, &reasons);
    println!("\n{page}");
    if options.only.is_empty() {
        std::fs::create_dir_all(&docs)?;
        std::fs::write(docs.join(format!("{name}-tests.md")), page)?;
    }
    Ok(true)
}

/// The requirements of these dependency groups, and of those that they include.
fn dependency_groups(path: &Path, names: &[&str]) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let table: Value = toml::from_str(&text)?;
    let mut wanted = Vec::new();
    for name in names {
        add_group(&table["dependency-groups"], name, &mut wanted)?;
    }
    Ok(wanted)
}

fn add_group(groups: &Value, name: &str, wanted: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = groups[name].as_array();
    for entry in entries.with_context(|| format!("no dependency group {name}"))? {
        match (entry.as_str(), entry["include-group"].as_str()) {
            (Some(requirement), _) => wanted.push(requirement.to_owned()),
            (None, Some(included)) => add_group(groups, included, wanted)?,
            (None, None) => anyhow::bail!("the group {name} has an entry that nobody understands"),
        }
    }
    Ok(())
}

/// Copies the tests and the examples and programs that they use to a folder for each side. The checkout's own package
/// stays behind, so that the installed one is what is imported.
fn copy_tests(source: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let copies = folder.join("copies");
    if copies.exists() {
        std::fs::remove_dir_all(&copies)?;
    }
    for side in ["stock", "ours"] {
        for part in ["test", "examples", "bin"] {
            copy_folder(&source.join(part), &copies.join(side).join(part))?;
        }
        std::fs::write(copies.join(side).join("pytest.ini"), "[pytest]\n")?;
    }
    Ok(copies)
}

/// Copies a folder with all that is in it, but what Python has compiled.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    let entries = std::fs::read_dir(from).with_context(|| from.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name == "__pycache__" || name == ".git" {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// A batch for each file of tests.
fn batches(source: &Path, copies: &Path, contrib: bool) -> anyhow::Result<Vec<Batch>> {
    let mut files = Vec::new();
    if contrib {
        test_files(source, Path::new("test/contrib"), true, &mut files)?;
    } else {
        test_files(source, Path::new("test"), false, &mut files)?;
    }
    files.sort();
    let batch = |file: String| Batch {
        name: file.clone(),
        // Without a file of its own, pytest would take the settings of the project around the copies.
        arguments: vec!["-c".to_owned(), "pytest.ini".to_owned(), file],
        folder: copies.to_owned(),
        limit: LIMIT,
        variables: variables(),
    };
    Ok(files.into_iter().map(batch).collect())
}

/// What the checkout's own continuous integration sets.
fn variables() -> Vec<(&'static str, String)> {
    let all = [
        ("LC_ALL", "C.UTF-8"),
        ("LUIGI_CONFIG_PATH", "test/testconfig/luigi.cfg"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "accesskey"),
        ("AWS_SECRET_ACCESS_KEY", "secretkey"),
    ];
    all.map(|(key, value)| (key, value.to_owned())).to_vec()
}

/// The files that pytest takes for tests; a leading underscore switches one off.
fn test_files(
    root: &Path,
    folder: &Path,
    deep: bool,
    files: &mut Vec<String>,
) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if deep && name != "__pycache__" {
                test_files(root, &folder.join(name), deep, files)?;
            }
            continue;
        }
        let stem = name.strip_suffix(".py").unwrap_or_default();
        if (stem.ends_with("_test") || stem.starts_with("test_")) && !stem.starts_with('_') {
            files.push(folder.join(name).to_string_lossy().into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_include_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pyproject.toml");
        let text = "[dependency-groups]\na = [\"x<2\"]\nb = [{include-group = \"a\"}, \"y\"]\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(dependency_groups(&path, &["b"]).unwrap(), ["x<2", "y"]);
        assert!(dependency_groups(&path, &["c"]).is_err());
    }

    #[test]
    fn tests_are_found_as_pytest_finds_them() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("test/contrib");
        std::fs::create_dir_all(&folder).unwrap();
        for name in [
            "a_test.py",
            "test_b.py",
            "_c_test.py",
            "helpers.py",
            "contrib/d_test.py",
        ] {
            std::fs::write(root.path().join("test").join(name), "").unwrap();
        }
        let mut files = Vec::new();
        test_files(root.path(), Path::new("test"), false, &mut files).unwrap();
        files.sort();
        assert_eq!(files, ["test/a_test.py", "test/test_b.py"]);
    }
}
