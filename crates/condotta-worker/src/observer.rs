//! What a live display is told.

use condotta_scheduler::Status;

use crate::Runnable;

/// Numbers of tasks of this worker's graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// All that were planned or loaded.
    pub total: u64,
    /// Complete before anything ran.
    pub already_done: u64,
    /// Ran and are done.
    pub done: u64,
    /// Failed, and were not run again since.
    pub failed: u64,
    /// Run here now.
    pub running: u64,
    /// Wait.
    pub pending: u64,
    /// Could not be scheduled, or are disabled.
    pub unschedulable: u64,
}

/// A live display. Methods are called from the worker's threads and must return quickly.
pub trait Observer: Send + Sync {
    /// A task was planned and has this status.
    fn task_planned(&self, _task: &dyn Runnable, _status: Status, _counts: &TaskCounts) {}

    /// Planning is over; the main loop starts.
    fn run_started(&self, _counts: &TaskCounts) {}

    /// A task starts to run.
    fn task_started(&self, _task: &dyn Runnable, _counts: &TaskCounts) {}

    /// A task's run ended: done, failed, or pending again for dependencies found while running.
    fn task_finished(&self, _task: &dyn Runnable, _status: Status, _counts: &TaskCounts) {}

    /// A running task says how far it is, in percent.
    fn task_progress(&self, _task: &dyn Runnable, _percentage: f64) {}

    /// A running task says what it does.
    fn task_status_message(&self, _task: &dyn Runnable, _message: &str) {}

    /// A running task says where it can be watched.
    fn task_tracking_url(&self, _task: &dyn Runnable, _url: &str) {}

    /// The main loop is over.
    fn run_finished(&self, _counts: &TaskCounts) {}
}
