//! What the scheduler knows of a task's current or last attempt.

use condotta_scheduler::{Status, Timestamp};

use super::{Running, RunningAttempt};
use crate::{
    attempt_id::AttemptId,
    driver::{CallError, Handle},
};

/// What a worker says of itself that sends what its runs print.
const SENDS_LOGS: &str = "sends_logs";

/// A task's current or last attempt, as the scheduler has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scheduled {
    pub(crate) task_id: String,
    /// 0 before the first.
    pub(crate) attempt: u64,
    pub(crate) began: Timestamp,
    /// It runs now.
    pub(crate) runs: bool,
    pub(crate) worker: String,
    /// The worker sends what its runs print.
    pub(crate) sends_logs: bool,
    /// What the worker said of the last run's end, as it encoded it.
    pub(crate) expl: Option<String>,
}

impl Scheduled {
    /// The attempt's name, if there was one.
    pub(crate) fn id(&self) -> Option<AttemptId> {
        (self.attempt > 0).then(|| AttemptId::new(&self.task_id, self.attempt, self.began))
    }
}

/// Asks the scheduler; `None` when it does not know the task.
pub(crate) async fn scheduled(
    handle: &Handle,
    task_id: &str,
) -> Result<Option<Scheduled>, CallError> {
    let task_id = task_id.to_owned();
    let look = handle.look(move |scheduler, _| {
        scheduler.shown_task(&task_id).map(|task| Scheduled {
            attempt: task.attempt(),
            began: task.time_running().unwrap_or_default(),
            runs: matches!(task.status(), Status::Running | Status::BatchRunning),
            worker: task.worker_running().unwrap_or_default().to_owned(),
            sends_logs: task.worker_claims(SENDS_LOGS),
            expl: task.expl().map(ToOwned::to_owned),
            task_id,
        })
    });
    look.await
}

/// The attempt of a task that runs, asked of the scheduler if need be. `None` if it cannot be asked.
pub(crate) async fn current(
    handle: &Handle,
    running: &Running,
    task_id: &str,
) -> Option<Option<RunningAttempt>> {
    if let Some(found) = running.current(task_id) {
        return Some(Some(found));
    }
    let shown = scheduled(handle, task_id).await.ok()?;
    let found = shown
        .filter(|shown| shown.runs)
        .map(|shown| RunningAttempt {
            id: AttemptId::new(task_id, shown.attempt, shown.began),
            attempt: shown.attempt,
            worker: shown.worker.into(),
        });
    if let Some(found) = &found {
        running.begin(task_id, found.clone());
    }
    Some(found)
}
