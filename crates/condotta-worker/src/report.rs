//! What comes back from runs, and what the scheduler is told of it.

use std::time::Duration;

use condotta_scheduler::{AddTask, Status};

use crate::{
    EventDetail, Private, Runnable, SchedulerError, StopLevel, TaskHandle, Worker, WorkerError,
    panic::guard,
    plan::{informed, scheduler_params},
    running::{End, Finished, Outcome, Requirements, Running},
    shared::Shared,
    task_table::TaskIndex,
};

impl Worker {
    /// Waits a while for the end of a run, and deals with it.
    pub(crate) fn handle_next_run(&mut self) -> Result<(), WorkerError> {
        self.idle_since = None;
        if self.stop_level() == StopLevel::Now {
            self.phase_out();
            self.abandon_running()?;
            if self.running.is_empty() {
                return Ok(());
            }
        }
        let finished = match self.finished.pop_front() {
            Some(finished) => Some(finished),
            None => self.receive(self.wait_for_runs()),
        };
        let Some(finished) = finished else {
            return Ok(());
        };
        match self.running.get(&finished.index) {
            Some(running) if running.run == finished.run => {
                let running = *running;
                self.settle(finished, running)
            }
            // It was given up, or started anew.
            _ => Ok(()),
        }
    }

    /// How long to wait for the end of a run before asking for more work.
    fn wait_for_runs(&self) -> Duration {
        let shared = &self.shared;
        let planned = Duration::from_secs_f64(shared.config.wait_interval);
        if self.stop_requesting_work || self.is_full() {
            return planned;
        }
        // A worker that is woken need not look by itself.
        let woken = shared.scheduler.until_next_ask(&shared.id, planned);
        planned.max(woken)
    }

    /// Tasks on threads cannot be stopped: on "now" they are not waited for.
    fn abandon_running(&mut self) -> Result<(), WorkerError> {
        let on_threads: Vec<(TaskIndex, Running)> = self
            .running
            .iter()
            .filter(|(_, running)| !running.place.can_be_ended())
            .map(|(index, running)| (*index, *running))
            .collect();
        for (index, running) in on_threads {
            if self
                .finished
                .iter()
                .any(|finished| finished.run == running.run)
            {
                continue;
            }
            let task_id = self.tasks.task(index).task_id();
            let text = given_up(task_id);
            let finished = Finished {
                index,
                run: running.run,
                outcome: Outcome::failed(text, End::Stopped),
            };
            self.settle(finished, running)?;
        }
        Ok(())
    }

    /// Reports a run's end and plans what it asked for.
    fn settle(&mut self, finished: Finished, running: Running) -> Result<(), WorkerError> {
        let Finished { index, outcome, .. } = finished;
        let task = self.tasks.task(index).clone();
        let Outcome {
            mut status,
            mut expl,
            missing,
            requirements,
            mut end,
        } = outcome;
        self.announce_end(&task, end, expl.as_deref());

        let mut new_deps = Vec::new();
        match self.add_requirements(index, requirements) {
            Ok(ids) => new_deps = ids,
            Err(error @ (WorkerError::Cycle { .. } | WorkerError::Load(_))) => {
                tracing::error!(
                    target: "luigi-interface",
                    "[pid {}] Worker {} failed    {}\n{error}",
                    std::process::id(),
                    self.shared.id,
                    task.display_name(),
                );
                status = Status::Failed;
                expl = Some(error.to_string());
            }
            Err(WorkerError::Stopped) => {
                status = Status::Failed;
                end = End::Stopped;
                expl = Some(
                    "the worker was told to stop before it could plan new requirements".into(),
                );
            }
            // What else runs must not be lost. That this run failed is tried to be told for long.
            Err(error @ WorkerError::Scheduler(SchedulerError::Unreachable { .. })) => {
                tracing::error!(target: "luigi-interface", "{error}");
                status = Status::Failed;
                expl = Some(format!(
                    "its new requirements could not be announced: {error}"
                ));
            }
            Err(error) => return Err(error),
        }
        let private = Private::of(&*task);
        let expl = expl.map(|text| private.hide(&text).into_owned());
        if status == Status::Failed && end != End::Stopped {
            self.tell_failed_run(&task, expl.as_deref().unwrap_or_default());
        }
        let waits = !new_deps.is_empty();
        self.running.remove(&index);
        let renewed = self.shared.claims.end(task.task_id());
        let report = AddTask {
            status,
            expl: Some(encode_expl(expl.as_deref())),
            new_deps: Some(new_deps),
            attempt: running.attempt.filter(|_| !renewed),
            ..self.shared.describe_end(&*task)
        };
        if end == End::Stopped {
            self.note(index, status, report.runnable);
            self.stopped.push(report);
            self.recovery.note_stopped();
        } else {
            self.report(report)?;
        }
        if let Some(observer) = &self.shared.observer {
            observer.task_finished(&*task, status, &self.tasks.counts());
        }
        if !missing.is_empty() && self.may_reschedule(missing) {
            match self.add(task) {
                Ok(_) | Err(WorkerError::Stopped | WorkerError::Cycle { .. }) => {}
                Err(WorkerError::Scheduler(error @ SchedulerError::Unreachable { .. }))
                    if !self.running.is_empty() =>
                {
                    tracing::warn!(target: "luigi-interface", "{error}");
                }
                Err(error) => return Err(error),
            }
        }
        self.run_succeeded &= status == Status::Done || waits;
        Ok(())
    }

    /// People are told, unless it is data that others make and that is looked for again.
    fn tell_failed_run(&self, task: &TaskHandle, error: &str) {
        let is_retried = self.shared.config.retry_external_tasks
            && guard(|| task.is_external()).unwrap_or(false);
        if !is_retried {
            self.shared
                .tell_failure(|notifier| notifier.task_failed(&**task, error));
        }
    }

    /// Time-outs and deaths are noticed from outside; what happened inside was said there.
    fn announce_end(&self, task: &TaskHandle, end: End, message: Option<&str>) {
        let message = message.unwrap_or_default();
        let event = match end {
            End::Normal => return,
            End::TimedOut => Some(EventDetail::Timeout { message }),
            End::Died | End::Cancelled => Some(EventDetail::ProcessFailure { message }),
            End::Stopped => None,
        };
        if let Some(event) = event {
            self.shared.events.trigger(&**task, event);
        }
        // Luigi says this at INFO. It is a failure like any other, and those are errors.
        tracing::error!(target: "luigi-interface", "{message}");
    }

    /// Plans what a run asked for. Returns the ids.
    fn add_requirements(
        &mut self,
        parent: TaskIndex,
        requirements: Requirements,
    ) -> Result<Vec<String>, WorkerError> {
        let tasks = match requirements {
            Requirements::Tasks(tasks) => tasks,
            Requirements::Recipes(recipes) => {
                let tasks = recipes.iter().map(|recipe| self.shared.load(recipe));
                tasks.collect::<Result<Vec<_>, _>>()?
            }
        };
        for task in &tasks {
            self.add(task.clone())?;
        }
        for task in &tasks {
            self.refuse_cycle(parent, task)?;
        }
        Ok(tasks.iter().map(|task| task.task_id().to_owned()).collect())
    }

    /// A run must not wait for what waits for it.
    fn refuse_cycle(&self, parent: TaskIndex, required: &TaskHandle) -> Result<(), WorkerError> {
        let required = self.tasks.find(required.task_id());
        let required = required.expect("it was added before");
        match self.tasks.find_path(required, parent) {
            None => Ok(()),
            Some(path) => {
                let mut cycle = vec![parent];
                cycle.extend(path);
                Err(WorkerError::Cycle {
                    path: self.display_names(&cycle),
                })
            }
        }
    }

    /// Keeps a task whose dependency is missing again and again from being announced for ever.
    fn may_reschedule(&mut self, missing: Vec<String>) -> bool {
        let limit = self.shared.config.max_reschedules;
        missing.into_iter().fold(true, |reschedule, dependency| {
            let count = self.unfulfilled.entry(dependency).or_default();
            *count += 1;
            reschedule && *count <= limit
        })
    }

    /// Tells the scheduler how a run ended, and notes it for the summary.
    pub(crate) fn report(&mut self, request: AddTask) -> Result<(), WorkerError> {
        let status = request.status;
        let index = self.tasks.find(&request.task_id);
        if let Some(index) = index {
            self.note(index, status, request.runnable);
        }
        if !tracing::enabled!(target: "luigi-interface", tracing::Level::INFO) {
            return Ok(self.shared.scheduler.add_task(request)?);
        }
        let task_id = request.task_id.clone();
        self.shared.scheduler.add_task(request)?;
        informed(&task_id, status);
        Ok(())
    }
}

impl Shared {
    /// What a report says of the task itself; little if its own code panics.
    pub(crate) fn describe_end(&self, task: &dyn Runnable) -> AddTask {
        let bare = || AddTask {
            runnable: None,
            accepts_messages: None,
            assistant: self.assistant,
            family: task.family().to_owned(),
            ..AddTask::new(&self.id, task.task_id())
        };
        guard(|| AddTask {
            resources: Some(task.resources()),
            params: Some(scheduler_params(task.params())),
            module: task.module().map(ToOwned::to_owned),
            retry_policy: task.retry_policy(),
            owners: task.owners(),
            ..bare()
        })
        .unwrap_or_else(|panic| {
            tracing::error!(target: "luigi-interface", "{}: {panic}", task.task_id());
            bare()
        })
    }
}

/// As JSON, which is what viewers expect. `null` is no message.
pub(crate) fn encode_expl(expl: Option<&str>) -> String {
    match expl {
        None => "null".to_owned(),
        Some(text) => serde_json::Value::from(text).to_string(),
    }
}

/// What is said of a run that is not waited for.
pub(crate) fn given_up(task_id: &str) -> String {
    format!("Task {task_id} was given up because the worker had to stop.")
}
