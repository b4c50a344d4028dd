//! The scheduler itself.
#![allow(unused_variables, clippy::unused_self, reason = "signatures first")]

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use crate::*;

/// Decides which task runs next, on which worker.
pub struct Scheduler {
    config: Config,
}

/// The answer to a request.
pub type Answer<T> = Result<T, Refusal>;

impl Scheduler {
    /// A scheduler without tasks. `seed` decides the ids of messages.
    #[must_use]
    pub fn new(config: Config, limits: BTreeMap<String, u64>, seed: u64) -> Self {
        Self { config }
    }
    /// Announces a task, or reports on it.
    pub fn add_task(&mut self, now: Now, request: AddTask) -> Answer<()> {
        Ok(())
    }
    /// Says that a worker can run tasks of a family together.
    pub fn add_task_batcher(&mut self, now: Now, request: AddTaskBatcher) -> Answer<()> {
        Ok(())
    }
    /// Adds to what is known of a worker.
    pub fn add_worker(&mut self, now: Now, request: AddWorker) -> Answer<()> {
        Ok(())
    }
    /// Hands out the best task.
    pub fn get_work(&mut self, now: Now, request: GetWork) -> Answer<Work> {
        Err(Refusal::Empty { what: "scheduler" })
    }
    /// Counts.
    pub fn count_pending(&mut self, now: Now, worker: &str) -> Answer<PendingCounts> {
        Err(Refusal::Empty { what: "scheduler" })
    }
    /// Alive; fetches messages.
    pub fn ping(&mut self, now: Now, worker: &str) -> Answer<Vec<WorkerMessage>> {
        Ok(Vec::new())
    }
    /// A worker could not announce a task.
    pub fn announce_scheduling_failure(
        &mut self,
        now: Now,
        failure: SchedulingFailure,
    ) -> Answer<()> {
        Ok(())
    }
    /// What a run says.
    pub fn set_task_status_message(
        &mut self,
        now: Now,
        task_id: &str,
        message: Option<String>,
    ) -> Answer<()> {
        Ok(())
    }
    /// How far a run is.
    pub fn set_task_progress_percentage(
        &mut self,
        now: Now,
        task_id: &str,
        percentage: Option<f64>,
    ) -> Answer<()> {
        Ok(())
    }
    /// Gives back resources.
    pub fn decrease_running_task_resources(
        &mut self,
        now: Now,
        task_id: &str,
        decrease: Resources,
    ) -> Answer<()> {
        Ok(())
    }
    /// Answer of a run.
    pub fn add_scheduler_message_response(
        &mut self,
        now: Now,
        task_id: &str,
        message_id: &str,
        response: String,
    ) -> Answer<()> {
        Ok(())
    }
    /// Figures of a run, JSON text.
    pub fn report_task_statistics(
        &mut self,
        now: Now,
        task_id: &str,
        statistics: String,
    ) -> Answer<()> {
        Ok(())
    }
    /// Failed to pending.
    pub fn forgive_failures(&mut self, now: Now, task_id: &str) -> Answer<Option<Status>> {
        Ok(None)
    }
    /// Done by hand.
    pub fn mark_as_done(&mut self, now: Now, task_id: &str) -> Answer<Option<Status>> {
        Ok(None)
    }
    /// Enables again what failures disabled.
    pub fn re_enable_task(&mut self, now: Now, task_id: &str) -> Answer<Option<TaskView>> {
        Ok(None)
    }
    /// Disables a worker.
    pub fn disable_worker(&mut self, now: Now, worker: &str) -> Answer<()> {
        Ok(())
    }
    /// Queues a message.
    pub fn set_worker_processes(&mut self, now: Now, worker: &str, n: u64) -> Answer<()> {
        Ok(())
    }
    /// Queues a message; its id, unless messages are off.
    pub fn send_scheduler_message(
        &mut self,
        now: Now,
        worker: &str,
        task_id: &str,
        content: String,
    ) -> Answer<Option<String>> {
        Ok(None)
    }
    /// Takes the answer.
    pub fn get_scheduler_message_response(
        &mut self,
        now: Now,
        task_id: &str,
        message_id: &str,
    ) -> Answer<Option<String>> {
        Ok(None)
    }
    /// Stops handing out.
    pub fn pause(&mut self, now: Now) -> Answer<()> {
        Ok(())
    }
    /// Hands out again.
    pub fn unpause(&mut self, now: Now) -> Answer<()> {
        Ok(())
    }
    /// Sets limits.
    pub fn update_resources(&mut self, now: Now, limits: BTreeMap<String, u64>) -> Answer<()> {
        Ok(())
    }
    /// Sets one limit.
    pub fn update_resource(&mut self, now: Now, resource: &str, amount: u64) -> Answer<()> {
        Ok(())
    }
    /// As [`handle_timeout`](Self::handle_timeout).
    pub fn prune(&mut self, now: Now) -> Answer<()> {
        Ok(())
    }
    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {}
    /// When to call `handle_timeout` next (monotonic).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }
    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// The question `task_list`.
    #[must_use]
    pub fn task_list(&self, query: &TaskListQuery) -> TaskList {
        TaskList::TooMany(None)
    }
    /// Tasks whose id contains a text, by status.
    #[must_use]
    pub fn task_search(&self, text: &str) -> BTreeMap<Status, BTreeMap<String, TaskView>> {
        BTreeMap::new()
    }
    /// Everything.
    #[must_use]
    pub fn graph(&self) -> Vec<(String, GraphNode)> {
        Vec::new()
    }
    /// What a task depends on.
    #[must_use]
    pub fn dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        Vec::new()
    }
    /// What depends on a task.
    #[must_use]
    pub fn inverse_dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        Vec::new()
    }
    /// The workers, newest first.
    #[must_use]
    pub fn worker_list(&self, include_running: bool) -> Vec<WorkerView> {
        Vec::new()
    }
    /// The resources with a limit.
    #[must_use]
    pub fn resource_list(&self) -> Vec<ResourceView> {
        Vec::new()
    }
    /// The last error; `None` for an unknown task.
    #[must_use]
    pub fn fetch_error(&self, task_id: &str) -> Option<TaskError> {
        None
    }
    /// `None`: unknown task.
    #[must_use]
    pub fn task_status_message(&self, task_id: &str) -> Option<Option<String>> {
        None
    }
    /// `None`: unknown task.
    #[must_use]
    pub fn task_progress_percentage(&self, task_id: &str) -> Option<Option<f64>> {
        None
    }
    /// `None` for an unknown task or one that never ran.
    #[must_use]
    pub fn running_task_resources(&self, task_id: &str) -> Option<Resources> {
        None
    }
    /// Whether work is handed out.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        false
    }
    /// Whether pausing works.
    #[must_use]
    pub fn is_pause_enabled(&self) -> bool {
        self.config.pause_enabled
    }
    /// A task.
    #[must_use]
    pub fn task(&self, task_id: &str) -> Option<TaskView> {
        None
    }
    /// Its upstream status by name; empty when fine.
    #[must_use]
    pub fn upstream_status(&self, task_id: &str) -> &'static str {
        ""
    }
    /// What can never run, and why, by task id.
    #[must_use]
    pub fn dead_ends(&self) -> BTreeMap<String, DeadEnd> {
        BTreeMap::new()
    }
    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// Recounts every index.
    #[doc(hidden)]
    pub fn check_invariants(&self) -> Result<(), String> {
        Ok(())
    }
}
