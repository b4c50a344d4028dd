//! Arrows of dependency point down only, and every licence is one that the project can live with.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::{assert_none, root};

/// Which of our crates a crate's library may depend on. A crate that is not listed may not exist.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("condotta-scheduler", &[]),
    ("condotta-targets", &["condotta-config"]),
    ("condotta-test-servers", &[]),
    ("condotta-database-url", &[]),
    (
        "condotta-databases",
        &["condotta-database-url", "condotta-targets"],
    ),
    ("condotta-programs", &["condotta-targets"]),
    ("condotta-config", &[]),
    ("condotta-derive", &[]),
    ("condotta-logging", &["condotta-config"]),
    ("condotta-mail", &[]),
    ("condotta-protocol", &["condotta-scheduler"]),
    (
        "condotta-history",
        &["condotta-database-url", "condotta-scheduler"],
    ),
    (
        "condotta-worker",
        &["condotta-scheduler", "condotta-protocol"],
    ),
    (
        "condotta",
        &[
            "condotta-config",
            "condotta-databases",
            "condotta-derive",
            "condotta-logging",
            "condotta-mail",
            "condotta-programs",
            "condotta-protocol",
            "condotta-scheduler",
            "condotta-targets",
            "condotta-worker",
        ],
    ),
    (
        "condotta-server",
        &[
            "condotta-history",
            "condotta-mail",
            "condotta-scheduler",
            "condotta-protocol",
        ],
    ),
    (
        "condotta-cli",
        &[
            "condotta-config",
            "condotta-history",
            "condotta-logging",
            "condotta-mail",
            "condotta-protocol",
            "condotta-scheduler",
            "condotta-server",
            "condotta-worker",
        ],
    ),
    ("condotta-examples", &["condotta"]),
    (
        "condotta-python",
        &[
            "condotta-cli",
            "condotta-config",
            "condotta-logging",
            "condotta-programs",
            "condotta-protocol",
            "condotta-scheduler",
            "condotta-server",
            "condotta-worker",
        ],
    ),
    ("xtask", &[]),
];

/// Licences that ask for no more than to be named, and MPL-2.0, whose terms end at its own files.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "bzip2-1.0.6",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "Apache-2.0 WITH LLVM-exception",
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
        ])
        .arg(host())
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// The platform of this machine, to leave out what only other platforms would fetch.
fn host() -> String {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("rustc speaks UTF-8");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc -vV names the host").to_owned()
}

fn members(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let ids = metadata["workspace_members"].as_array().expect("a list");
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let ours: Vec<&Value> = packages
        .filter(|package| ids.contains(&package["id"]))
        .collect();
    let names: Vec<&str> = ours.iter().map(|package| text(&package["name"])).collect();
    let known = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        let lasting = dependencies.filter(|dependency| dependency["kind"] != "dev");
        let inside = lasting.map(|dependency| text(&dependency["name"]));
        inside
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect()
    };
    ours.iter()
        .map(|package| (text(&package["name"]).to_owned(), known(package)))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[test]
fn crates_know_only_those_below_them() {
    let mut findings = Vec::new();
    for (name, known) in members(&metadata()) {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(listed, _)| *listed == name) else {
            findings.push(format!("{name}: not in MAY_KNOW: where does it belong?"));
            continue;
        };
        let wrong = known
            .iter()
            .filter(|other| !allowed.contains(&other.as_str()));
        findings.extend(wrong.map(|other| format!("{name} depends on {other}")));
    }
    assert_none(&findings, "dependencies point the wrong way");
}

#[test]
fn the_scheduler_has_few_dependencies() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a list");
    let scheduler = packages
        .iter()
        .find(|package| package["name"] == "condotta-scheduler");
    let dependencies = scheduler.expect("it exists")["dependencies"]
        .as_array()
        .expect("a list");
    let count = dependencies
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .count();
    assert!(
        count <= 5,
        "condotta-scheduler has {count} dependencies: about four is the measure"
    );
}

/// What is optional somewhere and in a pipeline all the same, for something that every pipeline has.
const IN_EVERY_PIPELINE: &[&str] = &[
    "base64",
    "bytes",
    "condotta-config",
    "ring",
    "rustls",
    "rustls-native-certs",
    "serde_json",
    "ureq",
];

/// The packages that are built for `condotta` without any of its features.
fn packages_of_a_pipeline() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", "condotta"])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    let first = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    text.lines().map(first).collect()
}

/// Without features a pipeline has nothing in it that a feature brings.
#[test]
fn a_pipeline_is_lean() {
    let built = packages_of_a_pipeline();
    assert!(built.contains("condotta-worker"), "{built:?}");
    let metadata = metadata();
    let below = MAY_KNOW.iter().find(|(name, _)| *name == "condotta");
    let below = below.expect("it is listed").1;
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let ours = packages.filter(|package| {
        let name = text(&package["name"]);
        name == "condotta" || below.contains(&name)
    });
    let optional: BTreeSet<&str> = ours
        .flat_map(|package| package["dependencies"].as_array().expect("a list"))
        .filter(|dependency| dependency["optional"] == true)
        .map(|dependency| text(&dependency["name"]))
        .collect();
    for heavy in ["opendal", "sqlx", "tokio", "condotta-databases"] {
        assert!(optional.contains(heavy), "{heavy} is no longer optional");
    }
    let findings: Vec<String> = optional
        .iter()
        .filter(|name| built.contains(**name) != IN_EVERY_PIPELINE.contains(name))
        .map(|name| match built.contains(*name) {
            true => format!("{name} is built without a feature that asks for it"),
            false => format!("{name} is in IN_EVERY_PIPELINE, and not built"),
        })
        .collect();
    assert_none(&findings, "a pipeline without features is to stay small");
}

#[test]
fn every_licence_is_allowed() {
    let metadata = metadata();
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().expect("a list") {
        let licence = package["license"].as_str().unwrap_or("none given");
        if !is_allowed(licence) {
            findings.push(format!("{}: {licence}", text(&package["name"])));
        }
    }
    assert_none(&findings, "licences that nobody has allowed");
}

/// Whether one of the alternatives asks only for allowed licences. Parentheses, which group within
/// an expression, are read as the strictest grouping: every alternative then has to be allowed.
fn is_allowed(expression: &str) -> bool {
    if expression.contains('(') {
        let plain = expression.replace(['(', ')'], " ").replace(" OR ", " AND ");
        let parts: Vec<&str> = plain.split(" AND ").map(str::trim).collect();
        return parts.iter().all(|part| LICENCES.contains(part));
    }
    let alternatives = expression.split(" OR ").flat_map(|part| part.split('/'));
    alternatives.map(str::trim).any(|alternative| {
        alternative
            .split(" AND ")
            .all(|part| LICENCES.contains(&part.trim()))
    })
}

#[test]
fn licence_expressions_are_read() {
    assert!(is_allowed("MIT/Apache-2.0"));
    assert!(is_allowed("GPL-3.0 OR MIT"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_allowed("GPL-3.0"));
    assert!(!is_allowed("MIT AND GPL-3.0"));
    assert!(!is_allowed("none given"));
}
