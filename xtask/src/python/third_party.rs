//! The own tests of projects that build on Luigi, on stock and on ours.
//!
//! Which projects, and what their tests need, is in `xtask/python/third-party.toml`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use super::{
    judge::{Batch, Compared, Judge, Options},
    table::{self, Heading, Reasons},
    upstream::copy_folder,
};
use crate::project::Project;

/// How long all tests of one project may take.
const LIMIT: Duration = Duration::from_secs(900);

/// One project.
struct ThirdParty {
    name: String,
    version: String,
    source: String,
    tests: Vec<String>,
    needs: Vec<String>,
}

/// Prints the projects.
pub(crate) fn list(project: &Project) -> anyhow::Result<bool> {
    for one in read(project)? {
        println!("{:<12} {:<8} {}", one.name, one.version, one.source);
    }
    Ok(true)
}

/// Runs the tests of all projects and writes the page about it.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<bool> {
    let wanted = |one: &ThirdParty| options.only.is_empty() || options.only.contains(&one.name);
    let projects: Vec<ThirdParty> = read(project)?.into_iter().filter(wanted).collect();
    anyhow::ensure!(!projects.is_empty(), "no such project: --list has them");
    let mut all = Vec::new();
    let mut judge = None;
    for one in &projects {
        // Each has an environment of its own: what they need need not agree.
        let name = format!("third-party-{}", one.name);
        let mut shared = vec!["pytest".to_owned()];
        shared.extend(one.needs.iter().cloned());
        let itself = format!("{}=={}", one.name, one.version);
        let of_one = Judge::new(project, &name, &shared, &[itself], options)?;
        all.push(compare(&of_one, one, options)?);
        judge = Some(of_one);
    }
    let judge = judge.expect("there is at least one project");

    let docs = project.root().join("docs/python");
    let reasons = Reasons::read(&docs.join("third-party-differences.toml"))?;
    let heading = Heading {
        title: "Projects that build on Luigi",
        about: "The own tests of each project, at the release that is named, run on stock Luigi and on the wheel; all other \
                packages are the same. `cargo xtask third-party --source FOLDER` does it again and writes this page: the \
                folder holds the projects' sources as `NAME-VERSION`, and `cargo xtask third-party --list` says where they \
                come from.",
        row: "Project",
    };
    let page = table::page(&heading, &judge, &all, &reasons);
    println!("\n{page}");
    if options.only.is_empty() {
        std::fs::create_dir_all(&docs)?;
        std::fs::write(docs.join("third-party.md"), page)?;
    }
    Ok(true)
}

/// Runs one project's tests on both sides, each on a copy without the project's own package.
fn compare(judge: &Judge, one: &ThirdParty, options: &Options) -> anyhow::Result<Compared> {
    let name = format!("{} {}", one.name, one.version);
    let source = source_of(&options.source, one);
    let copies = judge.folder().join("copies");
    if copies.exists() {
        std::fs::remove_dir_all(&copies)?;
    }
    for side in ["stock", "ours"] {
        for part in &one.tests {
            copy_folder(&source.join(part), &copies.join(side).join(part))?;
        }
        std::fs::write(copies.join(side).join("pytest.ini"), "[pytest]\n")?;
    }
    let batch = Batch {
        name: name.clone(),
        arguments: vec![
            "-c".to_owned(),
            "pytest.ini".to_owned(),
            one.tests[0].clone(),
        ],
        folder: copies,
        limit: LIMIT,
        variables: vec![("AWS_DEFAULT_REGION", "us-east-1".to_owned())],
    };
    let mut compared = judge.compare(&[batch], &[])?;
    Ok(compared.remove(0))
}

/// The folder of the project's sources. Source archives have `_` where the project's name has `-`.
fn source_of(folder: &Path, one: &ThirdParty) -> PathBuf {
    let named = |name: &str| folder.join(format!("{name}-{}", one.version));
    let unpacked = named(&one.name.replace('-', "_"));
    if unpacked.exists() {
        unpacked
    } else {
        named(&one.name)
    }
}

fn read(project: &Project) -> anyhow::Result<Vec<ThirdParty>> {
    parse(&project.root().join("xtask/python/third-party.toml"))
}

fn parse(path: &Path) -> anyhow::Result<Vec<ThirdParty>> {
    let table: Value = toml::from_str(&std::fs::read_to_string(path)?)?;
    let entries = table["project"].as_array().context("no projects")?;
    let text = |entry: &Value, key: &str| -> anyhow::Result<String> {
        let value = entry[key].as_str();
        Ok(value
            .with_context(|| format!("a project without {key}"))?
            .to_owned())
    };
    let texts = |entry: &Value, key: &str| -> Vec<String> {
        let values = entry[key].as_array().into_iter().flatten();
        values
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let read_one = |entry: &Value| {
        let tests = texts(entry, "tests");
        anyhow::ensure!(!tests.is_empty(), "a project without tests");
        Ok(ThirdParty {
            name: text(entry, "name")?,
            version: text(entry, "version")?,
            source: text(entry, "source")?,
            tests,
            needs: texts(entry, "needs"),
        })
    };
    entries.iter().map(read_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lie_under_the_projects_name_or_as_an_archive_unpacks_them() {
        let folder = tempfile::tempdir().unwrap();
        let one = ThirdParty {
            name: "luigi-tools".to_owned(),
            version: "0.3.5".to_owned(),
            source: String::new(),
            tests: Vec::new(),
            needs: Vec::new(),
        };
        let expected = folder.path().join("luigi-tools-0.3.5");
        assert_eq!(source_of(folder.path(), &one), expected);
        let unpacked = folder.path().join("luigi_tools-0.3.5");
        std::fs::create_dir(&unpacked).unwrap();
        assert_eq!(source_of(folder.path(), &one), unpacked);
    }

    #[test]
    fn the_projects_list_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/third-party.toml");
        let projects = parse(&path).unwrap();
        assert!(
            projects
                .iter()
                .any(|one| one.name == "gokart" && one.tests == ["test"])
        );
    }
}
