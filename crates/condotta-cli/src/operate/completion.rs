//! `condotta completion`: the words of the command, for a shell.

use clap::CommandFactory as _;
use serde_json::json;

use super::{answer::Answer, arguments::Shell};
use crate::arguments::Arguments;

pub(super) fn run(shell: Shell) -> Answer {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "condotta", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "script": text });
    Answer { text, json }
}
