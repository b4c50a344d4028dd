//! Runs programs, shows what they print as they print it, and keeps it for those who count.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use anyhow::Context;

/// What is left of a program that has ended.
pub(crate) struct Finished {
    /// Whether it ended with code 0.
    pub(crate) success: bool,
    /// All that it printed, both streams in the order of their arrival.
    pub(crate) text: String,
}

/// Runs a program to its end and shows its output meanwhile.
pub(crate) fn run(mut command: Command) -> anyhow::Result<Finished> {
    forget_this_program(&mut command);
    let shown = describe(&command);
    println!("$ {shown}");
    let (reader, writer) = std::io::pipe()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    // The command holds the pipe's writing ends: while it lives, reading would never end.
    drop(command);

    let mut text = String::new();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let decoded = String::from_utf8_lossy(&line);
        print!("{decoded}");
        std::io::stdout().flush()?;
        text.push_str(&decoded);
        line.clear();
    }
    let success = child.wait()?.success();
    Ok(Finished { success, text })
}

/// What `cargo run` says of this program is not meant for those that it starts. Build scripts look at it (ring's
/// does), and whenever a cargo or a maturin finds another value, all that depends on them is built anew.
fn forget_this_program(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
}

/// Runs a program whose failure ends the whole part.
pub(crate) fn must(command: Command) -> anyhow::Result<String> {
    let shown = describe(&command);
    let finished = run(command)?;
    anyhow::ensure!(finished.success, "`{shown}` failed");
    Ok(finished.text)
}

/// Whether a program can be started and ends well; nothing of it is shown.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
