//! Asking for work: what the scheduler hands out is found among the planned tasks, or built.

use std::sync::atomic::Ordering;

use condotta_scheduler::{
    AddTask, Assignment, GetWork, PendingCounts, Recipe, Status, Work, WorkerState,
};

use crate::{
    LoadError, SchedulerError, StopLevel, Worker, WorkerError, plan::scheduler_params,
    task::error_chain, task_table::TaskIndex,
};

/// The scheduler's answer, with the task found or built.
pub(crate) struct WorkResponse {
    pub(crate) counts: PendingCounts,
    /// With the number of the run, which batches do not have.
    pub(crate) task: Option<(TaskIndex, Option<u64>)>,
}

impl WorkResponse {
    fn nothing(worker_state: WorkerState) -> Self {
        Self {
            counts: PendingCounts {
                n_pending_tasks: 0,
                n_unique_pending: 0,
                n_pending_last_scheduled: 0,
                worker_state,
                running_tasks: Vec::new(),
            },
            task: None,
        }
    }
}

impl Worker {
    /// Asks for something to run, or only for what is left if this worker runs nothing.
    pub(crate) fn ask_for_work(&mut self) -> Result<WorkResponse, WorkerError> {
        self.seen_changes = self.shared.changes.load(Ordering::SeqCst);
        if self.stop_level() > StopLevel::Run {
            self.phase_out();
        }
        if self.stop_requesting_work {
            return Ok(WorkResponse::nothing(WorkerState::Disabled));
        }
        let work = match self.ask_until_known() {
            Ok(work) => work,
            Err(error) => return self.without_answer(error),
        };
        let task = match self.take(work.assignment) {
            Ok(task) => task,
            Err(error) => return self.without_answer(error),
        };
        if task.is_none() {
            self.history
                .saw_running(&work.counts.running_tasks, &self.shared.id);
        }
        Ok(WorkResponse {
            counts: work.counts,
            task,
        })
    }

    /// Asks again when the scheduler had forgotten what it was told.
    fn ask_until_known(&mut self) -> Result<Work, WorkerError> {
        let work = self.ask()?;
        if self.recover(&work)? && work.assignment == Assignment::Nothing {
            return self.ask();
        }
        Ok(work)
    }

    /// Nobody answers. What runs goes on and is reported; a worker that is to stop asks no more.
    fn without_answer(&mut self, error: WorkerError) -> Result<WorkResponse, WorkerError> {
        let unreachable = matches!(
            error,
            WorkerError::Scheduler(SchedulerError::Unreachable { .. })
        );
        let stopping = self.stop_level() > StopLevel::Run;
        let has_more_to_do = stopping || !self.running.is_empty();
        if !unreachable || !has_more_to_do {
            return Err(error);
        }
        tracing::warn!(target: "luigi-interface", "{error}");
        if stopping {
            self.phase_out();
        }
        Ok(WorkResponse::nothing(WorkerState::Active))
    }

    fn ask(&mut self) -> Result<Work, WorkerError> {
        if self.processes() == 0 {
            tracing::debug!(target: "luigi-interface", "Checking if tasks are still pending");
            return Ok(Work {
                counts: self.shared.scheduler.count_pending(&self.shared.id)?,
                assignment: Assignment::Nothing,
            });
        }
        tracing::debug!(target: "luigi-interface", "Asking scheduler for work...");
        let current_tasks = self.running.keys();
        let current_tasks = current_tasks.map(|index| self.tasks.task(*index).task_id().to_owned());
        let request = GetWork {
            worker: self.shared.id.clone(),
            host: self.host.clone(),
            assistant: self.shared.assistant,
            current_tasks: Some(current_tasks.collect()),
        };
        Ok(self.shared.scheduler.get_work(request)?)
    }

    /// Finds what is to run; builds it when this worker did not plan it.
    fn take(
        &mut self,
        assignment: Assignment,
    ) -> Result<Option<(TaskIndex, Option<u64>)>, WorkerError> {
        match assignment {
            Assignment::Nothing => Ok(None),
            Assignment::Task {
                task_id,
                recipe,
                attempt,
            } => Ok(self
                .find_or_load(task_id, &recipe)?
                .map(|index| (index, Some(attempt)))),
            Assignment::Batch {
                batch_id,
                task_ids,
                recipe,
            } => Ok(self
                .combine(batch_id, &task_ids, &recipe)?
                .map(|index| (index, None))),
        }
    }

    fn find_or_load(
        &mut self,
        task_id: String,
        recipe: &Recipe,
    ) -> Result<Option<TaskIndex>, WorkerError> {
        if let Some(index) = self.tasks.find(&task_id) {
            return Ok(Some(index));
        }
        tracing::info!(
            target: "luigi-interface",
            "Did not schedule {task_id}, will load it dynamically",
        );
        match self.load_as(&task_id, recipe) {
            Ok(index) => Ok(Some(index)),
            Err(error) => {
                self.handle_task_load_error(&error, &[task_id])?;
                Ok(None)
            }
        }
    }

    /// Builds a task and sees that it is the one that was meant: parameters that stay in their
    /// worker may be lost on the way.
    fn load_as(&mut self, task_id: &str, recipe: &Recipe) -> Result<TaskIndex, LoadError> {
        let task = self.shared.load(recipe)?;
        if task.task_id() != task_id {
            return Err(LoadError::Invalid {
                family: recipe.family.clone(),
                source: format!(
                    "the scheduler asked for {task_id}, but its parameters make {}",
                    task.task_id()
                )
                .into(),
            });
        }
        Ok(self.tasks.place(task))
    }

    /// Builds a batch's combined task and says that it runs.
    fn combine(
        &mut self,
        batch_id: String,
        task_ids: &[String],
        recipe: &Recipe,
    ) -> Result<Option<TaskIndex>, WorkerError> {
        let task = match self.shared.load(recipe) {
            Ok(task) => task,
            Err(error) => {
                self.handle_task_load_error(&error, task_ids)?;
                return Ok(None);
            }
        };
        let claim = AddTask {
            status: Status::Running,
            module: recipe.module.clone(),
            family: recipe.family.clone(),
            params: Some(scheduler_params(task.params())),
            resources: Some(task.resources()),
            retry_policy: task.retry_policy(),
            accepts_messages: Some(task.accepts_messages()),
            batch_id: Some(batch_id),
            ..AddTask::new(&self.shared.id, task.task_id())
        };
        let started = self.patiently(|scheduler| scheduler.add_task(claim.clone()));
        match started {
            Ok(()) => {}
            Err(error @ SchedulerError::Refused { .. }) => {
                // Its members went another way meanwhile.
                tracing::error!(target: "luigi-interface", "{error}");
                self.run_succeeded = false;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        let index = self.tasks.place(task);
        let members = task_ids.iter().filter_map(|id| self.tasks.find(id));
        let members = members.collect();
        self.batches.insert(index, members);
        Ok(Some(index))
    }

    /// The scheduler sent tasks that cannot be built here: they failed.
    fn handle_task_load_error(
        &mut self,
        error: &LoadError,
        task_ids: &[String],
    ) -> Result<(), WorkerError> {
        self.run_succeeded = false;
        let text = match error {
            LoadError::Invalid { source, .. } => format!("{error}: {}", error_chain(source)),
            _ => error.to_string(),
        };
        tracing::error!(
            target: "luigi-interface",
            "Cannot find task(s) sent by scheduler: {}\n{text}",
            task_ids.join(","),
        );
        self.shared
            .tell(|notifier| notifier.load_failed(task_ids, &text));
        for task_id in task_ids {
            self.report(AddTask {
                status: Status::Failed,
                runnable: Some(false),
                expl: Some(text.clone()),
                ..AddTask::new(&self.shared.id, task_id)
            })?;
        }
        Ok(())
    }
}
