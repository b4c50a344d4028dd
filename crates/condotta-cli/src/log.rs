//! Where the server's log goes: the same places as luigid's, chosen in the same order.

use std::{
    fs,
    path::{Path, PathBuf},
};

use condotta_config::Config;
use condotta_logging::{self as logging, Level, Plan};

use crate::{
    arguments::SchedulerArguments,
    error::{Failure, Kind, with_causes},
    settings,
};

/// The log's directory in the background when none is named: luigid's.
const DIRECTORY: &str = "/var/log/luigi";
/// The log's file: luigid's.
const FILE: &str = "luigi-server.log";

/// The directory of the log's files, if it goes to files.
pub(crate) fn directory(arguments: &SchedulerArguments) -> Option<PathBuf> {
    let in_background = arguments.background || arguments.detached;
    let default = in_background.then(|| PathBuf::from(DIRECTORY));
    arguments.logdir.clone().or(default)
}

/// Writes the log from now on, and what was held back.
///
/// The order is luigid's: `--background` and `--logdir`, `no_configure_logging` before both, then
/// `logging_conf_file`, then section `[logging]` of a TOML configuration, then standard error. `[scheduler]
/// log_format` is for where the form of the lines is said nowhere else.
pub(crate) fn configure(arguments: &SchedulerArguments, config: &Config) -> Result<(), Failure> {
    logging::configure(plan(arguments, config)?);
    Ok(())
}

/// Says what was held back, when there is nothing that says where.
pub(crate) fn configure_for_errors() {
    logging::configure(Plan::of_server(Level::WARNING));
}

fn plan(arguments: &SchedulerArguments, config: &Config) -> Result<Plan, Failure> {
    let fail = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
    let info = Level::named("INFO").expect("it is a level's name");
    let in_json = settings::logs_in_json(config).map_err(|error| fail(&error))?;
    let leave_alone = config.get_bool("core", "no_configure_logging");
    if leave_alone.map_err(|error| fail(&error))? == Some(true) {
        // Python shows warnings where no logging was set up.
        return Ok(Plan::of_server(Level::WARNING));
    }
    let finish = |plan: Plan| if in_json { plan.in_json() } else { plan };
    if let Some(directory) = directory(arguments) {
        let path = make(&directory)?.join(FILE);
        let plan = Plan::of_server_in_file(info, &path);
        return plan.map(finish).map_err(|error| unwritable(&path, &error));
    }
    let file = config.get_text("core", "logging_conf_file");
    if let Some(file) = file.map_err(|error| fail(&error))?
        && !file.is_empty()
    {
        return logging::from_file(Path::new(&file)).map_err(|error| fail(&error));
    }
    let section = logging::from_config(config).map_err(|error| fail(&error))?;
    Ok(section.unwrap_or_else(|| finish(Plan::of_server(info))))
}

/// Makes the log's directory.
pub(crate) fn make(directory: &Path) -> Result<&Path, Failure> {
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    Ok(directory)
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let text = format!(
        "cannot write the log in {}: {error}; name another directory with --logdir",
        path.display()
    );
    Failure::new(Kind::Other, text)
}
