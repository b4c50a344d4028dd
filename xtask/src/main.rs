//! The menu of the project's chores: `cargo xtask check`, `test` and `bench`.
//!
//! This is where the words of the command line become calls; what each part of the test command does
//! is in `parts`, what it needs on the machine in `setup`.

mod bench;
mod connectors;
mod engines;
mod fresh_clone;
mod page;
mod parts;
mod project;
mod python;
mod setup;
mod setup_stores;
mod shell;
mod skips;
mod suite;
mod tally;

use std::process::ExitCode;

use anyhow::Context;
use project::Project;
use python::JudgeOptions;

const MENU: &str = "\
cargo xtask check               format and lint
cargo xtask test                all tests but the slow parts
cargo xtask test --all          all tests, as CI runs them
cargo xtask test PART...        only these parts
cargo xtask test --list         the parts
cargo xtask bench [NAME...]     the benches, with their tables kept under target/bench
cargo xtask upstream-tests --source CHECKOUT [--contrib] [--python PYTHON] [--only FILE...]
                                Luigi's own tests on stock and on the wheel; --reuse-stock takes stock's
                                last results, --dev compiles the wheel quickly
cargo xtask third-party --source FOLDER [the same options]
                                the tests of projects that build on Luigi, likewise; --list names them";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the words ask for, and says whether all of it went well.
fn run(words: &[String]) -> anyhow::Result<bool> {
    let project = Project::find()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check"] => suite::run(&project, &suite::named(&["fmt", "clippy"])?),
        ["test"] => suite::run(&project, &suite::lean()),
        ["test", "--all"] => suite::run(&project, &suite::all()),
        ["test", "--list"] => {
            suite::print_list();
            Ok(true)
        }
        ["test", names @ ..] => suite::run(&project, &suite::named(names)?),
        ["bench", names @ ..] => bench::run(&project, names),
        ["upstream-tests", rest @ ..] => upstream_tests(&project, rest),
        ["third-party", "--list"] => python::third_party_list(&project),
        ["third-party", rest @ ..] => python::third_party(&project, &judge_options(rest)?),
        [] | ["help" | "--help" | "-h"] => {
            println!("{MENU}");
            Ok(true)
        }
        _ => anyhow::bail!("no such chore: {}\n{MENU}", words.join(" ")),
    }
}

/// Luigi's own tests on stock and on ours.
fn upstream_tests(project: &Project, words: &[&str]) -> anyhow::Result<bool> {
    let contrib = words.contains(&"--contrib");
    let rest: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| *word != "--contrib")
        .collect();
    python::upstream_tests(project, &judge_options(&rest)?, contrib)
}

/// Reads the options of a run on stock and on ours.
fn judge_options(words: &[&str]) -> anyhow::Result<JudgeOptions> {
    let mut options = JudgeOptions::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("{word} lacks a value"))
        };
        match *word {
            "--source" => options.source = value()?.into(),
            "--python" => options.python = Some(value()?.into()),
            "--only" => options
                .only
                .extend(words.by_ref().map(|name| (*name).to_owned())),
            "--reuse-stock" => options.reuse_stock = true,
            "--dev" => options.dev = true,
            other => anyhow::bail!("no such option: {other}\n{MENU}"),
        }
    }
    anyhow::ensure!(
        !options.source.as_os_str().is_empty(),
        "--source is missing\n{MENU}"
    );
    Ok(options)
}
