//! The worker: plans a graph of tasks, asks a scheduler for work, runs tasks and reports.
//!
//! It is generic over what a task is ([`Runnable`]) and over where its scheduler is
//! ([`Scheduler`]: in this process, or elsewhere). It knows nothing of the task DSL, of the command
//! line or of any other language.

mod cancel;
pub mod child;
mod claims;
mod completeness;
mod config;
pub mod elsewhere;
mod error;
mod events;
mod execute;
mod get_work;
mod history;
mod host;
mod identity;
mod keep_alive;
mod left;
mod loader;
mod local;
mod logs;
mod main_loop;
mod messages;
mod notifier;
mod observer;
mod panic;
pub mod pid_lock;
mod plan;
mod pool;
mod private;
mod recover;
mod remote;
mod report;
mod running;
mod scheduler;
mod shared;
pub mod steps;
mod stop;
mod summary;
mod task;
pub mod task_id;
mod task_table;
mod worker;

pub use config::{ChildCommand, ConfigError, WorkerConfig, WorkerOptions};
pub use error::WorkerError;
pub use events::{Event, EventDetail, EventKind, WorkerEvents};
pub use loader::{LoadError, TaskLoader};
pub use local::LocalScheduler;
pub use logs::{LogAnswer, LogBatch, LogSink, RunLayer, RunLog, RunLogs, run_span};
pub use messages::{Messages, TaskMessage};
pub use notifier::Notifier;
pub use observer::{Observer, TaskCounts};
pub use private::Private;
pub use remote::{
    AddressError, HttpClient, HttpFailure, Identity, Lookups, Outlook, RemoteError, RemoteLogs,
    RemoteOptions, RemoteScheduler,
};
pub use scheduler::{Scheduler, SchedulerError, Wake};
pub use stop::{StopLevel, StopSignal};
pub use summary::{Category, Sorting, StatusCode, Summarized, Summary};
pub use task::{BoxError, ParamInfo, RunContext, RunOutcome, Runnable, TaskHandle};
pub use worker::Worker;
