//! What a worker asks of a scheduler, wherever that is.

use std::{sync::Arc, time::Duration};

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, GetWork, PendingCounts, Resources, Work, WorkerMessage,
};

use crate::{LogAnswer, LogBatch};

/// Makes a worker look again whether there is something to do. False when the worker has gone.
pub type Wake = Arc<dyn Fn() -> bool + Send + Sync>;

/// A scheduler did not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The request makes no sense to it; to repeat it is of no use.
    #[error("the scheduler refused {request}: {reason}")]
    Refused {
        /// The request's name.
        request: &'static str,
        /// Why.
        reason: String,
    },
    /// It could not be reached, also not by trying again.
    #[error("cannot reach the scheduler at {url} ({request})")]
    Unreachable {
        /// The request's name.
        request: &'static str,
        /// Where it was looked for.
        url: String,
        /// The last failure.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A scheduler as a worker sees it. Each method is one of Luigi's remote procedure calls.
pub trait Scheduler: Send + Sync {
    /// Announces a task or reports on it.
    fn add_task(&self, request: AddTask) -> Result<(), SchedulerError>;

    /// Announces many tasks, in their order. A scheduler that takes them one by one keeps this.
    fn add_tasks(&self, requests: Vec<AddTask>) -> Result<(), SchedulerError> {
        requests
            .into_iter()
            .try_for_each(|request| self.add_task(request))
    }

    /// Says which tasks may run together.
    fn add_task_batcher(&self, request: AddTaskBatcher) -> Result<(), SchedulerError>;

    /// Says what kind of worker this is.
    fn add_worker(&self, request: AddWorker) -> Result<(), SchedulerError>;

    /// Asks for something to run.
    fn get_work(&self, request: GetWork) -> Result<Work, SchedulerError>;

    /// Asks what is left to do.
    fn count_pending(&self, worker: &str) -> Result<PendingCounts, SchedulerError>;

    /// Says that the worker lives, and fetches its messages.
    fn ping(&self, worker: &str) -> Result<Vec<WorkerMessage>, SchedulerError>;

    /// Why the task can never run as things are, in words, if the scheduler knows. One that cannot
    /// be asked that keeps this.
    fn impossible(&self, _task_id: &str) -> Option<String> {
        None
    }

    /// Says that a task could not be scheduled.
    fn announce_scheduling_failure(
        &self,
        worker: &str,
        task_name: &str,
        family: &str,
        params: &[(String, String)],
        expl: &str,
        owners: &[String],
    ) -> Result<(), SchedulerError>;

    /// Shows what a run says.
    fn set_task_status_message(&self, task_id: &str, message: &str) -> Result<(), SchedulerError>;

    /// Shows how far a run is, in percent.
    fn set_task_progress_percentage(
        &self,
        task_id: &str,
        percentage: f64,
    ) -> Result<(), SchedulerError>;

    /// Gives back a part of what a run takes.
    fn decrease_running_task_resources(
        &self,
        task_id: &str,
        decrease: &Resources,
    ) -> Result<(), SchedulerError>;

    /// Answers a message.
    fn add_scheduler_message_response(
        &self,
        task_id: &str,
        message_id: &str,
        response: &str,
    ) -> Result<(), SchedulerError>;

    /// Has `wake` called after whatever may give a waiting worker something to do, until it
    /// returns false. A scheduler that cannot tell leaves it out: its workers ask now and then.
    fn subscribe(&self, _worker: &str, _wake: Wake) {}

    /// Says what is being done about a run that is to be ended. One that never asks for that keeps this.
    fn answer_cancel(
        &self,
        _worker: &str,
        _task_id: &str,
        _attempt: u64,
        _answer: &str,
    ) -> Result<(), SchedulerError> {
        Ok(())
    }

    /// Whether the scheduler keeps what runs print.
    fn takes_logs(&self, _worker: &str) -> bool {
        false
    }

    /// Keeps what a run printed.
    fn send_log(&self, _worker: &str, _batch: &LogBatch<'_>) -> LogAnswer {
        LogAnswer::NoLogs
    }

    /// How long a worker that waits may sleep. One that nobody wakes sleeps as long as it planned;
    /// a scheduler that wakes it, or that knows when time brings something to do, says otherwise.
    fn until_next_ask(&self, _worker: &str, planned: Duration) -> Duration {
        planned
    }

    /// How often the scheduler was away and came back. It may have forgotten then what it was told.
    fn outages(&self) -> u64 {
        0
    }

    /// Whether the scheduler has this task.
    fn knows(&self, _task_id: &str) -> Result<bool, SchedulerError> {
        Ok(true)
    }

    /// Takes leave: this worker asks for nothing any more, and gives back what it did not finish.
    /// Returns whether the scheduler took that back, so that others may run it. One that has no word
    /// for this finds out by itself.
    fn release(&self, _worker: &str) -> bool {
        false
    }
}
