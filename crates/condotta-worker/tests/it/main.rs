//! The worker as its users see it, with tasks in memory.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod events;
mod fake;
mod golden;
mod local;
mod main_loop;
mod planning;
mod recovery;
mod running;
mod scenario;
mod tasks;

use std::sync::Arc;

use condotta_worker::{Scheduler, TaskHandle, Worker, WorkerOptions};
pub use tasks::{quick, worker_with};

pub fn worker(scheduler: &Arc<impl Scheduler + 'static>) -> Worker {
    worker_with(scheduler, quick(), WorkerOptions::default())
}

/// As a task of any kind.
pub fn any(task: &Arc<tasks::Memory>) -> TaskHandle {
    task.clone()
}
