//! Build pipelines of batch tasks: Luigi's model as a typed Rust DSL with Luigi's command line.
//!
//! # A task
//!
//! A task is a struct. Its fields are its parameters, which tell it from other tasks of its kind;
//! `output` names what it makes, and `run` makes it. A task whose output exists is complete and
//! does not run again.
//!
//! ```
//! use condotta::prelude::*;
//!
//! /// Counts the letters of a word.
//! #[derive(Task)]
//! struct Letters {
//!     /// The word.
//!     word: String,
//! }
//!
//! #[task]
//! impl Task for Letters {
//!     fn output(&self) -> LocalTarget {
//!         LocalTarget::new(format!("letters/{}", self.word))
//!     }
//!
//!     fn run(&self, run: &Run<Self>) -> Result<()> {
//!         Ok(run.output().write(self.word.chars().count())?)
//!     }
//! }
//! ```
//!
//! # Tasks that build on others
//!
//! What `requires` returns has to be complete first. `run.input()` gives the outputs of those tasks
//! in the same shape: here two tasks in an array, so two targets in an array, and the compiler knows
//! of which type.
//!
//! ```
//! # use condotta::prelude::*;
//! # #[derive(Task)] struct Letters { word: String }
//! # #[task] impl Task for Letters { fn output(&self) -> LocalTarget { LocalTarget::new("x") } }
//! /// Adds up the letters of two words.
//! #[derive(Task)]
//! struct Sum;
//!
//! #[task]
//! impl Task for Sum {
//!     fn requires(&self) -> [Letters; 2] {
//!         ["hello", "world"].map(|word| Letters { word: word.to_owned() })
//!     }
//!
//!     fn output(&self) -> LocalTarget {
//!         LocalTarget::new("letters/sum")
//!     }
//!
//!     fn run(&self, run: &Run<Self>) -> Result<()> {
//!         let mut sum = 0;
//!         for letters in run.input() {
//!             sum += letters.read::<usize>()?;
//!         }
//!         Ok(run.output().write(sum)?)
//!     }
//! }
//! ```
//!
//! Any [shape](task::Requires) will do: one task, a tuple, a `Vec`, an `Option`, a map, a struct with
//! `#[derive(Requires)]`, or a `Result` of these. For lists that are mixed at run time there is
//! [`AnyTask`](task::AnyTask). What is known only while the task runs is asked for with
//! [`Run::require`](task::Run::require).
//!
//! # A program of tasks
//!
//! Every task in the program can be run from its command line, which is Luigi's:
//!
//! ```no_run
//! use condotta::prelude::*;
//!
//! fn main() -> ExitCode {
//!     condotta::run()
//! }
//! ```
//!
//! ```text
//! cargo run -- Letters --word hello --local-scheduler
//! cargo run -- Sum --workers 2 --local-scheduler
//! cargo run -- Letters --help
//! ```
//!
//! From Rust code, [`build`] does the same.
//!
//! # Where to read on
//!
//! * [`Task`](task::Task): all that a task can say of itself; external and wrapper tasks, namespaces.
//! * [`derive(Task)`](macro@prelude::Task): defaults, ranges, visibility and the other attributes of
//!   parameters. [`parameter`]: their types.
//! * [`Task::clone_as`](task::Task::clone_as) and `builder()`: tasks that take values over from others,
//!   from the command line and from the configuration. [`Config`](task::Config): settings.
//! * [`target`]: files, stores behind the features `s3`, `sftp` and so on, and other places for outputs. [`event`]: listeners.

// So that what the derive macros write also compiles in here.
extern crate self as condotta;

mod app;
pub mod class;
mod cli;
mod console;
#[cfg(feature = "http")]
pub mod download;
mod engines;
pub mod event;
pub mod parameter;
pub mod params;
pub mod prelude;
mod program;
pub mod registry;
pub mod settings;
pub mod task;

/// The ids of tasks.
pub mod task_id {
    pub use condotta_worker::task_id::task_id;
}

/// What became of tasks: for [`RunResult`].
pub use condotta_worker::{Category, StatusCode, Summary};
/// Where a scheduler is: for [`BuildOptions::scheduler`].
pub use condotta_worker::{Identity, LocalScheduler, RemoteOptions, RemoteScheduler, Scheduler};
/// How urgent it is to stop, and how to say so: for [`BuildOptions::stop`].
pub use condotta_worker::{StopLevel, StopSignal};

pub use app::{App, BuildError, BuildOptions, RunResult, build, run};
/// Tables as outputs, with the features `postgres`, `mysql` and `sqlite`, and snapshots of tables.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use condotta_databases as database;
/// Where outputs are: files, folders, memory.
pub use condotta_targets as target;
pub use event::{on, on_task};
pub use jiff;

/// Programs that a run calls: see [`Run::program`](task::Run::program).
pub mod programs {
    pub use condotta_programs::*;
}

/// Any error, with its chain of sources. What `?` makes of every error type.
pub type Error = condotta_worker::BoxError;

/// A result whose error, unless it says otherwise, may be any.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// For what the macros write.
#[doc(hidden)]
pub mod __private {
    pub use condotta_scheduler::Visibility;
    pub use condotta_worker::TaskHandle;
    pub use inventory;

    pub use crate::params::{Class, Field, Inherited, Parameters};
}
