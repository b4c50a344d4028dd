//! Plays the scenario files on the scheduler, through the remote procedure calls: one test per file.
//!
//! A last test checks that the deviations named in the files and those listed in the document are the same.

#[path = "scenario/play.rs"]
mod play;
#[path = "scenario/script.rs"]
mod script;
#[path = "scenario/short.rs"]
mod short;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = scenario_files(&root.join("scenarios"));
    let mut trials: Vec<Trial> = files.iter().map(|path| trial(path.clone())).collect();
    trials.push(Trial::test(
        "every_deviation_is_listed_and_shown",
        move || deviations_agree(&files, &root.join("docs/deviations.md")),
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the scenarios folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    files
}

fn trial(path: PathBuf) -> Trial {
    let name = path.file_stem().expect("a file name").to_string_lossy();
    Trial::test(name.into_owned(), move || {
        let differences = play::file(&path);
        if differences.is_empty() {
            Ok(())
        } else {
            Err(Failed::from(differences.join("\n")))
        }
    })
}

/// Each name used in a file has a row in the document's part about the scheduler, and each row is used.
fn deviations_agree(files: &[PathBuf], document: &Path) -> Result<(), Failed> {
    let mut used = BTreeSet::new();
    for path in files {
        for text in fs::read_to_string(path)?.lines() {
            if let Ok(Some(script::Line::Request(line))) = script::line(text) {
                used.extend(line.deviation);
            }
        }
    }
    let document = fs::read_to_string(document)?;
    let section = document
        .split("\n## ")
        .find(|section| section.starts_with("Scheduler\n"))
        .ok_or("the document has no section about the scheduler")?;
    let listed: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    if used == listed {
        return Ok(());
    }
    let unlisted: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    Err(format!("without a row: {unlisted:?}; rows that no scenario shows: {unused:?}").into())
}
