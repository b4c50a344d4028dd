//! The house rules as tests: which crate may know which, and what every file has to have.
//!
//! CONTRIBUTING.md gives the reasons.

mod crates;
mod documents;
mod sources;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The root of the work tree.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the root")
}

/// What git follows, so that nothing built or left lying about is judged. Without git (a source
/// archive), nothing is there to judge.
fn tracked() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root())
            .output()
            .expect("git lists the files");
        assert!(output.status.success(), "git ls-files failed");
        let text = String::from_utf8(output.stdout).expect("paths are UTF-8");
        let paths = text.split('\0').filter(|path| !path.is_empty());
        paths
            .map(PathBuf::from)
            .filter(|path| root().join(path).is_file())
            .collect()
    })
}

/// The tracked files of an extension, with their text.
fn texts(extension: &str) -> Vec<(&'static Path, String)> {
    let chosen = tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == extension));
    let read = |path: &'static PathBuf| {
        let text = std::fs::read_to_string(root().join(path)).expect("text files are UTF-8");
        (path.as_path(), text)
    };
    chosen.map(read).collect()
}

/// Fails with all findings at once.
#[track_caller]
fn assert_none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}
