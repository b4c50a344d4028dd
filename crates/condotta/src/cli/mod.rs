//! Luigi's command line for the tasks of a program.
//!
//! Arguments become settings, settings become a worker and its scheduler; what came out becomes an
//! exit code.

mod connect;
mod engines;
mod execute;
mod flags;
mod help;
mod loader;
mod mail;
mod options;
mod parse;
mod retcode;
mod sections;
mod settings;
mod signals;
mod suggest;
#[cfg(test)]
mod test_classes;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Arc,
};

use condotta_config::Config;
use condotta_logging::{self as logging, Level, Plan};
use condotta_worker::{TaskHandle, child, elsewhere};

pub(crate) use self::{
    execute::{ExecuteError, Request, execute},
    loader::Loader,
    parse::CommandLine,
    settings::Settings,
};
use self::{
    flags::Flags, help::Extent, parse::UsageError, retcode::ReturnCodes, settings::RootSource,
    signals::Listener,
};
use crate::{
    class::TaskClass,
    console,
    registry::{self, RegistryError},
};

/// What a program says of itself.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// The task to run when the command line names none.
    pub(crate) default_task: Option<String>,
    /// Values of the core where neither command line nor configuration says one.
    pub(crate) defaults: Vec<(&'static str, String)>,
}

/// How a program ends other than by an exit code of its run.
#[derive(Debug)]
enum Exit {
    /// What was asked for was printed.
    Printed,
    /// The command line makes no sense. Argparse's code.
    Usage(String),
    /// There is no such task, or none was named.
    NoTask(String),
    /// The program could not do its work.
    Unhandled { code: u8, error: String },
}

/// Runs the program with these arguments, of which the first is its own name.
pub(crate) fn main(program: &Program, arguments: &[String]) -> ExitCode {
    console::hold_back_logging();
    let run = AssertUnwindSafe(|| run(program, arguments));
    let result = catch_unwind(run).unwrap_or_else(|_| {
        // The panic's own message has been printed.
        Err(Exit::Unhandled {
            code: retcode::UNHANDLED,
            error: "Uncaught panic; this is a defect of the program".to_owned(),
        })
    });
    let code = match result {
        Ok(code) => code,
        Err(Exit::Printed) => 0,
        Err(Exit::Usage(error)) => {
            let program = program_name(arguments);
            console::write_stderr(&format!(
                "usage: {program} <TASK> [OPTIONS]; see {program} --help\n{program}: error: {error}\n"
            ));
            2
        }
        Err(Exit::NoTask(error)) => {
            console::write_stderr(&format!("{error}\n"));
            1
        }
        Err(Exit::Unhandled { code, error }) => {
            configure_default_logging();
            tracing::error!("{error}");
            code
        }
    };
    ExitCode::from(code)
}

/// Says what was held back, when the settings cannot say how.
pub(crate) fn configure_default_logging() {
    let level = Level::named("DEBUG").expect("it is a level's name");
    logging::configure(Plan::to_stderr(
        level,
        options::own_crates(&registry::all()),
    ));
}

fn run(program: &Program, arguments: &[String]) -> Result<u8, Exit> {
    let sent = elsewhere::sent().map_err(|error| Exit::Unhandled {
        code: retcode::UNHANDLED,
        error: error.to_string(),
    })?;
    // Of a run for a worker on another machine, the worker's arguments count, and not its own.
    let line = sent
        .as_ref()
        .map_or(arguments, |sent| sent.arguments())
        .to_vec();
    let arguments = &line[..];
    let name = program_name(arguments);
    let arguments = arguments.get(1..).unwrap_or_default();
    let classes = registry::all();
    registry::check().map_err(|clash| Exit::NoTask(clash.to_string()))?;
    let (root, arguments) = find_root(program, &classes, arguments)?;
    let flags = Flags::new(&classes, root);
    let read = CommandLine::read(&flags, &arguments)?;
    print_what_is_asked(&name, &flags, &classes, root, &read)?;
    let Some(root) = root else {
        return Err(Exit::NoTask(no_task(&name, &classes)));
    };
    let read = CommandLine::read_strictly(&flags, &arguments)?;
    let settings = Arc::new(settings(program, read)?);
    let codes =
        ReturnCodes::new(&settings).map_err(|error| unhandled(retcode::UNHANDLED, error))?;
    let code = codes.unhandled_exception;
    prepare(&settings, &classes).map_err(|error| unhandled(code, error))?;
    let loader = Arc::new(Loader(Arc::clone(&settings)));
    if let Some(code) = match sent {
        Some(sent) => Some(sent.run(&*loader)),
        None => child::maybe_run(&*loader),
    } {
        // A child's code says only whether it understood its parent.
        return Ok(u8::from(code != ExitCode::SUCCESS));
    }
    if let Some(module) = settings.line().qualified("core", "module") {
        tracing::warn!("--module {module} is ignored: tasks are part of this program");
    }
    let task = build_root(root, &settings).map_err(|error| unhandled(code, error))?;
    run_root(task, &settings, loader, codes, line)
}

/// The root task's class, and the arguments with its name.
///
/// With a default task its flags need no task before them.
fn find_root(
    program: &Program,
    classes: &[&'static TaskClass],
    arguments: &[String],
) -> Result<(Option<&'static TaskClass>, Vec<String>), Exit> {
    let default = match &program.default_task {
        Some(family) => Some(find_class(family, &[])?),
        None => None,
    };
    let line = CommandLine::read(&Flags::new(classes, default), arguments)?;
    let asks = line.version || line.completion.is_some();
    match (line.root, default) {
        _ if asks => Ok((None, arguments.to_vec())),
        (Some(family), _) => {
            let class = find_class(&family, &line.unknown)?;
            Ok((Some(class), arguments.to_vec()))
        }
        (None, Some(class)) => {
            let mut arguments = arguments.to_vec();
            arguments.insert(0, (class.family)());
            Ok((Some(class), arguments))
        }
        (None, None) => Ok((None, arguments.to_vec())),
    }
}

/// A crate that a program depends on but does not name is left out by the linker.
const OTHER_CRATE: &str = "A task of another crate is found once main.rs has \
    `use that_crate as _;`, or App::register::<ThatTask>()";

/// The class of a family. `others` are words of the command line that were not understood.
fn find_class(family: &str, others: &[String]) -> Result<&'static TaskClass, Exit> {
    registry::find(family).map_err(|error| {
        let RegistryError::Unknown { known, .. } = &error else {
            return Exit::NoTask(error.to_string());
        };
        let mut text = match suggest::near(family, known.iter().map(String::as_str)).as_slice() {
            [] => format!(
                "No task {family}. Candidates are: {}\n{OTHER_CRATE}",
                known.join(",")
            ),
            near => format!("No task {family}. Did you mean:\n{}", near.join("\n")),
        };
        if let Some(later) = others.iter().find(|word| known.contains(word)) {
            text.push_str(&format!(
                "\nThe task comes first: {later} before its parameters"
            ));
        }
        Exit::NoTask(text)
    })
}

fn no_task(program: &str, classes: &[&'static TaskClass]) -> String {
    let families: Vec<String> = classes
        .iter()
        .filter(|class| class.build.is_some())
        .map(|class| (class.family)())
        .collect();
    format!(
        "No task specified\nThere are: {}\nFor help: {program} --help",
        families.join(", ")
    )
}

/// Help, version and completion need no run.
fn print_what_is_asked(
    program: &str,
    flags: &Flags,
    classes: &[&'static TaskClass],
    root: Option<&'static TaskClass>,
    line: &CommandLine,
) -> Result<(), Exit> {
    let text = if let Some(shell) = &line.completion {
        let script = help::completion(shell, program, classes).map_err(Exit::Usage)?;
        String::from_utf8(script).expect("clap writes UTF-8")
    } else if line.version {
        format!("{program} (condotta {})\n", env!("CARGO_PKG_VERSION"))
    } else if line.switch("help_all") {
        help::help(program, flags, classes, root, Extent::All).to_string()
    } else if line.switch("help") {
        help::help(program, flags, classes, root, Extent::Usual).to_string()
    } else {
        return Ok(());
    };
    console::write_stdout(&text);
    Err(Exit::Printed)
}

/// What flags, files and the program say together.
fn settings(program: &Program, line: CommandLine) -> Result<Settings, Exit> {
    let config = Config::load_default().map_err(|error| unhandled(retcode::UNHANDLED, error))?;
    let names_a_scheduler = ["scheduler_url", "scheduler_host", "scheduler_port"]
        .iter()
        .any(|name| line.qualified("core", name).is_some());
    let mut settings = Settings::new(config, line);
    for (name, value) in &program.defaults {
        if !(*name == "local_scheduler" && names_a_scheduler) {
            settings.default_core(name, value);
        }
    }
    Ok(settings)
}

/// Sets up the log, tells the tasks of the settings and looks for mistakes in them.
pub(crate) fn prepare(
    settings: &Arc<Settings>,
    classes: &[&'static TaskClass],
) -> Result<(), ExecuteError> {
    if let Some(plan) = options::logging_plan(settings, classes)? {
        logging::configure(plan);
    }
    settings.check(classes)?;
    // Whoever was there first, such as an earlier run in this process, keeps its settings.
    let _ = crate::settings::install(settings::Shared(Arc::clone(settings)));
    Ok(())
}

fn build_root(
    root: &TaskClass,
    settings: &Settings,
) -> Result<TaskHandle, crate::class::ParamError> {
    let build = root.build.expect("only tasks are found");
    let family = (root.family)();
    build(&RootSource {
        family: &family,
        settings,
    })
}

fn run_root(
    task: TaskHandle,
    settings: &Arc<Settings>,
    loader: Arc<Loader>,
    codes: ReturnCodes,
    arguments: Vec<String>,
) -> Result<u8, Exit> {
    let failed = codes.unhandled_exception;
    let root = task.task_id().to_owned();
    let mut request = Request::new(vec![task]);
    request.loader = Some(loader);
    request.arguments = arguments;
    let phase_out: bool = settings
        .require::<bool>("worker", "no_install_shutdown_handler")
        .map(|not| !not)
        .map_err(|error| unhandled(failed, error))?;
    let listener = Listener::start(request.stop.clone(), phase_out)
        .map_err(|error| unhandled(failed, error))?;
    let result = execute(request, settings);
    match (result, listener.exit_code()) {
        (Err(ExecuteError::Locked), _) => Ok(codes.already_running),
        (Err(_), Some(interrupted)) => Ok(interrupted),
        (Err(error), None) => Err(unhandled(failed, error)),
        (Ok(outcome), Some(interrupted)) if !retcode::is_complete(&outcome.summary, &root) => {
            Ok(interrupted)
        }
        (Ok(outcome), _) => Ok(codes.of(&outcome.summary, &root)),
    }
}

/// The end of the program by an error, told with the chain of its sources.
fn unhandled(code: u8, error: impl std::error::Error) -> Exit {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Exit::Unhandled { code, error: text }
}

impl From<UsageError> for Exit {
    fn from(error: UsageError) -> Self {
        Self::Usage(error.to_string())
    }
}

fn program_name(arguments: &[String]) -> String {
    arguments
        .first()
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or("condotta")
        .to_owned()
}
