//! How tasks are built from text.

use condotta_scheduler::Recipe;

use crate::{BoxError, TaskHandle};

/// Builds tasks from family, module and serialised parameters.
///
/// A worker needs it for tasks that it did not plan itself: the combined task of a batch, a task
/// that another worker announced, and each task that runs in a child process.
pub trait TaskLoader: Send + Sync {
    /// Builds the task. Parameters that the recipe leaves out take their defaults; those with many
    /// values are joined by the parameter's batch method.
    fn load(&self, recipe: &Recipe) -> Result<TaskHandle, LoadError>;
}

/// A task cannot be built from its recipe.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No task of this family is known here.
    #[error("no task {0} in this program")]
    UnknownFamily(String),
    /// The family is known, but the task cannot be built.
    #[error("cannot build a task {family}")]
    Invalid {
        /// The family.
        family: String,
        /// What is wrong.
        source: BoxError,
    },
    /// The worker was made without a loader.
    #[error("cannot build a task {0}: this worker was given no task loader")]
    NoLoader(String),
}
