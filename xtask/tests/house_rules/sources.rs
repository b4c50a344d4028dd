//! What every source file has to have, and may not have.

use std::path::Path;

use crate::{assert_none, texts};

/// Lines after which a file is two files.
const LONGEST: usize = 600;

/// What unfinished work looks like. Each is written in two halves, for this file is searched too.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
];

/// Where the project happens to be written is nobody's business.
const ELSEWHERE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("sha", "red/"),
    concat!("/opt/lu", "igi"),
    concat!("spec/pro", "tocol"),
    concat!("spec/sem", "antics"),
    concat!("spec/fai", "lures"),
    concat!("BRI", "EF.md"),
];

/// Programs that a compiler test is to refuse: their texts are data.
fn is_compiler_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "ui")
}

#[test]
fn every_file_says_what_it_is() {
    let mut findings = Vec::new();
    for (path, text) in texts("rs") {
        if !is_compiler_test(path) && !text.starts_with("//!") {
            findings.push(path.display().to_string());
        }
    }
    assert_none(&findings, "files without a module header");
}

#[test]
fn no_file_is_too_long() {
    let mut findings = Vec::new();
    for (path, text) in texts("rs") {
        let lines = text.lines().count();
        if lines > LONGEST {
            findings.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert_none(&findings, "files to split by concept");
}

#[test]
fn nothing_is_unfinished() {
    let mut findings = Vec::new();
    for (path, text) in texts("rs") {
        findings.extend(lines_with(path, &text, UNFINISHED));
    }
    assert_none(&findings, "unfinished work");
}

#[test]
fn the_project_speaks_of_itself_only() {
    let mut findings = Vec::new();
    for extension in ["rs", "md", "toml", "txt", "py", "yml"] {
        for (path, text) in texts(extension) {
            findings.extend(lines_with(path, &text, ELSEWHERE));
        }
    }
    assert_none(
        &findings,
        "words that mean nothing to a reader of the project",
    );
}

/// The scheduler reads no clock, does no I/O and starts no thread: it has no `std` to do it with.
#[test]
fn the_scheduler_has_no_std() {
    let mut findings = Vec::new();
    let mut declared = false;
    for (path, text) in texts("rs") {
        if !path.starts_with("crates/condotta-scheduler/src") {
            continue;
        }
        if path.ends_with("lib.rs") {
            declared = text.lines().any(|line| line.trim() == "#![no_std]");
        }
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        findings.extend(lines_with(path, product, &["std::", "extern crate std"]));
    }
    assert!(
        declared,
        "crates/condotta-scheduler/src/lib.rs lacks #![no_std]"
    );
    assert_none(&findings, "the scheduler uses std");
}

fn lines_with(path: &Path, text: &str, words: &[&str]) -> Vec<String> {
    let found = text
        .lines()
        .enumerate()
        .filter(|(_, line)| words.iter().any(|w| line.contains(w)));
    let shown =
        found.map(|(index, line)| format!("{}:{}: {}", path.display(), index + 1, line.trim()));
    shown.collect()
}
