//! The command lines of the operators' commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValuesParser};
use condotta_history::Outcome;

use crate::error::CODES;

/// Commands that look at a running scheduler or change something there.
#[derive(Debug, Subcommand)]
pub(crate) enum OperateCommand {
    /// List tasks: how many there are, and those that match; what failed comes first
    #[command(after_help = CODES)]
    Tasks(TasksArguments),
    /// Show all that is known of a task, with the error of its last run
    #[command(after_help = CODES)]
    Task(OneTask),
    /// Say what holds a task up, down to the root cause (condotta's scheduler only)
    #[command(after_help = CODES)]
    Why(OneTask),
    /// List workers, or change one
    #[command(after_help = CODES)]
    Workers(WorkersArguments),
    /// List resources with their limits and users, or change a limit
    #[command(after_help = CODES)]
    Resources(ResourcesArguments),
    /// Draw what a task depends on, or what depends on it
    #[command(after_help = CODES)]
    Graph(GraphArguments),
    /// Make failed tasks pending at once, without waiting for the retry delay
    #[command(after_help = CODES)]
    Forgive(ReleasedTasks),
    /// Take running, failed or disabled tasks for done
    #[command(after_help = CODES)]
    Done(SomeTasks),
    /// Let tasks that are disabled be tried again
    #[command(after_help = CODES)]
    Enable(ReleasedTasks),
    /// Keep tasks from being run until they are enabled (condotta's scheduler only)
    #[command(after_help = CODES)]
    Disable(SomeTasks),
    /// Hand out no more work; what runs goes on
    #[command(after_help = CODES)]
    Pause(Common),
    /// Hand out work again
    #[command(after_help = CODES)]
    Unpause(Common),
    /// Show what an attempt of a task printed, also while it runs (condotta's scheduler only)
    #[command(after_help = CODES)]
    Log(LogArguments),
    /// End the run of a task; it is not run again until it is enabled (condotta's scheduler only)
    #[command(after_help = CODES)]
    Cancel(CancelArguments),
    /// List running tasks that take messages, or send one a message and wait for its answer
    #[command(after_help = CODES)]
    Messages(MessagesArguments),
    /// List attempts that are over, or show how long things usually take (condotta's scheduler only)
    #[command(after_help = CODES)]
    History(HistoryArguments),
    /// List what operators changed: who, what and when (condotta's scheduler only)
    #[command(after_help = CODES)]
    Audit(AuditArguments),
    /// Show how the numbers of tasks change, and which tasks begin, end and fail
    #[command(after_help = CODES)]
    Watch(WatchArguments),
    /// List webhooks and how they go, or try whether one works (condotta's scheduler only)
    #[command(after_help = CODES)]
    Webhook(WebhookArguments),
    /// Print a script that completes the words of this command in a shell
    #[command(after_help = CODES)]
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// Where the scheduler is, and how to answer.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// Address of the scheduler, such as http://localhost:8082 or http+unix://%2Frun%2Fcondotta.sock
    /// [default: scheduler_url, or scheduler_host and scheduler_port, of section [core]]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) scheduler_url: Option<String>,
    /// Further configuration file, read last; any number of times
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Vec<PathBuf>,
    /// Answer with JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A command about one task.
#[derive(Args, Debug)]
pub(crate) struct OneTask {
    /// The task: its id, the beginning of its id, or its name with parameters
    pub(crate) task: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A command about tasks that are named one by one.
#[derive(Args, Debug)]
pub(crate) struct SomeTasks {
    /// The tasks: their ids, the beginnings of their ids, or their names with parameters
    #[arg(required = true, value_name = "TASK")]
    pub(crate) tasks: Vec<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A command that releases tasks: some that are named, or all that match.
#[derive(Args, Debug)]
pub(crate) struct ReleasedTasks {
    /// The tasks: their ids, the beginnings of their ids, or their names with parameters
    #[arg(value_name = "TASK", required_unless_present_any = ["all", "family", "search"],
          conflicts_with_all = ["all", "family", "search"])]
    pub(crate) tasks: Vec<String>,
    /// All of them
    #[arg(long)]
    pub(crate) all: bool,
    /// All of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<String>,
    /// All whose name, with parameters, has all of these words in it
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Which tasks to list.
#[derive(Args, Clone, Debug)]
pub(crate) struct TasksArguments {
    /// Only tasks of this status; any number of times
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    pub(crate) status: Vec<StatusName>,
    /// Only tasks of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<String>,
    /// Only tasks whose name, with parameters, has all of these words in it
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// Only tasks that this worker runs, ran last or could run
    #[arg(long, value_name = "WORKER")]
    pub(crate) worker: Option<String>,
    /// List so many tasks at most; 0 is all of them
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A status, as Luigi names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum StatusName {
    Failed,
    Disabled,
    Running,
    BatchRunning,
    Unknown,
    Pending,
    Done,
}

impl StatusName {
    /// All, as they are of interest to people.
    pub(crate) const ALL: [Self; 7] = [
        Self::Failed,
        Self::Disabled,
        Self::Running,
        Self::BatchRunning,
        Self::Unknown,
        Self::Pending,
        Self::Done,
    ];

    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Disabled => "DISABLED",
            Self::Running => "RUNNING",
            Self::BatchRunning => "BATCH_RUNNING",
            Self::Unknown => "UNKNOWN",
            Self::Pending => "PENDING",
            Self::Done => "DONE",
        }
    }
}

/// What to do with webhooks.
#[derive(Args, Debug)]
pub(crate) struct WebhookArguments {
    #[command(subcommand)]
    pub(crate) command: Option<WebhookCommand>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A command about a webhook.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Send a message that says that it is a test, and say whether it was taken
    #[command(after_help = CODES)]
    Test {
        /// The webhook: NAME of its section [webhook NAME]
        name: String,
    },
}

/// What to do with workers.
#[derive(Args, Debug)]
pub(crate) struct WorkersArguments {
    #[command(subcommand)]
    pub(crate) change: Option<WorkerChange>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A change of a worker.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkerChange {
    /// Have a worker run so many tasks at a time, as soon as it asks
    #[command(after_help = CODES)]
    SetProcesses {
        /// The worker's id, or the beginning of it
        worker: String,
        /// How many
        number: u64,
    },
    /// Give a worker no more work; it finishes what it runs, and goes
    #[command(after_help = CODES)]
    Disable {
        /// The worker's id, or the beginning of it
        worker: String,
    },
}

/// What to do with resources.
#[derive(Args, Debug)]
pub(crate) struct ResourcesArguments {
    #[command(subcommand)]
    pub(crate) change: Option<ResourceChange>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A change of a resource.
#[derive(Debug, Subcommand)]
pub(crate) enum ResourceChange {
    /// Set the limit of a resource
    #[command(after_help = CODES)]
    Set {
        /// The resource
        name: String,
        /// How much there is of it
        limit: u64,
    },
}

/// Which graph to draw.
#[derive(Args, Debug)]
pub(crate) struct GraphArguments {
    /// The task: its id, the beginning of its id, or its name with parameters
    pub(crate) task: String,
    /// Draw what depends on the task
    #[arg(long)]
    pub(crate) inverse: bool,
    /// Leave out what is done
    #[arg(long)]
    pub(crate) hide_done: bool,
    /// Draw so many tasks at most; 0 is all of them
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What to do with messages.
#[derive(Args, Debug)]
pub(crate) struct MessagesArguments {
    #[command(subcommand)]
    pub(crate) send: Option<MessagesCommand>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A message.
#[derive(Debug, Subcommand)]
pub(crate) enum MessagesCommand {
    /// Send a running task a message, and print its answer
    #[command(after_help = CODES)]
    Send {
        /// The task: its id, the beginning of its id, or its name with parameters
        task: String,
        /// What to say
        content: String,
        /// Seconds to wait for the answer; 0 is not to wait
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
    },
}

/// What to show of the history.
#[derive(Args, Debug)]
pub(crate) struct HistoryArguments {
    /// Only attempts of this task; or an attempt, of which all that is known is shown
    pub(crate) task: Option<String>,
    /// Only attempts of tasks of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<String>,
    /// Only attempts that this worker ran
    #[arg(long, value_name = "WORKER")]
    pub(crate) worker: Option<String>,
    /// Only attempts that ended so; any number of times
    #[arg(long, value_name = "OUTCOME", value_parser = PossibleValuesParser::new(Outcome::ALL.map(Outcome::name)))]
    pub(crate) outcome: Vec<String>,
    /// Only attempts of tasks with this parameter; any number of times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) param: Vec<String>,
    /// Only attempts that began within this time, such as 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = super::history::length_of)]
    pub(crate) since: Option<f64>,
    /// Show how long things took instead, of the task, the family or all families
    #[arg(long)]
    pub(crate) durations: bool,
    /// List so many attempts at most, up to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) limit: u64,
    /// Go on after this attempt, the last that was listed
    #[arg(long, value_name = "ATTEMPT")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What to show of the audit trail.
#[derive(Args, Debug)]
pub(crate) struct AuditArguments {
    /// Only what this caller did: the name of a token
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Only this operation, such as forgive or set_limit
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Option<String>,
    /// Only what was done to this: the id of a task or worker, or the name of a resource, token or webhook
    #[arg(long, value_name = "NAME")]
    pub(crate) on: Option<String>,
    /// Only what was done within this time, such as 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = super::history::length_of)]
    pub(crate) since: Option<f64>,
    /// List so many entries at most, up to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) limit: u64,
    /// Go on after this entry, the last that was listed
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Which log to show.
#[derive(Args, Debug)]
pub(crate) struct LogArguments {
    /// The task: its id, the beginning of its id, or its name with parameters; or an attempt's id
    #[arg(value_name = "TASK|ATTEMPT")]
    pub(crate) of: String,
    /// Go on with what is printed, until the attempt has ended
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Of which attempt of the task [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) attempt: Option<u64>,
    /// Only so many lines at the end
    #[arg(long, value_name = "LINES")]
    pub(crate) tail: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Which run to end.
#[derive(Args, Debug)]
pub(crate) struct CancelArguments {
    /// The task: its id, the beginning of its id, or its name with parameters
    pub(crate) task: String,
    /// End the run only if it is this attempt of the task
    #[arg(long, value_name = "NUMBER")]
    pub(crate) attempt: Option<u64>,
    /// Seconds to wait for the end of the run; 0 is not to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub(crate) wait: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// How to watch.
#[derive(Args, Debug)]
pub(crate) struct WatchArguments {
    /// Seconds between two looks at a scheduler that tells no changes by itself
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) interval: f64,
    /// End after so many lines
    #[arg(long, value_name = "NUMBER")]
    pub(crate) count: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A shell with completion.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}
