//! Who hears of what happens in the scheduler: metrics, the log.

use condotta_scheduler::{Event, Scheduler};

/// Hears of every event, in order, on the scheduler's thread: it must not wait for anything.
pub trait Observer: Send {
    /// The server begins with this scheduler. What it was restored from happened without events.
    fn start(&mut self, _scheduler: &Scheduler) {}

    /// Something happened in `scheduler`, a moment ago. It may not be durable yet.
    fn observe(&mut self, event: &Event, scheduler: &Scheduler);

    /// The stored state was read anew, so some of what was told may not have happened.
    fn begin_anew(&mut self, _scheduler: &Scheduler) {}
}

/// Logs what an operator should know of without looking.
pub(crate) struct Log;

impl Observer for Log {
    fn observe(&mut self, event: &Event, _scheduler: &Scheduler) {
        match event {
            // As stock workers that ended well: they take no leave.
            Event::WorkerLost {
                worker,
                runs: 0,
                silent_secs,
                ..
            } => tracing::info!(
                "worker {worker} has not been heard of for {silent_secs:.0} s and ran nothing"
            ),
            Event::WorkerLost { worker, .. } => {
                tracing::warn!("worker {worker} was silent for too long: what it ran has failed");
            }
            Event::DisabledByFailures { task_id, .. } => {
                tracing::warn!("task {task_id} failed too often and is disabled");
            }
            Event::CancelAsked {
                task_id,
                attempt,
                worker,
                by,
                ..
            } => tracing::info!(
                "{by} wants the run of task {task_id} (attempt {attempt}, worker {worker}) ended"
            ),
            Event::CancelRefused {
                task_id,
                attempt,
                worker,
                answer,
                ..
            } => tracing::warn!(
                "worker {worker} cannot end the run of task {task_id} (attempt {attempt}), which goes on: {answer}"
            ),
            Event::DeadEnd {
                task_id, reason, ..
            } => tracing::warn!("task {task_id} can never run: {reason}"),
            _ => {}
        }
    }
}
