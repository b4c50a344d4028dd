//! The command `condotta`: the scheduler's server, and what operators need around it.
//!
//! Arguments, settings, log, the process itself and its exit codes. What the server does is in
//! `condotta-server`.

mod arguments;
mod background;
mod error;
mod log;
mod luigid;
mod operate;
mod pid_file;
mod places;
mod scheduler;
mod settings;
mod state;
mod stop;
mod token;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// How the command was called.
#[derive(Clone, Debug)]
pub struct Call {
    /// The words that start the command: a program, or an interpreter with what it is to run.
    pub start: Vec<OsString>,
    /// What was said after that.
    pub arguments: Vec<OsString>,
    /// Who runs the command in its own process, if somebody does.
    pub launcher: Option<Launcher>,
}

/// A program that runs the command in its own process, as Python's `luigid` does.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// What people typed to start it, but for the addresses: advice begins with that.
    pub command: String,
    /// What it says to the configuration after Luigi's files: section, key and value.
    pub settings: Vec<(String, String, String)>,
}

impl Launcher {
    /// The name that errors begin with.
    fn name(&self) -> &str {
        self.command.split(' ').next().unwrap_or_default()
    }
}

/// Does what the process's command line says.
pub fn main() -> ExitCode {
    let program = std::env::current_exe().map_or_else(|_| "condotta".into(), Into::into);
    let call = Call {
        start: vec![program],
        arguments: std::env::args_os().skip(1).collect(),
        launcher: None,
    };
    ExitCode::from(run(&call))
}

/// Does what a command line says; the exit code. Takes over the process's signals and its log.
#[must_use]
pub fn run(call: &Call) -> u8 {
    condotta_logging::hold_back(condotta_logging::Console::default());
    let name = OsString::from("condotta");
    let words = std::iter::once(&name).chain(&call.arguments);
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A reader that is gone needs no help.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(1);
        }
    };
    let done = match &arguments.command {
        Command::Scheduler(arguments) => {
            let arguments = arguments.clone().launched_by(call.launcher.clone());
            scheduler::run(&arguments, call)
        }
        Command::State(command) => state::run(command),
        Command::Operate(command) => operate::run(command),
        Command::Token(command) => token::run(command),
    };
    match done {
        Ok(()) => 0,
        Err(failure) => {
            log::configure_for_errors();
            let name = call.launcher.as_ref().map_or("condotta", Launcher::name);
            eprintln!("{name}: {failure}");
            failure.code()
        }
    }
}
