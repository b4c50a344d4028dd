//! What a program knows of its task classes: for the command line, and to build tasks from text.
//!
//! `#[derive(Task)]` and `#[derive(Config)]` make one [`TaskClass`] each and register it with
//! `inventory`.

use condotta_scheduler::Visibility;
use condotta_worker::TaskHandle;

/// A task family (or a config section) with its parameters.
pub struct TaskClass {
    /// The family with its namespace, or the section's name.
    pub family: fn() -> String,
    /// The Rust path of the type, to tell two classes of one family apart.
    pub type_name: fn() -> &'static str,
    /// The doc comment.
    pub description: &'static str,
    /// The parameters in declaration order.
    pub params: fn() -> Vec<ParamSpec>,
    /// Builds a task; `None` for a config section.
    pub build: Option<BuildTask>,
}

/// Builds a task from texts.
pub type BuildTask = fn(&dyn ParamSource) -> Result<TaskHandle, ParamError>;

inventory::collect!(TaskClass);

/// One parameter of a class.
#[derive(Clone, Debug)]
pub struct ParamSpec {
    /// The name, with `_`; on the command line `_` becomes `-`.
    pub name: &'static str,
    /// The doc comment or the `description`, and what the type adds (choices, permitted range).
    pub description: String,
    /// How it is given on the command line.
    pub flag: FlagKind,
    /// The form of a value in the help, such as `YYYY-MM-DD`; may be empty.
    pub form: &'static str,
    /// The serialised default; `None` when the parameter is required.
    pub default: Option<String>,
    /// Part of the task's identity.
    pub significant: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// May be given without its name where a constructor takes positional values.
    pub positional: bool,
    /// Tasks that differ here may run as one.
    pub batchable: bool,
    /// Listed by `--help` also for tasks other than the root.
    pub always_in_help: bool,
    /// The values that can be given, where they are few.
    pub choices: Vec<String>,
    /// Another section and name in the configuration, looked at after the family's own section.
    pub config: Option<(&'static str, &'static str)>,
}

/// How a parameter is given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    /// `--name value`.
    Value,
    /// `--name` alone means true (Luigi's implicit bool).
    Switch,
    /// `--name`, or `--name true|false` (Luigi's explicit bool).
    OptionalBool,
}

/// Where the text of a parameter's value was found; for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given with the task itself: the root task's flag, or by the scheduler.
    Given,
    /// A task-qualified flag of the command line.
    CommandLine,
    /// The configuration, with file, line and section where known.
    Config(Option<String>),
}

impl Origin {
    /// What to add to a message on a value of this origin; nothing where the user just gave it.
    fn place(&self, family: &str, param: &str) -> String {
        let flag = flag(family, param);
        match self {
            Self::Given => String::new(),
            Self::CommandLine => format!(" (from {flag})"),
            Self::Config(place) => {
                let place = place.as_deref().unwrap_or("configuration");
                format!(" ({place}); correct it there, or give {flag}")
            }
        }
    }
}

/// The flag that says for which class it is.
fn flag(family: &str, param: &str) -> String {
    format!("--{family}-{param}").replace('_', "-")
}

/// Where the texts of parameters come from, when a task is not built by Rust code.
///
/// In this order: given with the task itself, task-qualified flags, configuration.
pub trait ParamSource {
    /// The text for this parameter of this family, or `None` for the default. More than one text
    /// are a batch's members, to be joined by the parameter's batch method.
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)>;
}

/// A task can't be built from text.
#[derive(Debug, thiserror::Error)]
pub enum ParamError {
    /// A parameter has no default and was not given.
    #[error("{family}: missing parameter {param}: give --{flag}, or set it in section [{family}] of the configuration", flag = param.replace('_', "-"))]
    Missing {
        /// The task's family.
        family: String,
        /// The parameter.
        param: String,
    },
    /// A setting has no default and was not given.
    #[error("[{section}] says no {param}, which has no default: set it in section [{section}] of the configuration, or give {flag}", flag = flag(section, param))]
    MissingSetting {
        /// The section.
        section: String,
        /// The parameter.
        param: String,
    },
    /// A text is no value of the parameter's type.
    #[error("{family}: parameter {param}: {value:?} is not valid: {reason}{place}", place = origin.place(family, param))]
    Invalid {
        /// The task's family.
        family: String,
        /// The parameter.
        param: String,
        /// The text.
        value: String,
        /// What is wrong, and what would be right.
        reason: String,
        /// Where the text was found.
        origin: Origin,
    },
    /// Nobody knows a parameter of this name.
    #[error("{family} has no parameter {param}")]
    Unknown {
        /// The task's family.
        family: String,
        /// The name.
        param: String,
    },
}
