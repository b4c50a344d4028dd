//! The documents lead somewhere: no dead link, no page that the book forgets.

use std::path::{Component, Path, PathBuf};

use crate::{assert_none, root, texts, tracked};

#[test]
fn links_between_documents_lead_somewhere() {
    let mut findings = Vec::new();
    for (path, text) in texts("md") {
        let folder = path.parent().unwrap_or(Path::new(""));
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            if !root().join(folder).join(file).exists() {
                findings.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert_none(&findings, "links to what is not there");
}

#[test]
fn the_book_has_every_page() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).expect("a summary");
    let listed: Vec<PathBuf> = links(&summary)
        .map(|link| normal(&Path::new("docs").join(link)))
        .collect();
    let mut findings = Vec::new();
    for path in tracked() {
        let is_page = path.starts_with("docs") && path.extension().is_some_and(|e| e == "md");
        if is_page && !path.ends_with("SUMMARY.md") && !listed.contains(path) {
            findings.push(path.display().to_string());
        }
    }
    assert_none(&findings, "pages that docs/SUMMARY.md does not list");
}

/// Code in the documents is true only as long as somebody compiles it.
#[test]
fn code_in_documents_is_tested() {
    let tested = std::fs::read_to_string(root().join("examples/lib.rs")).expect("the library");
    let mut findings = Vec::new();
    for (path, text) in texts("md") {
        let has_code = text
            .lines()
            .any(|line| line.trim_start().starts_with("```rust"));
        let name = path.to_str().expect("paths are UTF-8");
        if has_code && !tested.contains(&format!("{name:?}")) {
            findings.push(name.to_owned());
        }
    }
    assert_none(
        &findings,
        "documents with Rust code that examples/lib.rs does not test",
    );
}

/// The README's pipeline in Python is the example that its commands run.
#[test]
fn the_readmes_python_is_the_examples() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("a README");
    let example = root().join("examples/python/count_words.py");
    let example = std::fs::read_to_string(example).expect("the example");
    let mut blocks = readme.split("```python\n").skip(1).peekable();
    assert!(blocks.peek().is_some(), "the README shows no Python");
    for block in blocks {
        let code = block.split("```").next().unwrap_or_default();
        assert!(example.ends_with(code), "not in the example:\n{code}");
    }
}

/// The goals of `[text](goal)`, outside of code blocks.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let prose = markdown.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    prose.flat_map(|line| {
        line.split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(goal, _)| goal)
    })
}

/// A path without `..`, as git names files.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn links_are_found() {
    let markdown = "see [a](b.md#c) and [d](../e.md)\n```text\n[no](f.md)\n```\n";
    assert_eq!(links(markdown).collect::<Vec<_>>(), ["b.md#c", "../e.md"]);
}
