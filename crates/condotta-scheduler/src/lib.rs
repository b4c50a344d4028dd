//! The scheduler: which task runs next, on which worker.
//!
//! A pure state machine. Requests carry the time ([`Now`]), answers are values, and what happened
//! leaves as events. There is no clock, no randomness, no I/O and no thread in this crate, and no
//! request of a worker walks all tasks: equal requests give equal answers, byte for byte.
//!
//! The methods of [`Scheduler`] are of four kinds:
//!
//! * requests, named as Luigi's remote procedure calls (`add_task`, `get_work`, `ping`, …);
//! * time: [`Scheduler::poll_timeout`] says when something is due, [`Scheduler::handle_timeout`]
//!   does it (`prune`, Luigi's name for it, is the same);
//! * outputs: [`Scheduler::poll_event`], [`Scheduler::take_wakeups`];
//! * views, which change nothing: `task_list`, `dep_graph`, `worker_list`, …. The long ones can be
//!   read in steps, between which the scheduler may change: [`TaskListRead`], [`GraphRead`], ….
//!
//! ```
//! use condotta_scheduler::{AddTask, Assignment, Config, GetWork, Now, Scheduler};
//!
//! let mut scheduler = Scheduler::new(Config::default(), Default::default(), 0);
//! scheduler.add_task(Now::at(0.0), AddTask::new("worker", "Hello__99914b932b"))?;
//! let request = GetWork { worker: "worker".into(), ..GetWork::default() };
//! let work = scheduler.get_work(Now::at(1.0), request)?;
//! assert!(matches!(work.assignment, Assignment::Task { attempt: 1, .. }));
//! # Ok::<(), condotta_scheduler::Refusal>(())
//! ```

#![no_std]

extern crate alloc;

mod add_task;
mod attempt;
mod batch;
mod cancel;
mod changes;
mod config;
mod dead_end;
mod error;
mod event;
mod figures;
mod get_work;
mod index;
mod invariants;
mod lifetime;
mod links;
mod membership;
mod names;
mod operator;
mod params;
mod pool;
mod program;
mod prune;
mod queue;
mod read;
mod read_graph;
mod read_workers;
mod record;
mod release;
mod reply;
mod request;
mod resource;
mod restore;
mod saved;
mod scheduler;
mod shown;
mod shown_detail;
mod status;
mod task;
mod tasks;
mod time;
mod upstream;
mod view;
mod view_graph;
mod view_worker;
mod wakeup;
mod walk;
mod why;
mod worker;

pub use changes::RecordCursor;
pub use config::Config;
pub use error::Refusal;
pub use event::{AttemptEnd, DeadEnd, Event};
pub use figures::{Figures, ResourceFigures};
pub use read::{TaskListRead, TaskSearchRead};
pub use read_graph::{GraphRead, NodeKind, ShownNode};
pub use read_workers::{ResourceListRead, ResourceTotal, WorkerListRead};
pub use record::*;
pub use reply::*;
pub use request::*;
pub use saved::SavedState;
pub use scheduler::{Answer, Scheduler};
pub use shown::{ShownTask, ShownWorker};
pub use shown_detail::Neighbour;
pub use time::{Now, Timestamp};
pub use view_worker::ResourceUse;
pub use wakeup::Wakeups;
pub use walk::{Seen, TaskWalk};
pub use why::{
    Absence, Candidate, Cause, Disabled, DisabledBy, Failed, Hold, Lacking, NoWorker, Path, Run,
    TaskName, Waiting, Why, WhyRead, Word,
};
