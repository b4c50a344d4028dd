//! Processes that are forked for one run each.

mod after_fork;
mod channel;
mod child;
mod file;
mod held;
mod prepared;
mod run;
mod shared;
mod signals;
mod start;
mod task;

pub(crate) use after_fork::{lighten_forks, look_at_handlers};
pub(crate) use channel::{Channel, has_come, next_of_queue, next_result};
pub(crate) use child::fork_run;
pub(crate) use file::OwnedFile;
pub(crate) use run::run_task_process;
pub(crate) use signals::{fork, heed_signals, undisturbed};
pub(crate) use start::{create, goes_on, start};
pub(crate) use task::is_described;
