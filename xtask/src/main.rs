//! The menu of the project's chores: `cargo xtask check`, `test` and `bench`.
//!
//! This is where the words of the command line become calls; what each part of the test command does
//! is in `parts`, what it needs on the machine in `setup`.

mod bench;
mod fresh_clone;
mod parts;
mod project;
mod python;
mod setup;
mod shell;
mod skips;
mod suite;
mod tally;

use std::process::ExitCode;

use project::Project;

const MENU: &str = "\
cargo xtask check               format and lint
cargo xtask test                all tests but the slow parts
cargo xtask test --all          all tests, as CI runs them
cargo xtask test PART...        only these parts
cargo xtask test --list         the parts
cargo xtask bench [NAME...]     the benches, with their tables kept under target/bench";

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
        [] | ["help" | "--help" | "-h"] => {
            println!("{MENU}");
            Ok(true)
        }
        _ => anyhow::bail!("no such chore: {}\n{MENU}", words.join(" ")),
    }
}
