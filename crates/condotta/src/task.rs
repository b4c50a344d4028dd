//! What a task is: what it requires, what it makes, and how.
//!
//! Knows nothing of schedulers and command lines; `erased` is what a worker sees of a task.

mod any_task;
mod convert;
mod erased;
mod family;
mod requires;
mod run;

use std::time::Duration;

pub use any_task::{AnyTargets, AnyTask};
pub use condotta_scheduler::{Resources, RetryPolicy};
use condotta_targets::Outputs;
pub use convert::{IntoOwners, IntoResources, IntoResult, IntoSuccess, IntoTimeout};
pub use erased::{outputs_exist, requires_complete};
pub use family::{Namespace, family};
pub use requires::Requires;
pub use run::{Run, Suspended};

use crate::{
    Error, Result,
    class::{ParamError, TaskClass},
    params::{Inherited, Parameters},
};

/// What a task is handed of the tasks that it requires: their outputs in the same shape.
pub type Input<T> = <<T as Task>::Requires as Requires>::Input;

/// What a task writes.
pub type Output<T> = <<T as Task>::Output as Outputs>::Targets;

/// A unit of work with an output, on which other tasks can build.
///
/// Its fields are its parameters, by `#[derive(Task)]`. Put `#[task]` on the `impl`: it takes
/// [`Requires`](Self::Requires) and [`Output`](Self::Output) from the signatures and adds what is
/// absent. No `requires` is none; no `output` is never complete; no `run` does nothing.
///
/// ```
/// use condotta::prelude::*;
///
/// /// Greets.
/// #[derive(Task)]
/// struct Greeting {
///     /// Whom.
///     name: String,
/// }
///
/// #[task]
/// impl Task for Greeting {
///     fn output(&self) -> LocalTarget {
///         LocalTarget::new(format!("greetings/{}.txt", self.name))
///     }
///
///     fn run(&self, run: &Run<Self>) -> Result<()> {
///         Ok(run.output().write(format!("Hello {}!\n", self.name))?)
///     }
/// }
/// ```
///
/// # What `#[task]` takes
///
/// `#[task(external)]`: somebody else makes the output; it is looked for, never made (Luigi's
/// `ExternalTask`). `#[task(wrapper)]`: complete when all that it requires is (Luigi's
/// `WrapperTask`). `#[task(namespace = "…")]` and `#[task(family = "…")]`: the name on the command
/// line, by default the type's.
///
/// ```
/// use condotta::prelude::*;
///
/// /// Comes from elsewhere.
/// #[derive(Task)]
/// struct Measurements {
///     day: Date,
/// }
///
/// #[task(external)]
/// impl Task for Measurements {
///     fn output(&self) -> LocalTarget {
///         LocalTarget::new(format!("/data/{}.csv", self.day))
///     }
/// }
///
/// /// All days of a week or month.
/// #[derive(Task)]
/// struct AllMeasurements {
///     days: DateInterval,
/// }
///
/// #[task(wrapper, namespace = "reports")]
/// impl Task for AllMeasurements {
///     fn requires(&self) -> Vec<Measurements> {
///         self.days.days().map(|day| Measurements { day }).collect()
///     }
/// }
/// ```
///
/// A method may say less than the trait does: `run` may leave out its argument and what it
/// returns, `complete` may return a plain `bool`, `priority` a whole number, `resources` an array
/// such as `[("database", 1)]`.
///
/// # Building tasks
///
/// `Greeting { name: "Eve".to_owned() }` gives every value. The struct's `builder()` takes those
/// that it is not given from the command line (`--Greeting-name`), the configuration (section
/// `[Greeting]`) or defaults:
///
/// ```
/// # use condotta::prelude::*;
/// # #[derive(Task)] struct Greeting { #[param(default = "Eve")] name: String, loud: bool }
/// # #[task] impl Task for Greeting {}
/// let greeting = Greeting::builder().loud(true).build()?;
/// assert_eq!(greeting.name, "Eve");
/// # Ok::<_, condotta::Error>(())
/// ```
///
/// A range, a grid or choices that a parameter has hold for values from Rust code too: they are
/// applied when the task is required or run.
///
/// # Long chains
///
/// Where more than about a hundred classes require one another in a row, the compiler wants
/// `#![recursion_limit = "512"]` at the top of the program.
///
/// # Generic tasks
///
/// The bounds of a generic task stand on the struct as well as on the `impl`. Each of its types is
/// a family of its own, named after its arguments as in `Copy_Weather`, and has to be
/// [registered](crate::registry::register).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "not a task",
    note = "a task has `#[derive(Task)]` on its struct and `#[task] impl Task for {Self} {{ … }}`, if only an empty one"
)]
pub trait Task: Parameters {
    /// The tasks that have to be complete first: one, or any shape of them.
    type Requires: Requires;
    /// The targets that the task makes: one, or any shape of them.
    type Output: Outputs;
    /// The task's name on the command line and to the scheduler, with its namespace.
    fn family() -> String;

    /// Somebody else makes the output.
    const EXTERNAL: bool = false;
    /// The module of the program that the task's code is in.
    const MODULE: &'static str;

    /// What has to be complete first.
    fn requires(&self) -> Self::Requires;

    /// What the task makes.
    fn output(&self) -> Self::Output;

    /// Does the work.
    ///
    /// # Errors
    /// It failed. The scheduler decides about another try.
    fn run(&self, _run: &Run<'_, Self>) -> Result<()> {
        Ok(())
    }

    /// Whether there is nothing to do: by default, whether all outputs exist.
    ///
    /// # Errors
    /// It can't be found out.
    fn complete(&self) -> Result<bool> {
        outputs_exist(self)
    }

    /// Which of these tasks are complete, one answer for each. To be overridden where one question
    /// to a store answers for many.
    ///
    /// # Errors
    /// It can't be found out.
    fn bulk_complete(tasks: &[Self]) -> Result<Vec<bool>> {
        tasks.iter().map(Self::complete).collect()
    }

    /// Higher runs first.
    fn priority(&self) -> f64 {
        0.0
    }

    /// What a run takes of named resources.
    fn resources(&self) -> Resources {
        Resources::new()
    }

    /// How failures are answered; what is `None` is for the scheduler's configuration to say.
    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// How long a run may take before it is stopped. `None` takes the worker's setting, zero is
    /// for ever.
    fn worker_timeout(&self) -> Option<Duration> {
        None
    }

    /// Not to be run now.
    fn disabled(&self) -> bool {
        false
    }

    /// The most tasks in a batch; `None` is no limit.
    fn max_batch_size(&self) -> Option<u64> {
        None
    }

    /// Whether a run reads messages.
    fn accepts_messages(&self) -> bool {
        false
    }

    /// Addresses to tell of failures.
    fn owners(&self) -> Vec<String> {
        Vec::new()
    }

    /// Called after a successful run. What it returns is shown as the task's message.
    ///
    /// # Errors
    /// Then the run counts as failed.
    fn on_success(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Called after a failed run. What it returns is shown as the task's error.
    fn on_failure(&self, error: &Error) -> String {
        erased::error_chain(error)
    }

    /// The task's id, as Luigi would build it.
    fn task_id(&self) -> String {
        erased::task_id_of(Self::class(), &self.values())
    }

    /// A task of another class with the same values where parameters have the same name. Others
    /// come from the command line, the configuration or defaults, as with the class's `builder()`.
    ///
    /// This is what `luigi.util.inherits` and `requires` are for:
    ///
    /// ```
    /// use condotta::prelude::*;
    /// # #[derive(Task)] struct Raw { day: Date, #[param(default = "all")] region: String }
    /// # #[task] impl Task for Raw { fn output(&self) -> LocalTarget { LocalTarget::new("raw") } }
    ///
    /// #[derive(Task)]
    /// struct Clean {
    ///     day: Date,
    ///     deep: bool,
    /// }
    ///
    /// #[task]
    /// impl Task for Clean {
    ///     /// The raw data of the same day, and those of the north.
    ///     fn requires(&self) -> Result<(Raw, Raw), ParamError> {
    ///         Ok((self.clone_as()?, Raw::builder().inherit(self).region("north").build()?))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// A parameter has no value, or its text is none of the other class's type.
    fn clone_as<T: Task>(&self) -> Result<T, ParamError> {
        let mut inherited = Inherited::default();
        inherited.take(self);
        T::from_source(&inherited)
    }
}

/// Settings that are read from a section of the configuration.
///
/// ```
/// use condotta::prelude::*;
///
/// /// Where mail goes.
/// #[derive(Config)]
/// #[config(section = "email")]
/// struct Email {
///     /// The address of the sender.
///     #[param(default = "pipelines@example.com")]
///     sender: String,
/// }
///
/// assert_eq!(Email::get()?.sender, "pipelines@example.com");
/// # Ok::<_, condotta::Error>(())
/// ```
///
/// The section can also be set on the command line: `--email-sender …`.
pub trait Config: Parameters {
    /// Reads the values: from the command line, else the configuration, else defaults.
    ///
    /// # Errors
    /// A value is missing or makes no sense.
    fn get() -> Result<Self, ParamError> {
        Self::from_source(&Inherited::default()).map_err(|error| match error {
            // A section is no task: its flags always carry its name.
            ParamError::Missing { family, param } => ParamError::MissingSetting {
                section: family,
                param,
            },
            error => error,
        })
    }
}

impl TaskClass {
    /// The class of a task type.
    #[must_use]
    pub const fn of_task<T: Task>() -> Self {
        Self {
            family: || T::class().family.clone(),
            type_name: std::any::type_name::<T>,
            description: T::DESCRIPTION,
            params: T::specs,
            build: Some(|source| erased::handle(T::from_source(source)?)),
        }
    }

    /// The class of a config section.
    #[must_use]
    pub const fn of_config<T: Config>() -> Self {
        Self {
            family: || T::class().family.clone(),
            type_name: std::any::type_name::<T>,
            description: T::DESCRIPTION,
            params: T::specs,
            build: None,
        }
    }
}
