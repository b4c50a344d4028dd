//! `add_task`: a worker announces a task, or reports on it.
//!
//! The order of the steps is Luigi's, since later steps see what earlier ones did. What Luigi lets
//! a worker do to a task that another one runs is refused silently here, as stale.

use alloc::{borrow::Cow, format, string::ToString, vec::Vec};

use crate::{
    AddTask, Event, Now, Refusal, RetryPolicy, Scheduler, Status,
    changes::part,
    config::Policy,
    names::Name,
    params::Params,
    resource::{GREATEST_AMOUNT, NeedId},
    scheduler::{check_length, check_name},
    task::{Slot, Task},
    worker::WorkerIndex,
};

impl Scheduler {
    /// Announces a task, or reports on it. A repeated request changes nothing more.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the request makes no sense. Nothing has changed then.
    pub fn add_task(&mut self, now: Now, request: AddTask) -> Result<(), Refusal> {
        self.check(&request)?;
        let worker = self.contact(now, &request.worker)?;
        if request.runnable.is_some() && request.status != Status::Running {
            self.workers[worker].planning = true;
            self.come_back(worker);
        }
        let enabled = !self.workers[worker].disabled;
        let known = self.tasks.find_task(&request.task_id);
        let slot = match known {
            Some(slot) => slot,
            // The run was given back, and the combined task of a batch is gone with that. That it
            // succeeded nevertheless is good news.
            None if self.workers[worker].left && request.status != Status::Done => return Ok(()),
            None if enabled => {
                let slot = self.create(now, &request.task_id, Status::Pending);
                self.tasks[slot].priority = request.priority;
                slot
            }
            None => return Ok(()),
        };
        let task = &self.tasks[slot];
        if task.status != Status::Running && !enabled {
            return Ok(());
        }
        // Two workers that plan at the same time must not run a task twice because one of them
        // looked before it was done.
        if request.status == Status::Pending
            && known.is_some()
            && task.status == Status::Done
            && now.monotonic.since(task.updated_monotonic) < self.config.stable_done_cooldown_secs
        {
            return Ok(());
        }
        if known.is_some() && self.is_stale(slot, worker, &request) {
            return Ok(());
        }
        self.describe(slot, worker, enabled, &request);
        self.claim(now, slot, worker, &request);
        self.explain(slot, worker, &request);
        let mentioned = if known.is_none() {
            let mentioned = self.depend(slot, &request);
            self.admit(slot);
            self.report(now, slot, worker, &request);
            mentioned
        } else {
            self.report(now, slot, worker, &request);
            self.depend(slot, &request)
        };
        if enabled && !request.assistant {
            self.hold(now, slot, worker, request.priority, &mentioned);
        }
        let priority = self.tasks[slot].priority;
        self.raise_dependencies(slot, priority.max(request.priority));
        self.set_policy(slot, &request.retry_policy);
        Ok(())
    }

    fn check(&self, request: &AddTask) -> Result<(), Refusal> {
        check_name("the task id", &request.task_id)?;
        check_name("the worker id", &request.worker)?;
        for dep in request.deps.iter().chain(&request.new_deps).flatten() {
            check_name("the id of a dependency", dep)?;
        }
        check_length("the task family", &request.family)?;
        check_length(
            "the explanation",
            request.expl.as_deref().unwrap_or_default(),
        )?;
        for param in request.params.iter().flatten() {
            check_name("the name of a parameter", &param.name)?;
            check_length("the value of a parameter", &param.value)?;
        }
        if request.priority.is_nan() {
            return Err(Refusal::PriorityNotANumber {
                task_id: request.task_id.clone(),
            });
        }
        check_resources(request)?;
        check_policy(&request.retry_policy)?;
        self.check_batch(request)
    }

    /// A combined task takes what its members take, so there has to be one.
    fn check_batch(&self, request: &AddTask) -> Result<(), Refusal> {
        let Some(batch_id) = request.batch_id.as_ref().filter(|id| !id.is_empty()) else {
            return Ok(());
        };
        let owned = self.tasks.find_task(&request.task_id).is_some_and(|slot| {
            let task = &self.tasks[slot];
            task.is_running() || task.status == Status::Done
        });
        if request.status == Status::Running && !owned && self.batches.members(batch_id).is_empty()
        {
            return Err(Refusal::NoSuchBatch {
                task_id: request.task_id.clone(),
                batch_id: batch_id.clone(),
            });
        }
        Ok(())
    }

    /// Whether the request speaks of a run that is over, or that another worker has.
    fn is_stale(&self, slot: Slot, worker: WorkerIndex, request: &AddTask) -> bool {
        let task = &self.tasks[slot];
        let current = request
            .attempt
            .is_none_or(|attempt| attempt == u64::from(task.attempt));
        let is_own = task.worker_running == Some(worker) && current;
        let brings_deps = request.new_deps.as_ref().is_some_and(|it| !it.is_empty());
        let is_report = request.runnable.is_none() || request.attempt.is_some() || brings_deps;
        match task.status {
            Status::Running | Status::BatchRunning => {
                let speaks_of_a_run = matches!(request.status, Status::Failed | Status::Running);
                (is_report || speaks_of_a_run) && !is_own
            }
            // What is done stays done, unless a worker that plans says otherwise. A combined task
            // may run again for a new batch.
            Status::Done => match request.status {
                Status::Running => !self.begins_batch(worker, request),
                Status::Failed => is_report || task.attempt > 0,
                _ => is_report,
            },
            // The failure of a run counts once, though its report may come twice, or after the
            // worker was taken for dead. That a late run succeeded is good news all the same.
            _ if request.status == Status::Failed => request.runnable.is_none() && task.attempt > 0,
            _ => !current && request.status != Status::Done,
        }
    }

    /// Whether the worker begins to run the combined task of a batch that it was handed.
    fn begins_batch(&self, worker: WorkerIndex, request: &AddTask) -> bool {
        let batch_id = request.batch_id.as_deref().unwrap_or_default();
        let members = self.batches.members(batch_id);
        let first = members.first();
        first.is_some_and(|&member| self.tasks[member].worker_running == Some(worker))
    }

    /// Steps that say what the task is: what was not known, what may change, and who can run it.
    fn describe(&mut self, slot: Slot, worker: WorkerIndex, enabled: bool, request: &AddTask) {
        let need = request
            .resources
            .as_ref()
            .map_or(NeedId::NOTHING, |resources| self.needs.acquire(resources));
        let task = &self.tasks[slot];
        let family = (task.family == Name::EMPTY && !request.family.is_empty())
            .then(|| self.names.intern(&request.family));
        let module = (task.module == Name::EMPTY)
            .then(|| {
                request
                    .module
                    .as_deref()
                    .map(|module| self.names.intern(module))
            })
            .flatten();
        let params = task
            .params
            .is_empty()
            .then(|| request.params.as_ref().filter(|params| !params.is_empty()))
            .flatten()
            .map(|params| Params::of(&mut self.names, params));
        let can_run = request.runnable == Some(true) && request.status != Status::Failed && enabled;
        self.clear_missing(slot);
        let task = &mut self.tasks[slot];
        let is_named = family.is_some() || params.is_some();
        let shows_in_index = is_named
            || task.need != need
            || request
                .batchable
                .is_some_and(|batchable| batchable != task.batchable)
            || task.priority < request.priority
            || (can_run && !task.runnable)
            || module.is_some()
            || (request.batch_id.is_some() && request.batch_id.as_deref() != task.batch_id());
        let accepts_messages = request.accepts_messages.unwrap_or(task.accepts_messages);
        if shows_in_index || !task.announced || task.accepts_messages != accepts_messages {
            task.announced = true;
            task.accepts_messages = accepts_messages;
            self.changed(slot, part::STATE);
        }
        if is_named || module.is_some_and(|module| module != Name::EMPTY) {
            self.changed(slot, part::IDENTITY);
        }
        let need_before = self.tasks[slot].need;
        if need_before != need {
            self.index_need(slot, false);
            self.clear_need(slot);
            self.suspect(slot);
        }
        if shows_in_index {
            self.edit(slot, |task| {
                task.family = family.unwrap_or(task.family);
                task.module = module.unwrap_or(task.module);
                task.need = need;
                task.batchable = request.batchable.unwrap_or(task.batchable);
                task.priority = task.priority.max(request.priority);
                task.runnable |= can_run;
                if let Some(params) = params {
                    task.params = params;
                }
                if let Some(batch_id) = &request.batch_id {
                    task.rare_mut().batch_id = Some(batch_id.as_str().into());
                }
            });
        }
        if need_before != need {
            self.index_need(slot, true);
        }
        self.needs.release(need_before);
        if can_run {
            self.join_team(slot, worker);
        }
    }

    /// A worker says that it runs a task that nobody runs. This is how a combined task of a batch
    /// comes to be.
    fn claim(&mut self, now: Now, slot: Slot, worker: WorkerIndex, request: &AddTask) {
        let task = &self.tasks[slot];
        // Whoever ran a task before does not own it any more. Luigi lets it, so that the reports of
        // the worker that really runs the task are not heard.
        let is_free = task.worker_running.is_none() || !task.is_running();
        if request.status != Status::Running || !is_free {
            return;
        }
        let members = request
            .batch_id
            .as_deref()
            .map(|batch_id| self.batches.members(batch_id))
            .unwrap_or_default();
        let need = members
            .into_iter()
            .find(|&member| member != slot)
            .or(Some(slot))
            .filter(|_| request.batch_id.is_some())
            .map(|member| self.tasks[member].running_need());
        self.set_owner(slot, Some(worker));
        self.changed(slot, part::STATE);
        let begin = |task: &mut Task| {
            task.attempt += 1;
            task.time_running = Some(now.wall);
        };
        match need {
            Some(need) => self.edit_run(slot, need, begin),
            None => self.edit(slot, begin),
        }
    }

    /// Steps that say how the task does.
    fn explain(&mut self, slot: Slot, worker: WorkerIndex, request: &AddTask) {
        let task = &self.tasks[slot];
        // An announcement by another worker says nothing of the current run.
        let is_others = task.is_running() && task.worker_running != Some(worker);
        let tracked =
            !is_others && (request.tracking_url.is_some() || task.status != Status::Running);
        let tracking_url = request.tracking_url.as_deref().map(without_password);
        let explained = !is_others && request.expl.is_some();
        let mut slots = alloc::vec![slot];
        if let Some(batch_id) = task.batch_id()
            && (tracked || explained)
        {
            slots.extend(self.batches.members(batch_id));
        }
        for slot in slots {
            let task = &mut self.tasks[slot];
            let mut is_new = false;
            if tracked && task.tracking_url() != tracking_url.as_deref() {
                task.rare_mut().tracking_url = tracking_url.as_deref().map(Into::into);
                is_new = true;
            }
            if explained && task.expl.as_deref() != request.expl.as_deref() {
                task.expl = request.expl.as_deref().map(Into::into);
                is_new = true;
            }
            if is_new {
                self.changed(slot, part::STATE);
            }
        }
        if let Some(rare) = &mut self.tasks[slot].rare
            && (rare.remove.is_some() || rare.orphan)
        {
            rare.remove = None;
            rare.orphan = false;
            self.changed(slot, part::STATE);
        }
        if !self.workers.is_alive(self.tasks[slot].stake) {
            self.orphans.insert(slot);
        }
    }

    /// Applies the status, unless the task runs and this is not its worker's report.
    fn report(&mut self, now: Now, slot: Slot, worker: WorkerIndex, request: &AddTask) {
        let task = &self.tasks[slot];
        let is_report = matches!(
            request.status,
            Status::Done | Status::Failed | Status::Running
        );
        let is_own = task.worker_running == Some(worker);
        let has_new_deps = request
            .new_deps
            .as_ref()
            .is_some_and(|deps| !deps.is_empty());
        if task.is_running() && !(is_report && is_own) && !has_new_deps {
            if request.status == Status::Done {
                self.note_seen_done(slot);
            }
            return;
        }
        if request.status != task.status || request.status == Status::Pending {
            self.emit_history(now, slot, request.status, None);
        }
        self.set_status(now, slot, request.status);
        if request.status == Status::Failed {
            self.emit(|scheduler| Event::Failure {
                at: now.wall,
                task_id: request.task_id.to_string(),
                worker: request.worker.to_string(),
                expl: request.expl.clone(),
                owners: request.owners.clone(),
                disabled: scheduler.tasks[slot].status == Status::Disabled,
            });
        }
    }

    /// A worker that plans found complete what another one runs. That changes nothing as long as the
    /// other one lives; should it be lost, nobody needs to run the task again.
    fn note_seen_done(&mut self, slot: Slot) {
        let task = &mut self.tasks[slot];
        if task.status == Status::Running && task.batch_id().is_none() && !task.seen_done() {
            task.rare_mut().seen_done = true;
            self.changed(slot, part::STATE);
        }
    }

    /// Replaces or extends the dependencies; the slots of those that the request names.
    fn depend(&mut self, slot: Slot, request: &AddTask) -> Vec<Slot> {
        let mut mentioned = Vec::new();
        for id in request.deps.iter().chain(&request.new_deps).flatten() {
            let dep = match self.tasks.find(id) {
                Some(dep) => dep,
                None => self.tasks.insert(id, true),
            };
            mentioned.push(dep);
        }
        if request.deps.is_some() || !mentioned.is_empty() {
            let mut deps = mentioned.clone();
            if request.deps.is_none() {
                deps.extend(self.tasks[slot].deps.iter().copied());
            }
            self.set_deps(slot, deps);
        }
        mentioned
    }

    /// Gives the worker a stake in the task and in all that it waits for. What of that was not
    /// announced yet gets a placeholder, to keep its priority and its stakeholders.
    fn hold(
        &mut self,
        now: Now,
        slot: Slot,
        worker: WorkerIndex,
        priority: f64,
        mentioned: &[Slot],
    ) {
        self.join_stake(slot, worker);
        let deps = self.tasks[slot].deps.clone();
        for &dep in mentioned.iter().chain(&deps) {
            if self.tasks[dep].ghost {
                let id = self.tasks[dep].id.to_string();
                let placeholder = self.create(now, &id, Status::Unknown);
                self.tasks[placeholder].priority = priority;
                self.admit(placeholder);
            }
            self.join_stake(dep, worker);
        }
    }

    /// Priorities never go down: what a task waits for is at least as urgent as the task.
    fn raise_dependencies(&mut self, slot: Slot, priority: f64) {
        let mut stack = alloc::vec![slot];
        while let Some(slot) = stack.pop() {
            for dep in self.tasks[slot].deps.clone() {
                if !self.tasks[dep].ghost && self.tasks[dep].priority < priority {
                    self.edit(dep, |task: &mut Task| task.priority = priority);
                    self.changed(dep, part::STATE);
                    stack.push(dep);
                }
            }
        }
    }

    pub(crate) fn set_policy(&mut self, slot: Slot, own: &RetryPolicy) {
        let before = self.tasks[slot].policy;
        let is_default = *own == RetryPolicy::default();
        if before == DEFAULT_POLICY && is_default {
            return;
        }
        let policy: Policy = self.config.retry_policy(own);
        let (key, _) = self.policies.acquire(&policy, || policy);
        self.tasks[slot].policy = key;
        if key != before {
            self.changed(slot, part::STATE);
        }
        self.release_policy(before);
        if key == DEFAULT_POLICY {
            self.policies.release(key);
        }
    }

    /// One user less. The scheduler itself keeps the policy that most tasks have, uncounted.
    pub(crate) fn release_policy(&mut self, policy: u32) {
        if policy != DEFAULT_POLICY {
            self.policies.release(policy);
        }
    }
}

/// The configured policy.
pub(crate) const DEFAULT_POLICY: u32 = 0;

fn check_resources(request: &AddTask) -> Result<(), Refusal> {
    for (name, &amount) in request.resources.iter().flatten() {
        check_length("the name of a resource", name)?;
        if amount > GREATEST_AMOUNT {
            return Err(Refusal::TooMuch {
                task_id: request.task_id.clone(),
                resource: name.clone(),
                amount,
                limit: GREATEST_AMOUNT,
            });
        }
    }
    Ok(())
}

/// Zero and infinity are times, as in Luigi: at once, and never.
fn check_policy(policy: &RetryPolicy) -> Result<(), Refusal> {
    let times = [
        ("disable_hard_timeout", policy.disable_hard_timeout),
        ("disable_window", policy.disable_window),
    ];
    for (what, value) in times {
        if let Some(value) = value.filter(|value| value.is_nan() || *value < 0.0) {
            return Err(Refusal::NoDuration { what, value });
        }
    }
    Ok(())
}

/// A URL whose user has no password any more, if it had one: what is kept is shown to everybody who looks.
fn without_password(url: &str) -> Cow<'_, str> {
    let Some(start) = url.find("://").map(|at| at + 3) else {
        return url.into();
    };
    let rest = &url[start..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let Some((user, place)) = authority.rsplit_once('@') else {
        return url.into();
    };
    match user.split_once(':') {
        Some((name, _)) => {
            let (scheme, path) = (&url[..start], &rest[authority.len()..]);
            format!("{scheme}{name}@{place}{path}").into()
        }
        None => url.into(),
    }
}
