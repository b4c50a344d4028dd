//! The worker as its users see it, with tasks in memory.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod events;
mod fake;
mod golden;
mod main_loop;
mod planning;
mod running;
mod tasks;

use std::sync::Arc;

use condotta_worker::{Scheduler, TaskHandle, Worker, WorkerConfig, WorkerOptions};

/// A worker that never waits long.
pub fn quick() -> WorkerConfig {
    WorkerConfig {
        id: "this".to_owned(),
        wait_interval: 0.01,
        wait_jitter: 0.0,
        ..WorkerConfig::default()
    }
}

pub fn worker(scheduler: &Arc<impl Scheduler + 'static>) -> Worker {
    worker_with(scheduler, quick(), WorkerOptions::default())
}

pub fn worker_with(
    scheduler: &Arc<impl Scheduler + 'static>,
    config: WorkerConfig,
    options: WorkerOptions,
) -> Worker {
    let scheduler: Arc<dyn Scheduler> = scheduler.clone();
    Worker::new(scheduler, config, options).unwrap()
}

/// As a task of any kind.
pub fn any(task: &Arc<tasks::Memory>) -> TaskHandle {
    task.clone()
}
