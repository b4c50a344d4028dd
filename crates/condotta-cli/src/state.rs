//! `condotta state`: looks after a state that no scheduler uses.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter},
    path::Path,
};

use condotta_server::state::{self, StateError};

use crate::{
    arguments::StateCommand,
    error::{Failure, Kind},
    luigid,
};

/// Does what the command says.
pub(crate) fn run(command: &StateCommand) -> Result<(), Failure> {
    match command {
        StateCommand::Check {
            directory,
            repair: false,
        } => check(directory),
        StateCommand::Check {
            directory,
            repair: true,
        } => {
            println!("{}", state::repair(directory).map_err(failure)?);
            Ok(())
        }
        StateCommand::Export { directory } => export(directory),
        StateCommand::Import {
            directory,
            from_luigid: Some(url),
            ..
        } => luigid::import(directory, url),
        StateCommand::Import {
            directory, file, ..
        } => import(directory, file),
    }
}

/// A damaged directory is a failure, after all has been said of it.
fn check(directory: &Path) -> Result<(), Failure> {
    let report = state::check(directory).map_err(failure)?;
    println!("{report}");
    if report.is_sound() {
        return Ok(());
    }
    let text = format!(
        "{} is damaged; condotta state check --repair sets aside what is damaged and keeps the rest",
        directory.display()
    );
    Err(Failure::new(Kind::State, text))
}

fn export(directory: &Path) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match state::export(directory, &mut out) {
        // Whoever reads may have seen enough.
        Err(StateError::Export(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(failure),
    }
}

fn import(directory: &Path, file: &Path) -> Result<(), Failure> {
    let mut input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).map_err(|error| {
            Failure::new(
                Kind::Other,
                format!("cannot read {}: {error}", file.display()),
            )
        })?;
        Box::new(BufReader::new(opened))
    };
    let tasks = state::import(directory, &mut input).map_err(failure)?;
    println!("{tasks} tasks are in {} now", directory.display());
    Ok(())
}

/// The exit code of what can go wrong with a state.
pub(crate) fn failure(error: StateError) -> Failure {
    let kind = match error {
        StateError::Locked { .. } => Kind::AlreadyRunning,
        StateError::BadImport { .. } | StateError::Export(_) => Kind::Other,
        _ => Kind::State,
    };
    Failure::new(kind, error)
}
