//! A program of tasks: with Luigi's command line, or called from Rust code.
//!
//! Knows nothing of flags and schedulers; it says what the program is and hands over.

use std::{fmt, process::ExitCode, sync::Arc};

use condotta_config::Config;
use condotta_worker::{Scheduler, StatusCode, StopSignal, Summary, TaskHandle};

use crate::{
    cli::{self, CommandLine, ExecuteError, Loader, Program, Request, Settings},
    console, registry,
    task::{Requires, Task},
};

/// Gives a program Luigi's command line for every task in it. Short for `App::new().main()`.
///
/// ```no_run
/// use condotta::prelude::*;
///
/// fn main() -> ExitCode {
///     condotta::run()
/// }
/// ```
#[must_use]
pub fn run() -> ExitCode {
    App::new().main()
}

/// The long form of [`run`]: for generic tasks, tasks that the linker would leave out, and programs
/// that run without arguments.
///
/// What is said here holds as long as neither the command line nor the configuration says
/// otherwise.
///
/// ```no_run
/// # use condotta::prelude::*;
/// # #[derive(Task)]
/// # struct Report { }
/// # #[task]
/// # impl Task for Report { fn output(&self) -> LocalTarget { LocalTarget::new("report") } }
/// fn main() -> ExitCode {
///     condotta::App::new()
///         .default_task::<Report>()
///         .local_scheduler()
///         .workers(4)
///         .main()
/// }
/// ```
#[derive(Debug, Default)]
pub struct App {
    program: Program,
}

impl App {
    /// A program with the tasks that are linked in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task class: one of a generic type, or one of a crate that the program does not use
    /// otherwise.
    #[must_use]
    pub fn register<T: Task>(self) -> Self {
        registry::register::<T>();
        self
    }

    /// The task to run when the command line names none. Its parameters can be given all the same.
    #[must_use]
    pub fn default_task<T: Task>(mut self) -> Self {
        self.program.default_task = Some(T::class().family.clone());
        self.register::<T>()
    }

    /// Uses a scheduler in this process, unless the command line names another one.
    #[must_use]
    pub fn local_scheduler(self) -> Self {
        self.core("local_scheduler", true)
    }

    /// How many tasks run at a time.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        self.core("workers", workers)
    }

    /// Does what the arguments of this process say.
    #[must_use]
    pub fn main(self) -> ExitCode {
        // Luigi's texts are Unicode; what is none would not be understood anyway.
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        self.main_with(arguments)
    }

    /// Does what these arguments say, of which the first is the program's name.
    #[must_use]
    pub fn main_with(self, arguments: impl IntoIterator<Item = String>) -> ExitCode {
        let arguments: Vec<String> = arguments.into_iter().collect();
        cli::main(&self.program, &arguments)
    }

    fn core(mut self, name: &'static str, value: impl ToString) -> Self {
        self.program.defaults.push((name, value.to_string()));
        self
    }
}

/// Runs tasks from Rust code, with what they require: Luigi's `luigi.build`.
///
/// Configuration is read as for a command line; what `options` say comes before it.
///
/// ```no_run
/// # use condotta::prelude::*;
/// # #[derive(Task)]
/// # struct Report { day: u8 }
/// # #[task]
/// # impl Task for Report { fn output(&self) -> LocalTarget { LocalTarget::new("report") } }
/// use condotta::BuildOptions;
///
/// # fn main() -> condotta::Result<()> {
/// let days = [Report { day: 1 }, Report { day: 2 }];
/// let result = condotta::build(days, BuildOptions::new().local_scheduler().workers(2))?;
/// assert!(result.succeeded(), "{}", result.summary_text());
/// # Ok(()) }
/// ```
///
/// # Errors
/// The tasks could not be run at all. That a task fails is no error: see [`RunResult`].
pub fn build(tasks: impl Requires, options: BuildOptions) -> Result<RunResult, BuildError> {
    let mut handles = Vec::new();
    tasks.into_tasks(&mut handles).map_err(BuildError::Task)?;
    build_handles(handles, options)
}

fn build_handles(tasks: Vec<TaskHandle>, options: BuildOptions) -> Result<RunResult, BuildError> {
    console::hold_back_logging();
    let result = try_build(tasks, options);
    if result.is_err() {
        cli::configure_default_logging();
    }
    result
}

fn try_build(tasks: Vec<TaskHandle>, options: BuildOptions) -> Result<RunResult, BuildError> {
    let config = Config::load_default().map_err(|error| BuildError::Run(Box::new(error)))?;
    let mut settings = Settings::new(config, CommandLine::default());
    settings.override_core("no_lock", options.no_lock);
    for (name, value) in &options.core {
        settings.override_core(name, value);
    }
    let settings = Arc::new(settings);
    cli::prepare(&settings, &registry::all())?;
    let request = Request {
        scheduler: options.scheduler,
        stop: options.stop,
        loader: Some(Arc::new(Loader(Arc::clone(&settings)))),
        ..Request::new(tasks)
    };
    let outcome = cli::execute(request, &settings)?;
    Ok(RunResult {
        summary: outcome.summary,
        summary_text: outcome.summary_text,
        succeeded: outcome.succeeded,
    })
}

/// What [`build`] is told beside its tasks. It comes before the configuration.
#[derive(Clone)]
pub struct BuildOptions {
    core: Vec<(&'static str, String)>,
    no_lock: bool,
    scheduler: Option<Arc<dyn Scheduler>>,
    stop: StopSignal,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            core: Vec::new(),
            no_lock: true,
            scheduler: None,
            stop: StopSignal::new(),
        }
    }
}

impl BuildOptions {
    /// As the configuration says, but without the lock against the same command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses a scheduler in this process, which forgets everything afterwards.
    #[must_use]
    pub fn local_scheduler(self) -> Self {
        self.core("local_scheduler", true)
    }

    /// Uses this scheduler, also for several builds.
    #[must_use]
    pub fn scheduler(mut self, scheduler: Arc<dyn Scheduler>) -> Self {
        self.scheduler = Some(scheduler);
        self
    }

    /// How many tasks run at a time.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        self.core("workers", workers)
    }

    /// From which level on to log: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
    #[must_use]
    pub fn log_level(self, level: &str) -> Self {
        self.core("log_level", level)
    }

    /// Does nothing when the same command runs already.
    #[must_use]
    pub fn lock(mut self) -> Self {
        self.no_lock = false;
        self
    }

    /// Stops when this signal says so. Signals of the operating system are the program's own
    /// business.
    #[must_use]
    pub fn stop(mut self, stop: StopSignal) -> Self {
        self.stop = stop;
        self
    }

    fn core(mut self, name: &'static str, value: impl ToString) -> Self {
        self.core.push((name, value.to_string()));
        self
    }
}

impl fmt::Debug for BuildOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildOptions")
            .field("core", &self.core)
            .field("no_lock", &self.no_lock)
            .finish_non_exhaustive()
    }
}

/// What became of the tasks of a [`build`]: Luigi's `LuigiRunResult`.
#[derive(Debug)]
pub struct RunResult {
    summary: Summary,
    summary_text: String,
    succeeded: bool,
}

impl RunResult {
    /// How it went, in one word.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.summary.status()
    }

    /// Whether all tasks were scheduled without errors and every run ended well; what Luigi calls
    /// `scheduling_succeeded`.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// The execution summary.
    #[must_use]
    pub fn summary_text(&self) -> &str {
        &self.summary_text
    }

    /// `This progress looks :) because …`
    #[must_use]
    pub fn one_line_summary(&self) -> String {
        self.summary.one_line()
    }

    /// The tasks by what became of them.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// Tasks could not be run at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A task was given values that are not permitted.
    #[error("a task cannot be run")]
    Task(#[source] crate::Error),
    /// The same command runs already.
    #[error("the same command runs already")]
    AlreadyRunning,
    /// The configuration cannot be used, there is no scheduler, or the worker could not go on.
    #[error(transparent)]
    Run(crate::Error),
}

impl From<ExecuteError> for BuildError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Locked => Self::AlreadyRunning,
            other => Self::Run(Box::new(other)),
        }
    }
}
