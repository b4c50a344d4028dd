//! A run in the worker's own process: its words go to the scheduler, its events to the listeners.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use condotta_protocol::LogSource;
use condotta_scheduler::{AddTask, Resources, Status};

use crate::{
    BoxError, EventDetail, Private, RunLog, Runnable, SchedulerError, TaskHandle,
    cancel::Cancel,
    execute::Host,
    logs::print,
    messages::MessageQueue,
    running::{End, Outcome},
    shared::Shared,
    task::Reporter,
};

pub(crate) struct WorkerHost<'a> {
    shared: &'a Shared,
    task: &'a TaskHandle,
    attempt: Option<u64>,
    messages: Option<Arc<MessageQueue>>,
    pub(crate) cancel: Arc<Cancel>,
    /// Where what the run prints is kept, if anywhere.
    log: Option<RunLog>,
    /// What of the run's words only this worker may see.
    private: Private,
    /// The process groups in which the run has processes.
    groups: Mutex<BTreeSet<u32>>,
    /// The run asked whether it is to stop, and was told so.
    told_to_stop: AtomicBool,
}

impl<'a> WorkerHost<'a> {
    /// Opens the task's letter box for as long as this lives, if it reads messages.
    pub(crate) fn new(
        shared: &'a Shared,
        task: &'a TaskHandle,
        attempt: Option<u64>,
        cancel: Arc<Cancel>,
        log: Option<RunLog>,
        private: Private,
    ) -> Self {
        let messages = task.accepts_messages().then(Arc::<MessageQueue>::default);
        if let Some(queue) = &messages {
            let queue = Arc::clone(queue);
            let deliver = Arc::new(move |message| queue.send(message));
            shared.routes.open(task.task_id(), deliver);
        }
        Self {
            shared,
            task,
            attempt,
            messages,
            cancel,
            log,
            private,
            groups: Mutex::default(),
            told_to_stop: AtomicBool::new(false),
        }
    }

    pub(crate) fn messages(&self) -> Option<&MessageQueue> {
        self.messages.as_deref()
    }

    /// The process groups of the run, beside that of its own process.
    pub(crate) fn groups(&self) -> Vec<u32> {
        let groups = self.groups.lock().expect("nobody panics with this lock");
        groups.iter().copied().collect()
    }

    /// A run that fails after it was told to stop has done as it was told, and is no failure.
    pub(crate) fn as_stopped(&self, outcome: Outcome) -> Outcome {
        if outcome.status == Status::Failed
            && let Some(by) = self.cancel.by()
        {
            return Outcome::cancelled(self.task.task_id(), &by);
        }
        let end = match outcome.end {
            End::Normal
                if outcome.status == Status::Failed
                    && self.told_to_stop.load(Ordering::Relaxed) =>
            {
                End::Stopped
            }
            end => end,
        };
        Outcome { end, ..outcome }
    }

    /// What a run says may get lost; the run does not fail for it.
    fn said(&self, result: Result<(), SchedulerError>) {
        if let Err(error) = result {
            tracing::warn!(
                target: "luigi-interface",
                "What {} says did not reach the scheduler: {error}",
                self.task.task_id(),
            );
        }
    }
}

impl Drop for WorkerHost<'_> {
    fn drop(&mut self) {
        let task_id = self.task.task_id();
        self.shared.cancels.end(task_id, &self.cancel);
        if self.messages.is_some() {
            self.shared.routes.close(self.task.task_id());
        }
    }
}

impl Reporter for WorkerHost<'_> {
    /// Says again what the task takes: a scheduler may take what is left out for "nothing".
    fn set_tracking_url(&self, url: &str) {
        let task = self.task;
        self.said(self.shared.scheduler.add_task(AddTask {
            status: Status::Running,
            tracking_url: Some(self.private.hide(url).into_owned()),
            resources: Some(task.resources()),
            accepts_messages: Some(task.accepts_messages()),
            retry_policy: task.retry_policy(),
            assistant: self.shared.assistant,
            attempt: self.attempt,
            ..AddTask::new(&self.shared.id, task.task_id())
        }));
        if let Some(observer) = &self.shared.observer {
            observer.task_tracking_url(&**task, url);
        }
    }

    fn set_status_message(&self, message: &str) {
        let task_id = self.task.task_id();
        self.said(
            self.shared
                .scheduler
                .set_task_status_message(task_id, &self.private.hide(message)),
        );
        if let Some(observer) = &self.shared.observer {
            observer.task_status_message(&**self.task, message);
        }
    }

    fn set_progress_percentage(&self, percentage: f64) {
        let task_id = self.task.task_id();
        let scheduler = &self.shared.scheduler;
        self.said(scheduler.set_task_progress_percentage(task_id, percentage));
        if let Some(observer) = &self.shared.observer {
            observer.task_progress(&**self.task, percentage);
        }
    }

    fn decrease_running_resources(&self, decrease: &Resources) {
        let task_id = self.task.task_id();
        let scheduler = &self.shared.scheduler;
        self.said(scheduler.decrease_running_task_resources(task_id, decrease));
    }

    fn progress_event(&self, message: &str) {
        self.event(&**self.task, EventDetail::Progress { message });
    }

    fn respond(&self, message_id: &str, response: &str) {
        let task_id = self.task.task_id();
        let scheduler = &self.shared.scheduler;
        let response = self.private.hide(response);
        self.said(scheduler.add_scheduler_message_response(task_id, message_id, &response));
    }

    fn stop_requested(&self) -> bool {
        let stop = self.shared.is_to_stop() || self.cancel.is_asked();
        self.told_to_stop.fetch_or(stop, Ordering::Relaxed);
        stop
    }

    fn printed(&self, source: &LogSource, text: &[u8]) {
        if let Some(log) = &self.log {
            log.push(source, text);
        }
        print(source, text);
    }

    fn group_started(&self, group: u32) {
        let groups = self.groups.lock();
        groups.expect("nobody panics with this lock").insert(group);
    }

    fn group_ended(&self, group: u32) {
        let groups = self.groups.lock();
        groups.expect("nobody panics with this lock").remove(&group);
    }

    fn is_ended_by_signal(&self) -> bool {
        false
    }
}

impl Host for WorkerHost<'_> {
    fn event(&self, task: &dyn Runnable, event: EventDetail<'_>) {
        self.shared.events.trigger(task, event);
    }

    fn check_complete(&self, task: &dyn Runnable) -> Result<bool, BoxError> {
        self.shared.check_complete(task)
    }

    fn remember_complete(&self, task_id: &str) {
        self.shared.remember_complete(task_id);
    }
}
