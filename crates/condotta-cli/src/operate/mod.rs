//! The operators' commands: they look at a scheduler that runs, or change something there.
//!
//! They speak Luigi's remote procedure calls, so that stock luigid answers them, too. What only
//! condotta's scheduler has they say plainly. Each command is one file here.

mod answer;
mod arguments;
mod audit;
mod cancel;
mod change;
mod completion;
mod connection;
mod find;
mod graph;
mod harmless;
mod history;
mod log;
mod messages;
mod pause;
mod resources;
mod task;
mod tasks;
mod time;
mod view;
mod watch;
mod webhook;
mod why;
mod workers;

use self::change::Change;
pub(crate) use self::{
    answer::{Answer, print, table},
    arguments::{Common, OperateCommand},
    connection::{Scheduler, escaped, without_user},
};
use crate::error::Failure;

/// Does what the command says.
pub(crate) fn run(command: &OperateCommand) -> Result<(), Failure> {
    let (answer, as_json) = match command {
        OperateCommand::Tasks(arguments) => (tasks::run(arguments)?, arguments.common.json),
        OperateCommand::Task(arguments) => (task::run(arguments)?, arguments.common.json),
        OperateCommand::Why(arguments) => (why::run(arguments)?, arguments.common.json),
        OperateCommand::Workers(arguments) => (workers::run(arguments)?, arguments.common.json),
        OperateCommand::Resources(arguments) => (resources::run(arguments)?, arguments.common.json),
        OperateCommand::Graph(arguments) => (graph::run(arguments)?, arguments.common.json),
        OperateCommand::Forgive(tasks) => {
            (change::release(Change::Forgive, tasks)?, tasks.common.json)
        }
        OperateCommand::Done(tasks) => (change::run(Change::Done, tasks)?, tasks.common.json),
        OperateCommand::Enable(tasks) => {
            (change::release(Change::Enable, tasks)?, tasks.common.json)
        }
        OperateCommand::Disable(tasks) => (change::run(Change::Disable, tasks)?, tasks.common.json),
        OperateCommand::Pause(common) => (pause::run(true, common)?, common.json),
        OperateCommand::Unpause(common) => (pause::run(false, common)?, common.json),
        OperateCommand::Messages(arguments) => (messages::run(arguments)?, arguments.common.json),
        OperateCommand::Webhook(arguments) => (webhook::run(arguments)?, arguments.common.json),
        OperateCommand::Audit(arguments) => (audit::run(arguments)?, arguments.common.json),
        OperateCommand::History(arguments) => (history::run(arguments)?, arguments.common.json),
        OperateCommand::Log(arguments) => return log::run(arguments),
        OperateCommand::Cancel(arguments) => (cancel::run(arguments)?, arguments.common.json),
        OperateCommand::Watch(arguments) => return watch::run(arguments),
        OperateCommand::Completion { shell } => (completion::run(*shell), false),
    };
    answer.print(as_json)
}
