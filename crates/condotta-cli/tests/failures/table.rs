//! The list of failures is true: every test that it names is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files of an extension below a folder, with their text.
fn texts(folder: &Path, extension: &str, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, extension, found);
        } else if path.extension().is_some_and(|end| end == extension) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The cells of each row, and the text of each `code` in the last.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let lines = page.lines().filter(|line| line.starts_with("| "));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
            let last = cells.last().unwrap();
            let names = last.split('`').skip(1).step_by(2).map(str::to_owned);
            (line.to_owned(), names.collect())
        })
        .collect()
}

/// `module::test`: the file or the folder of the module has the test.
fn is_test(name: &str, sources: &[(PathBuf, String)]) -> bool {
    let Some((module, test)) = name.rsplit_once("::") else {
        return false;
    };
    let parts: Vec<&str> = module.split("::").collect();
    let as_function = format!("fn {test}(");
    let as_trial = format!("\"{test}\"");
    sources.iter().any(|(path, text)| {
        let path = path.with_extension("");
        let places: Vec<String> = path
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        parts
            .iter()
            .all(|part| places.iter().any(|place| place == part))
            && (text.contains(&as_function) || text.contains(&as_trial))
    })
}

fn is_there(name: &str, sources: &[(PathBuf, String)]) -> bool {
    if let Some(pattern) = name.strip_prefix("scenarios/") {
        return root()
            .join("scenarios")
            .join(format!("{pattern}.txt"))
            .is_file();
    }
    is_test(name, sources)
}

#[test]
fn every_test_that_the_list_names_is_there() {
    let mut sources = Vec::new();
    texts(&root().join("crates"), "rs", &mut sources);
    let page = fs::read_to_string(root().join("docs/failures.md")).unwrap();
    let rows = rows(&page);
    assert!(rows.len() > 40, "{} rows", rows.len());
    for (row, names) in rows {
        let missing: Vec<&String> = names
            .iter()
            .filter(|name| !is_there(name, &sources))
            .collect();
        assert!(missing.is_empty(), "{missing:?} in {row}");
    }
}

/// Every row says what shows it, or that nothing can.
#[test]
fn no_row_goes_without_a_test_or_a_reason() {
    let page = fs::read_to_string(root().join("docs/failures.md")).unwrap();
    for (row, names) in rows(&page) {
        let is_head = row.contains("---") || row.starts_with("| What happens");
        let has_reason = row.contains("no test:") || row.contains("](");
        assert!(is_head || has_reason || !names.is_empty(), "{row}");
    }
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    let source = (
        PathBuf::from("crates/a/tests/b/c.rs"),
        "fn d() {}".to_owned(),
    );
    let sources = [source];
    assert!(is_there("b::c::d", &sources) && is_there("c::d", &sources));
    assert!(!is_there("b::c::e", &sources) && !is_there("x::c::d", &sources));
    assert!(!is_there("scenarios/none", &sources));
}
