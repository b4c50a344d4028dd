//! Planning: what is complete, what must run, and what it needs first.
//!
//! In Luigi's order: a task is checked when it is first mentioned, and announced before its
//! dependencies; the dependency mentioned last is looked at first. Nothing here recurses.

use condotta_scheduler::{AddTask, AddTaskBatcher, Param, Status, Visibility};

use crate::{
    BoxError, EventDetail, ParamInfo, Private, Runnable, StopLevel, TaskHandle, Worker,
    WorkerError, completeness::Checks, panic::guard, task::error_chain, task_table::TaskIndex,
};

/// So many announcements travel together.
const ANNOUNCEMENTS_MAX: usize = 1024;

/// What planning found out about one task.
struct Plan {
    status: Status,
    runnable: bool,
    deps: Option<Vec<TaskHandle>>,
}

impl Plan {
    fn unknown() -> Self {
        Self {
            status: Status::Unknown,
            runnable: false,
            deps: None,
        }
    }
}

impl Worker {
    /// Plans `task` with all that it needs, and announces what has to run.
    ///
    /// Returns whether all of them could be scheduled or were complete: a task whose completeness
    /// or dependencies cannot be found out makes it false, and is in the summary.
    pub fn add(&mut self, task: TaskHandle) -> Result<bool, WorkerError> {
        self.start_keep_alive()?;
        if self.first_task.is_none() {
            self.first_task = Some(task.task_id().to_owned());
        }
        self.add_succeeded = true;
        match self.plan_all(&task) {
            Ok(()) => Ok(self.add_succeeded),
            Err(error) => {
                self.add_succeeded = false;
                self.announcements.clear();
                self.recovery.note_failure(&error);
                if !matches!(error, WorkerError::Stopped) {
                    self.planning_failed(&*task, &error);
                }
                Err(error)
            }
        }
    }

    fn plan_all(&mut self, task: &TaskHandle) -> Result<(), WorkerError> {
        self.tasks.start_planning();
        let mut checks = match self.parallel_scheduling {
            Some(threads) => Checks::parallel(&self.shared, threads)?,
            None => Checks::serial(&self.shared),
        };
        let root = self.tasks.place(task.clone());
        self.recovery.note_root(root);
        self.tasks.first_visit(root);
        checks.submit(root, task);
        while let Some((index, task, complete)) = checks.next() {
            if self.stop_level() >= StopLevel::Finish {
                return Err(WorkerError::Stopped);
            }
            self.plan_one(index, task, complete, &mut checks)?;
            if self.announcements.len() >= ANNOUNCEMENTS_MAX {
                self.send_announcements()?;
            }
        }
        if let Some(cycle) = self.tasks.find_cycle(root) {
            return Err(WorkerError::Cycle {
                path: self.display_names(&cycle),
            });
        }
        self.send_announcements()
    }

    /// Plans one task and hands its dependencies on to be checked.
    fn plan_one(
        &mut self,
        index: TaskIndex,
        task: TaskHandle,
        complete: Result<bool, BoxError>,
        checks: &mut Checks,
    ) -> Result<(), WorkerError> {
        let limit = self.shared.config.task_limit;
        let plan = match limit {
            Some(limit) if self.tasks.scheduled() >= limit => {
                tracing::warn!(
                    target: "luigi-interface",
                    "Will not run {} or any dependencies due to exceeded task-limit of {limit}",
                    task.display_name(),
                );
                Plan::unknown()
            }
            _ => {
                let mut plan = self.judge(&task, complete)?;
                if task.disabled() {
                    plan.status = Status::Disabled;
                }
                plan
            }
        };
        let deps = plan.deps.as_deref().map(|deps| {
            let places = deps.iter().map(|dep| self.discover(&task, dep, checks));
            places.collect::<Box<[TaskIndex]>>()
        });
        self.tasks.replace(index, task.clone());
        self.tasks.set_deps(index, deps);
        self.announce(index, &task, plan)
    }

    /// The table of planning outcomes.
    fn judge(
        &mut self,
        task: &TaskHandle,
        complete: Result<bool, BoxError>,
    ) -> Result<Plan, WorkerError> {
        let complete = match complete {
            Ok(complete) => complete,
            Err(error) => {
                self.scheduling_failed(task, "complete()", &error, EventDetail::DependencyMissing)?;
                return Ok(Plan::unknown());
            }
        };
        if complete {
            self.trigger(task, EventDetail::DependencyPresent);
            return Ok(Plan {
                status: Status::Done,
                runnable: false,
                deps: None,
            });
        }
        if task.is_external() {
            self.trigger(task, EventDetail::DependencyMissing);
            tracing::warn!(
                target: "luigi-interface",
                "Data for {} does not exist (yet?). The task is an external data dependency, so it cannot be run from this luigi process.",
                task.display_name(),
            );
            return Ok(Plan {
                status: Status::Pending,
                runnable: self.shared.config.retry_external_tasks,
                deps: None,
            });
        }
        match guard(|| task.dependencies()).unwrap_or_else(|panic| Err(panic.into())) {
            Ok(deps) => {
                self.announce_batcher(&**task)?;
                Ok(Plan {
                    status: Status::Pending,
                    runnable: true,
                    deps: Some(deps),
                })
            }
            Err(error) => {
                let broken = EventDetail::BrokenTask { error: &error };
                self.scheduling_failed(task, "deps()", &error, broken)?;
                Ok(Plan::unknown())
            }
        }
    }

    /// A dependency was mentioned. The first mention in a planning has it checked.
    fn discover(&mut self, task: &TaskHandle, dep: &TaskHandle, checks: &mut Checks) -> TaskIndex {
        self.trigger(
            task,
            EventDetail::DependencyDiscovered { dependency: &**dep },
        );
        let index = self.tasks.place(dep.clone());
        if self.tasks.first_visit(index) {
            checks.submit(index, dep);
        }
        index
    }

    fn announce(
        &mut self,
        index: TaskIndex,
        task: &TaskHandle,
        mut plan: Plan,
    ) -> Result<(), WorkerError> {
        let batchable = self.families.get(task.family()).copied();
        let worker_id = &self.shared.id;
        let request = match guard(|| describe(&**task, worker_id, batchable)) {
            Ok(request) => request,
            Err(panic) => {
                let bare = AddTask::new(worker_id, task.task_id());
                let error: BoxError = panic.into();
                let broken = EventDetail::BrokenTask { error: &error };
                self.scheduling_failed(task, "priority(), resources() or another", &error, broken)?;
                plan = Plan::unknown();
                bare
            }
        };
        let deps = plan.deps.iter().flatten();
        let deps = deps.map(|dep| dep.task_id().to_owned()).collect();
        self.announcements.push(AddTask {
            status: plan.status,
            deps: plan.deps.is_some().then_some(deps),
            runnable: Some(plan.runnable),
            ..request
        });
        self.note(index, plan.status, Some(plan.runnable));
        if let Some(observer) = &self.shared.observer {
            observer.task_planned(&**task, plan.status, &self.tasks.counts());
        }
        Ok(())
    }

    /// Sends what was announced, in its order.
    pub(crate) fn send_announcements(&mut self) -> Result<(), WorkerError> {
        if self.announcements.is_empty() {
            return Ok(());
        }
        let announcements = std::mem::take(&mut self.announcements);
        let count = announcements.len();
        self.patiently(|scheduler| scheduler.add_tasks(announcements.clone()))?;
        if tracing::enabled!(target: "luigi-interface", tracing::Level::INFO) {
            let told = self.history.told();
            for told in &told[told.len() - count..] {
                informed(self.tasks.task(told.index).task_id(), told.status);
            }
        }
        Ok(())
    }

    /// Says once for each family which of its tasks may run together.
    fn announce_batcher(&mut self, task: &dyn Runnable) -> Result<(), WorkerError> {
        if self.families.contains_key(task.family()) {
            return Ok(());
        }
        let batched_args = task.batch_params();
        let batchable = !batched_args.is_empty();
        if batchable {
            let batcher = AddTaskBatcher {
                worker: self.shared.id.clone(),
                task_family: task.family().to_owned(),
                batched_args,
                max_batch_size: task.max_batch_size(),
            };
            self.patiently(|scheduler| scheduler.add_task_batcher(batcher.clone()))?;
        }
        self.families.insert(task.family().to_owned(), batchable);
        Ok(())
    }

    /// Asking the task's code for `method` failed.
    fn scheduling_failed(
        &mut self,
        task: &TaskHandle,
        method: &str,
        error: &BoxError,
        event: EventDetail<'_>,
    ) -> Result<(), WorkerError> {
        self.add_succeeded = false;
        let text = error_chain(error);
        let name = task.display_name();
        tracing::warn!(
            target: "luigi-interface",
            "Will not run {name} or any dependencies due to error in {method} method:\n{text}",
        );
        self.trigger(task, event);
        let params: Vec<(String, String)> = guard(|| task.params())
            .unwrap_or_default()
            .into_iter()
            .filter(|param| param.significant && param.visibility != Visibility::Private)
            .map(|param| (param.name, param.value))
            .collect();
        let owners = guard(|| task.owners()).unwrap_or_default();
        let private = Private::of(&**task);
        let (name, text) = (private.hide(&name), private.hide(&text));
        self.patiently(|scheduler| {
            scheduler.announce_scheduling_failure(
                &self.shared.id,
                &name,
                task.family(),
                &params,
                &text,
                &owners,
            )
        })?;
        self.shared
            .tell_failure(|notifier| notifier.scheduling_failed(&**task, method, &text));
        Ok(())
    }

    fn planning_failed(&self, task: &dyn Runnable, error: &WorkerError) {
        // A cycle is a fault of the pipeline, and whoever called for the planning shows it.
        if !matches!(error, WorkerError::Cycle { .. }) {
            tracing::error!(
                target: "luigi-interface",
                "Luigi unexpected framework error while scheduling {}\n{error}",
                task.display_name(),
            );
            let text = error.to_string();
            self.shared
                .tell(|notifier| notifier.planning_failed(task, &text));
        }
        let error: BoxError = error.to_string().into();
        let broken = EventDetail::BrokenTask { error: &error };
        self.shared.events.trigger(task, broken);
    }

    fn trigger(&self, task: &TaskHandle, event: EventDetail<'_>) {
        self.shared.events.trigger(&**task, event);
    }

    pub(crate) fn display_names(&self, path: &[TaskIndex]) -> Vec<String> {
        path.iter()
            .map(|index| self.tasks.task(*index).display_name())
            .collect()
    }
}

/// What the task says of itself.
pub(crate) fn describe(task: &dyn Runnable, worker_id: &str, batchable: Option<bool>) -> AddTask {
    AddTask {
        priority: task.priority(),
        resources: Some(task.resources()),
        params: Some(scheduler_params(task.params())),
        family: task.family().to_owned(),
        module: task.module().map(ToOwned::to_owned),
        batchable: Some(batchable.unwrap_or_else(|| !task.batch_params().is_empty())),
        retry_policy: task.retry_policy(),
        accepts_messages: Some(task.accepts_messages()),
        owners: task.owners(),
        ..AddTask::new(worker_id, task.task_id())
    }
}

pub(crate) fn informed(task_id: &str, status: Status) {
    tracing::info!(
        target: "luigi-interface",
        "Informed scheduler that task   {task_id}   has status   {}",
        status.name(),
    );
}

/// What the scheduler is told of parameters: private ones never leave the worker.
pub(crate) fn scheduler_params(params: Vec<ParamInfo>) -> Vec<Param> {
    params
        .into_iter()
        .filter(|param| param.visibility != Visibility::Private)
        .map(|param| Param {
            name: param.name,
            value: param.value,
            visibility: param.visibility,
        })
        .collect()
}
