//! Runs that take place on another machine: an engine, such as a cluster, starts the same program there.
//!
//! Both sides see one folder at the same path. The request lies in it, the run's words are written into
//! it, one JSON object a line, and it outlives the worker: whoever runs the task next goes on with what
//! runs already. It knows nothing of clusters; an engine starts a program and says when it has ended.

mod folder;
mod serve;
mod supervise;

use std::path::{Path, PathBuf};

pub use serve::{Sent, sent};
pub(crate) use supervise::supervise;

use crate::{BoxError, RunContext};

/// Says which tasks run elsewhere.
pub trait Engines: Send + Sync {
    /// Where tasks of this family run, if not here.
    fn engine(&self, family: &str) -> Option<&dyn Engine>;

    /// The arguments of this program, of which the first is its name: the other side reads them in place
    /// of its own, since they may have what nobody is to see in a list of processes.
    fn arguments(&self) -> &[String];
}

/// A place where single tasks run.
pub trait Engine: Send + Sync {
    /// The folder that it shares with this machine, at the same path.
    fn folder(&self) -> &Path;

    /// Starts this program for one task, or goes on with what runs for the same call already, and follows
    /// it to its end. What it prints goes to the context, which is asked a few times a second whether the
    /// run is to stop; then it is ended.
    ///
    /// # Errors
    /// It could not be started, or did not end well.
    fn run(&self, call: &Call<'_>, context: &RunContext<'_>) -> Result<(), BoxError>;
}

/// What an engine is to start.
#[derive(Debug)]
pub struct Call<'a> {
    /// The task.
    pub task_id: &'a str,
    /// Its family.
    pub family: &'a str,
    /// What the program is given. It has nothing that is secret in it.
    pub arguments: [String; 2],
    /// A folder for what the engine wants to remember of this task.
    pub folder: PathBuf,
    /// Texts that nobody may see.
    pub secrets: Vec<String>,
}

/// The first of the arguments with which the program is started on the other side.
const FLAG: &str = "--condotta-run";
