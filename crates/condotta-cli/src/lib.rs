//! The command `condotta`: the scheduler's server, and what operators need around it.
//!
//! Arguments, settings, log, the process itself and its exit codes. What the server does is in
//! `condotta-server`.

mod arguments;
mod background;
mod error;
mod log;
mod luigid;
mod pid_file;
mod places;
mod scheduler;
mod settings;
mod state;
mod stop;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// Does what the process's command line says.
pub fn main() -> ExitCode {
    condotta_logging::hold_back(condotta_logging::Console::default());
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Command::Scheduler(arguments) => scheduler::run(arguments),
        Command::State(command) => state::run(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::configure_for_errors();
            eprintln!("condotta: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
