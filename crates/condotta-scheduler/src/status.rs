//! The one setter of a task's status, and the indexes that follow from a task's fields.
//!
//! Every index and counter is a function of task records. [`Scheduler::edit`] takes a task out of
//! them, changes it and puts it back, so that none can be forgotten.

use alloc::{string::ToString, vec::Vec};

use crate::{
    Event, Now, Scheduler, Status,
    prune::Timer,
    queue::{Kind, QueueIndex},
    resource::NeedId,
    task::{NO_SLOT, Slot, Task},
    worker::{StakeId, TeamId, WorkerIndex},
};

impl Scheduler {
    /// Changes a task and keeps every index right. Not for `deps`, `status` lists and stakes.
    pub(crate) fn edit<T>(&mut self, slot: Slot, change: impl FnOnce(&mut Task) -> T) -> T {
        self.index(slot, false);
        let result = change(&mut self.tasks[slot]);
        self.index(slot, true);
        result
    }

    /// Changes a task, and what its current run takes.
    pub(crate) fn edit_run(&mut self, slot: Slot, need: NeedId, change: impl FnOnce(&mut Task)) {
        let need = self.needs.retain(need);
        let before = self.edit(slot, |task| {
            change(task);
            task.need_running.replace(need)
        });
        if let Some(before) = before {
            self.needs.release(before);
        }
    }

    /// Notes a PENDING task with its need, or takes it out. To be called on both sides of each
    /// change of the one or the other.
    pub(crate) fn index_need(&mut self, slot: Slot, add: bool) {
        let task = &self.tasks[slot];
        if task.status != Status::Pending || task.need == NeedId::NOTHING {
            return;
        }
        let pending = &mut self.needs.about_mut(task.need).pending;
        if add {
            pending.insert(slot);
        } else {
            pending.remove(&slot);
        }
    }

    /// Adds a task to the indexes, or takes it out.
    fn index(&mut self, slot: Slot, add: bool) {
        let task = &self.tasks[slot];
        if task.ghost {
            return;
        }
        let rank = task.rank(slot);
        let by_age = (task.age, slot);
        let team = self.workers.team_mut(task.team);
        let count = |counter: &mut u64| {
            *counter = if add { *counter + 1 } else { *counter - 1 };
        };
        match task.status {
            Status::Pending => {
                count(&mut team.pending);
                if task.need != NeedId::NOTHING {
                    count(&mut team.needing);
                }
                if task.blocked == 0 {
                    count(&mut team.open);
                }
            }
            Status::Failed => count(&mut team.open),
            Status::Running => {
                let amounts = self.needs.amounts(task.running_need());
                if add {
                    team.running.insert(by_age);
                    self.running.insert(rank);
                    self.taken.take(amounts);
                } else {
                    team.running.remove(&by_age);
                    self.running.remove(&rank);
                    self.taken.release(amounts);
                }
            }
            Status::BatchRunning => {
                if let Some(batch_id) = task.batch_id() {
                    self.batches.set_member(batch_id, task.age, slot, add);
                }
            }
            Status::Done | Status::Disabled | Status::Unknown => {}
        }
        if task.is_running()
            && let Some(worker) = task.worker_running
        {
            let has_stake = self.workers.stake(task.stake).members.contains(&worker);
            if add {
                self.workers[worker].owned.insert(by_age);
                if !has_stake {
                    self.foreign.insert(slot);
                }
            } else {
                self.workers[worker].owned.remove(&by_age);
                self.foreign.remove(&slot);
            }
        }
        if task.is_ready() {
            self.index_ready(slot, add);
        }
    }

    fn index_ready(&mut self, slot: Slot, add: bool) {
        let task = &self.tasks[slot];
        let rank = task.rank(slot);
        let kind = Kind {
            team: task.team,
            need: task.need,
            runnable: task.runnable,
        };
        if task.batchable {
            self.batches.set_ready(task, rank, add);
        }
        let queue = self.queue(kind);
        if add {
            self.queues.insert(queue, rank);
            return;
        }
        self.queues.remove(queue, rank);
        if self.queues.get(queue).ready.is_empty() {
            self.queues.drop(queue);
            let queues = &mut self.workers.team_mut(kind.team).queues;
            queues.remove(&(kind.need, kind.runnable));
        }
    }

    fn queue(&mut self, kind: Kind) -> QueueIndex {
        let queues = &mut self.workers.team_mut(kind.team).queues;
        let queue = queues.entry((kind.need, kind.runnable));
        *queue.or_insert_with(|| self.queues.add(kind))
    }

    /// Says who runs the task, or ran it last.
    pub(crate) fn set_owner(&mut self, slot: Slot, owner: Option<WorkerIndex>) {
        let before = self.tasks[slot].worker_running;
        if before == owner {
            return;
        }
        self.edit(slot, |task| task.worker_running = owner);
        if let Some(owner) = owner {
            self.workers[owner].ran += 1;
        }
        if let Some(before) = before {
            self.workers[before].ran -= 1;
            self.workers.remove_if_unused(before);
        }
    }

    /// Luigi's `set_status`: what a task's status becomes when `new` is asked for.
    pub(crate) fn set_status(&mut self, now: Now, slot: Slot, new: Status) {
        let mut new = new;
        let task = &self.tasks[slot];
        let status = task.status;
        if new == Status::Disabled && task.is_running() {
            return;
        }
        // A combined task that is no member itself is of no use after a failure.
        let remove_on_failure = task.batch_id().is_some() && !task.batchable;
        if status == Status::Disabled {
            if new == Status::Done {
                self.clear_disable(slot);
            } else if task.scheduler_disabled().is_some() && new != Status::Disabled {
                return;
            }
        }
        if status == Status::Running && new != Status::Running {
            self.end_batch(now, slot, new);
        }
        if new == Status::Failed && status != Status::Disabled {
            if self.add_failure(now, slot) {
                new = Status::Disabled;
                self.tasks[slot].rare_mut().scheduler_disabled = Some(now.monotonic);
                let due = now.monotonic.after(self.config.disable_persist);
                self.timers.insert((due, Timer::Enable(slot)));
                self.emit(|scheduler| Event::DisabledByFailures {
                    at: now.wall,
                    task_id: scheduler.tasks[slot].id.to_string(),
                });
            }
        } else if new == Status::Disabled
            && let Some(rare) = &mut self.tasks[slot].rare
        {
            rare.scheduler_disabled = None;
        }
        self.move_to(now, slot, new);
        if new == Status::Failed {
            self.retry_later(now, slot);
            if remove_on_failure {
                self.tasks[slot].rare_mut().remove = Some(now.monotonic);
                self.timers.insert((now.monotonic, Timer::Remove(slot)));
            }
        }
    }

    /// Members of a batch share what becomes of their combined task.
    fn end_batch(&mut self, now: Now, slot: Slot, new: Status) {
        let Some(batch_id) = self.tasks[slot].batch_id().map(ToString::to_string) else {
            return;
        };
        for member in self.batches.members(&batch_id) {
            self.set_status(now, member, new);
            self.edit(member, Task::clear_batch_id);
        }
        self.edit(slot, Task::clear_batch_id);
    }

    /// Counts a failure; whether there were too many.
    fn add_failure(&mut self, now: Now, slot: Slot) -> bool {
        let task = &mut self.tasks[slot];
        let policy = *self.policies.value(task.policy);
        let rare = task.rare_mut();
        let first = *rare.first_failure.get_or_insert(now.monotonic);
        rare.failures.push_back(now.monotonic);
        while rare
            .failures
            .front()
            .is_some_and(|failure| failure.after(policy.disable_window) < now.monotonic)
        {
            rare.failures.pop_front();
        }
        now.monotonic >= first.after(policy.disable_hard_timeout)
            || rare.failures.len() as u64 >= policy.retry_count
    }

    pub(crate) fn retry_later(&mut self, now: Now, slot: Slot) {
        let due = now.monotonic.after(self.config.retry_delay);
        self.tasks[slot].rare_mut().retry = Some(due);
        if self.config.retry_delay >= 0.0 {
            self.timers.insert((due, Timer::Retry(slot)));
        }
    }

    fn clear_disable(&mut self, slot: Slot) {
        let task = &mut self.tasks[slot];
        if let Some(rare) = &mut task.rare {
            rare.scheduler_disabled = None;
        }
        task.clear_failures();
    }

    /// Lets a disabled task be tried again, after the retry delay.
    pub(crate) fn re_enable(&mut self, now: Now, slot: Slot) {
        self.clear_disable(slot);
        self.set_status(now, slot, Status::Failed);
        self.tasks[slot].clear_failures();
    }

    /// Really changes the status, with all that follows for the tasks that depend on this one.
    fn move_to(&mut self, now: Now, slot: Slot, new: Status) {
        let before = self.tasks[slot].status;
        if before == new {
            return;
        }
        let was_satisfied = self.tasks[slot].is_satisfied();
        let was_blocked = self.tasks[slot].is_blocked();
        self.index(slot, false);
        self.index_need(slot, false);
        self.tasks.delist(slot);
        let task = &mut self.tasks[slot];
        task.status = new;
        task.updated = now.wall;
        task.updated_monotonic = now.monotonic;
        self.tasks.enlist(slot);
        self.index(slot, true);
        self.index_need(slot, true);
        self.dead_ends.remove(&slot);
        self.missing.remove(&slot);
        if new == Status::Pending {
            self.suspect(slot);
        }
        self.after_change(slot, was_satisfied, was_blocked);
        self.emit_status(now, slot, Some(before), Some(new));
    }

    /// Tells the tasks that depend on this one when it became, or is no longer, done or blocked.
    pub(crate) fn after_change(&mut self, slot: Slot, was_satisfied: bool, was_blocked: bool) {
        let task = &self.tasks[slot];
        let (satisfied, blocked) = (task.is_satisfied(), task.is_blocked() && !task.ghost);
        if satisfied != was_satisfied {
            for dependant in task.dependants.to_vec() {
                self.change_unmet(dependant, !satisfied);
            }
        }
        match (was_blocked, blocked) {
            (false, true) => self.block_dependants(slot),
            (true, false) => self.unblock(slot),
            // What still seems to block it may be a cycle through itself.
            (true, true) if self.tasks[slot].status == Status::Pending => self.unblock(slot),
            _ => {}
        }
    }

    fn change_unmet(&mut self, slot: Slot, more: bool) {
        let change = |task: &mut Task| {
            task.unmet = if more { task.unmet + 1 } else { task.unmet - 1 };
        };
        // Only the step to or from zero shows in an index.
        if self.tasks[slot].unmet <= 1 {
            self.edit(slot, change);
        } else {
            change(&mut self.tasks[slot]);
        }
    }

    pub(crate) fn emit_status(
        &mut self,
        now: Now,
        slot: Slot,
        from: Option<Status>,
        to: Option<Status>,
    ) {
        self.emit(|scheduler| {
            let task = &scheduler.tasks[slot];
            Event::StatusChanged {
                at: now.wall,
                task_id: task.id.to_string(),
                from,
                to,
                worker: task
                    .worker_running
                    .map(|worker| scheduler.workers[worker].id.to_string()),
                attempt: u64::from(task.attempt),
            }
        });
    }

    pub(crate) fn emit_history(
        &mut self,
        now: Now,
        slot: Slot,
        status: Status,
        host: Option<&str>,
    ) {
        if matches!(
            status,
            Status::Pending | Status::Running | Status::Done | Status::Failed
        ) {
            self.emit(|scheduler| Event::History {
                at: now.wall,
                task_id: scheduler.tasks[slot].id.to_string(),
                status,
                host: host.map(ToString::to_string),
            });
        }
    }

    /// A new task, PENDING or UNKNOWN. It shows in no index until it is [admitted](Self::admit).
    pub(crate) fn create(&mut self, now: Now, id: &str, status: Status) -> Slot {
        let slot = match self.tasks.find(id) {
            Some(slot) => {
                let age = self.tasks.take_age();
                self.tasks[slot].age = age;
                slot
            }
            None => self.tasks.insert(id, true),
        };
        let task = &mut self.tasks[slot];
        task.status = status;
        task.created = now.wall;
        task.updated = now.wall;
        task.updated_monotonic = now.monotonic;
        self.tasks.enlist(slot);
        self.workers.team_mut(TeamId::NOBODY).tasks += 1;
        self.link_stake(slot, StakeId::NOBODY);
        self.orphans.insert(slot);
        self.suspect(slot);
        self.emit_status(now, slot, None, Some(status));
        slot
    }

    /// Puts a new task into the indexes; one that is in them stays as it is.
    pub(crate) fn admit(&mut self, slot: Slot) {
        if core::mem::replace(&mut self.tasks[slot].ghost, false) {
            self.index(slot, true);
            self.after_change(slot, false, false);
        }
    }

    /// Has dead ends looked for at this task. A worker looks at its own graph itself.
    pub(crate) fn suspect(&mut self, slot: Slot) {
        if !self.config.prune_on_get_work {
            self.suspects.insert(slot);
        }
    }

    /// Drops a task. What depends on it waits again.
    pub(crate) fn remove(&mut self, now: Now, slot: Slot) {
        self.emit_status(now, slot, Some(self.tasks[slot].status), None);
        self.set_owner(slot, None);
        self.set_deps(slot, Vec::new());
        let was_satisfied = self.tasks[slot].is_satisfied();
        let was_blocked = self.tasks[slot].is_blocked();
        self.index(slot, false);
        self.index_need(slot, false);
        self.tasks.delist(slot);
        self.leave_team(slot);
        self.unlink_stake(slot);
        self.orphans.remove(&slot);
        self.forget_dead_end(slot);
        self.tasks[slot].ghost = true;
        self.after_change(slot, was_satisfied, was_blocked);
        let old = self.tasks.remove(slot);
        self.needs.release(old.need);
        self.needs
            .release(old.need_running.unwrap_or(NeedId::NOTHING));
        self.release_policy(old.policy);
        if !old.dependants.is_empty() {
            let ghost = self.tasks.insert(&old.id, true);
            debug_assert_eq!(ghost, slot, "the slot freed last is used first");
            self.tasks[ghost].dependants = old.dependants;
            self.suspect(ghost);
        }
    }

    /// Replaces the dependencies, given as slots.
    pub(crate) fn set_deps(&mut self, slot: Slot, mut deps: Vec<Slot>) {
        deps.sort_unstable();
        deps.dedup();
        if *deps == *self.tasks[slot].deps {
            return;
        }
        let was_blocked = self.tasks[slot].is_blocked();
        let unmet = deps
            .iter()
            .filter(|&&dep| !self.tasks[dep].is_satisfied())
            .count();
        let blocked = deps
            .iter()
            .filter(|&&dep| !self.tasks[dep].ghost && self.tasks[dep].is_blocked())
            .count();
        let old = self.tasks[slot].deps.clone();
        for &dep in old.iter().filter(|dep| deps.binary_search(dep).is_err()) {
            self.tasks[dep].dependants.remove(slot);
        }
        for &dep in deps.iter().filter(|dep| old.binary_search(dep).is_err()) {
            self.tasks[dep].dependants.insert(slot);
        }
        self.edit(slot, |task| {
            task.unmet = u32::try_from(unmet).expect("fewer than 2^32 tasks");
            task.blocked = u32::try_from(blocked).expect("fewer than 2^32 tasks");
            task.deps = deps.into();
        });
        self.suspect(slot);
        self.after_change(slot, self.tasks[slot].is_satisfied(), was_blocked);
        for dep in old {
            if self.tasks[dep].ghost && self.tasks[dep].dependants.is_empty() {
                self.forget_dead_end(dep);
                self.tasks.remove(dep);
            }
        }
    }

    /// The worker can run the task from now on.
    pub(crate) fn join_team(&mut self, slot: Slot, worker: WorkerIndex) {
        let before = self.tasks[slot].team;
        let after = self.workers.team_with(before, worker);
        if after == before {
            return;
        }
        self.edit(slot, |task| task.team = after);
        self.workers.team_mut(after).tasks += 1;
        self.release_team(before);
    }

    fn leave_team(&mut self, slot: Slot) {
        let before = self.tasks[slot].team;
        self.release_team(before);
    }

    fn release_team(&mut self, team: TeamId) {
        let tasks = &mut self.workers.team_mut(team).tasks;
        *tasks -= 1;
        if *tasks == 0 && team != TeamId::NOBODY {
            self.workers.drop_team(team);
        }
    }

    /// The worker has a stake in the task from now on.
    pub(crate) fn join_stake(&mut self, slot: Slot, worker: WorkerIndex) {
        let before = self.tasks[slot].stake;
        let after = self.workers.stake_with(before, worker);
        if after == before {
            return;
        }
        self.index(slot, false);
        self.unlink_stake(slot);
        self.link_stake(slot, after);
        self.index(slot, true);
        self.orphans.remove(&slot);
        // Somebody wants it again.
        if let Some(rare) = self.tasks[slot].rare.as_mut().filter(|rare| rare.orphan) {
            rare.orphan = false;
            rare.remove = None;
        }
    }

    fn link_stake(&mut self, slot: Slot, id: StakeId) {
        self.tasks[slot].stake = id;
        let stake = self.workers.stake_mut(id);
        stake.tasks += 1;
        if id == StakeId::NOBODY {
            // Its tasks are marked one by one, so that nobody needs their list.
            return;
        }
        let first = core::mem::replace(&mut stake.first, slot);
        self.tasks[slot].in_stake.before = NO_SLOT;
        self.tasks[slot].in_stake.after = first;
        if first != NO_SLOT {
            self.tasks[first].in_stake.before = slot;
        }
    }

    fn unlink_stake(&mut self, slot: Slot) {
        let id = self.tasks[slot].stake;
        let link = self.tasks[slot].in_stake;
        if id != StakeId::NOBODY {
            if link.before == NO_SLOT {
                self.workers.stake_mut(id).first = link.after;
            } else {
                self.tasks[link.before].in_stake.after = link.after;
            }
            if link.after != NO_SLOT {
                self.tasks[link.after].in_stake.before = link.before;
            }
            self.tasks[slot].in_stake = crate::task::Link::ALONE;
        }
        let stake = self.workers.stake_mut(id);
        stake.tasks -= 1;
        if stake.tasks == 0 && id != StakeId::NOBODY {
            self.workers.drop_stake(id);
        }
    }
}
