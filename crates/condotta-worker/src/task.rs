//! What the worker needs to know of a task.

use std::{any::Any, fmt, sync::Arc};

use condotta_protocol::LogSource;
use condotta_scheduler::{Resources, RetryPolicy, Visibility};

use crate::{
    logs::print,
    messages::{MessageQueue, Messages},
    private::HIDDEN,
};

/// Any error of a task's own code; its chain of sources is shown to people.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A task of any kind, shared.
pub type TaskHandle = Arc<dyn Runnable>;

/// A parameter of a task, for the scheduler and for the execution summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamInfo {
    /// Its name.
    pub name: String,
    /// Its serialised value.
    pub value: String,
    /// Whether it is part of the task's identity.
    pub significant: bool,
    /// Who may see it.
    pub visibility: Visibility,
}

impl ParamInfo {
    /// The value as log lines and the summary have it: `***` for what is private. Nothing at all is no secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self.visibility {
            Visibility::Private if !self.value.is_empty() => HIDDEN,
            _ => &self.value,
        }
    }
}

/// A task that a worker can check, plan and run.
///
/// Identity is the [`task_id`](Self::task_id): two tasks of one id are one task.
pub trait Runnable: Send + Sync {
    /// The stable id, as [Luigi builds it](crate).
    fn task_id(&self) -> &str;

    /// The family, with its namespace.
    fn family(&self) -> &str;

    /// Where the code is, for a scheduler that hands the task to another worker: `rust:` and the name
    /// of the program, whose workers alone can run it, or a module of Python.
    fn module(&self) -> Option<&str> {
        None
    }

    /// The task itself, for listeners that know its type.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// All parameters in declaration order.
    fn params(&self) -> Vec<ParamInfo>;

    /// The serialised value that follows `value` in this parameter's natural order, as for whole
    /// numbers and dates. The execution summary shortens what follows on one another to a range.
    fn next_in_enumeration(&self, _param: &str, _value: &str) -> Option<String> {
        None
    }

    /// `Family(name=value, …)` over significant parameters in declaration order. What private ones hold is not
    /// shown: the name is in log lines and in the summary.
    fn display_name(&self) -> String {
        let shown: Vec<String> = self
            .params()
            .iter()
            .filter(|param| param.significant)
            .map(|param| format!("{}={}", param.name, param.shown()))
            .collect();
        format!("{}({})", self.family(), shown.join(", "))
    }

    /// Whether there is nothing to do.
    fn complete(&self) -> Result<bool, BoxError>;

    /// What has to be complete before this task can run.
    fn dependencies(&self) -> Result<Vec<TaskHandle>, BoxError>;

    /// The outputs that do not exist, as people name them; for error messages only.
    fn missing_outputs(&self) -> Vec<String> {
        Vec::new()
    }

    /// Does the work.
    fn run(&self, context: &RunContext<'_>) -> Result<RunOutcome, BoxError>;

    /// Whether somebody else makes the output: it is looked for, never made.
    fn is_external(&self) -> bool {
        false
    }

    /// Higher runs first.
    fn priority(&self) -> f64 {
        0.0
    }

    /// What a run takes of named resources.
    fn resources(&self) -> Resources {
        Resources::new()
    }

    /// How failures are answered.
    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// Seconds after which a run is stopped: `None` takes the worker's setting, 0 is never.
    fn worker_timeout(&self) -> Option<f64> {
        None
    }

    /// Not to be run now.
    fn disabled(&self) -> bool {
        false
    }

    /// The parameters that may differ within a batch; empty when tasks of the family run alone.
    fn batch_params(&self) -> Vec<String> {
        Vec::new()
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
    fn on_success(&self) -> Result<Option<String>, BoxError> {
        Ok(None)
    }

    /// Called after a failed run with the failure. What it returns is shown as the task's error;
    /// by default the error with the chain of its sources.
    fn on_failure(&self, error: &BoxError) -> String {
        error_chain(error)
    }
}

/// The error and what caused it, one a line.
pub(crate) fn error_chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl fmt::Debug for dyn Runnable + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display_name())
    }
}

/// How a run ended that did not fail.
#[derive(Debug)]
pub enum RunOutcome {
    /// The work is done.
    Done,
    /// The run needs these first; not all of them are complete. It starts again from the top when
    /// they are.
    Requires(Vec<TaskHandle>),
}

/// What a running task can say and ask.
pub struct RunContext<'a> {
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) messages: Option<&'a MessageQueue>,
}

/// Where a run's words go: the scheduler, or the parent process.
pub(crate) trait Reporter: Send + Sync {
    fn set_tracking_url(&self, url: &str);
    fn set_status_message(&self, message: &str);
    fn set_progress_percentage(&self, percentage: f64);
    fn decrease_running_resources(&self, decrease: &Resources);
    fn progress_event(&self, message: &str);
    fn respond(&self, message_id: &str, response: &str);
    fn stop_requested(&self) -> bool;
    fn printed(&self, source: &LogSource, text: &[u8]);
    fn group_started(&self, group: u32);
    fn group_ended(&self, group: u32);
    fn is_ended_by_signal(&self) -> bool;
}

/// Hears nothing and passes nothing on.
struct Nobody;

impl Reporter for Nobody {
    fn set_tracking_url(&self, _: &str) {}
    fn set_status_message(&self, _: &str) {}
    fn set_progress_percentage(&self, _: f64) {}
    fn decrease_running_resources(&self, _: &Resources) {}
    fn progress_event(&self, _: &str) {}
    fn respond(&self, _: &str, _: &str) {}
    fn stop_requested(&self) -> bool {
        false
    }
    fn printed(&self, source: &LogSource, text: &[u8]) {
        print(source, text);
    }
    fn group_started(&self, _: u32) {}
    fn group_ended(&self, _: u32) {}
    fn is_ended_by_signal(&self) -> bool {
        false
    }
}

impl RunContext<'static> {
    /// A context whose words nobody hears: to run a task without a worker, as tests do.
    #[must_use]
    pub fn detached() -> Self {
        Self {
            reporter: &Nobody,
            messages: None,
        }
    }
}

impl RunContext<'_> {
    /// Says where the run can be watched.
    pub fn set_tracking_url(&self, url: &str) {
        self.reporter.set_tracking_url(url);
    }

    /// Says what the run does.
    pub fn set_status_message(&self, message: &str) {
        self.reporter.set_status_message(message);
    }

    /// Says how far the run is, in percent.
    pub fn set_progress_percentage(&self, percentage: f64) {
        self.reporter.set_progress_percentage(percentage);
    }

    /// Gives back a part of what the run takes.
    pub fn decrease_running_resources(&self, decrease: &Resources) {
        self.reporter.decrease_running_resources(decrease);
    }

    /// Triggers `event.core.progress` with a message for the program's listeners.
    pub fn trigger_progress(&self, message: &str) {
        self.reporter.progress_event(message);
    }

    /// The messages that were sent to this run.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages {
            queue: self.messages,
            reporter: self.reporter,
        }
    }

    /// Whether the program is to stop now. A long run looks at this now and then, and returns an
    /// error when it is so. That is no failure to a scheduler that takes runs back, as ours does.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.reporter.stop_requested()
    }

    /// Takes what a program of the run printed to its standard output: it appears there, and in the run's log.
    pub fn program_printed(&self, text: &[u8]) {
        self.reporter.printed(&LogSource::Stdout, text);
    }

    /// The same for standard error.
    pub fn program_complained(&self, text: &[u8]) {
        self.reporter.printed(&LogSource::Stderr, text);
    }

    /// The run has processes in this process group. Whoever ends the run from outside waits until the
    /// group is empty, too, and makes who does not go. A run that has a thread in place of a process
    /// ends its groups itself.
    pub fn group_started(&self, group: u32) {
        self.reporter.group_started(group);
    }

    /// Whether the run has a process of its own, which gets SIGTERM when the run is to end.
    #[must_use]
    pub fn is_ended_by_signal(&self) -> bool {
        self.reporter.is_ended_by_signal()
    }

    /// The process group is empty again.
    pub fn group_ended(&self, group: u32) {
        self.reporter.group_ended(group);
    }
}
