//! The one setter of a task's status, with all that follows from a change.

use alloc::string::ToString;

use crate::{
    Event, Now, Scheduler, Status,
    changes::part,
    prune::Timer,
    task::{Slot, Task},
};

impl Scheduler {
    /// Luigi's `set_status`: what a task's status becomes when `new` is asked for.
    pub(crate) fn set_status(&mut self, now: Now, slot: Slot, new: Status) {
        let mut new = new;
        if self.is_cancelled(slot, new) {
            self.finish_cancel(now, slot, new);
            return;
        }
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
                self.emit(|scheduler| {
                    let task = &scheduler.tasks[slot];
                    let policy = scheduler.policies.value(task.policy);
                    Event::DisabledByFailures {
                        at: now.wall,
                        task_id: task.id.to_string(),
                        retry_count: policy.retry_count,
                        disable_window: policy.disable_window,
                        disable_persist: scheduler.config.disable_persist,
                    }
                });
            }
        } else if new == Status::Disabled
            && let Some(rare) = &mut self.tasks[slot].rare
            && !rare.operator_disabled
            && rare.scheduler_disabled.take().is_some()
        {
            self.changed(slot, part::STATE);
        }
        self.move_to(now, slot, new);
        if new == Status::Failed {
            self.retry_later(now, slot);
            if remove_on_failure {
                // Marked as changed by the line before.
                self.tasks[slot].rare_mut().remove = Some(now.monotonic);
                self.timers.insert((now.monotonic, Timer::Remove(slot)));
            }
        }
    }

    /// Members of a batch share what becomes of their combined task.
    pub(crate) fn end_batch(&mut self, now: Now, slot: Slot, new: Status) {
        let Some(batch_id) = self.tasks[slot].batch_id().map(ToString::to_string) else {
            return;
        };
        for member in self.batches.members(&batch_id) {
            self.set_status(now, member, new);
            self.edit(member, Task::clear_batch_id);
            self.changed(member, part::STATE);
        }
        self.edit(slot, Task::clear_batch_id);
        self.changed(slot, part::STATE);
    }

    /// Counts a failure; whether there were too many.
    fn add_failure(&mut self, now: Now, slot: Slot) -> bool {
        self.changed(slot, part::STATE);
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
        self.changed(slot, part::STATE);
        if self.config.retry_delay >= 0.0 {
            self.timers.insert((due, Timer::Retry(slot)));
        }
    }

    pub(crate) fn clear_disable(&mut self, slot: Slot) {
        let task = &mut self.tasks[slot];
        if let Some(rare) = &mut task.rare {
            rare.scheduler_disabled = None;
            rare.operator_disabled = false;
            rare.cancelled = None;
        }
        task.clear_failures();
        self.changed(slot, part::STATE);
    }

    /// Lets a disabled task be tried again, after the retry delay.
    pub(crate) fn re_enable(&mut self, now: Now, slot: Slot) {
        self.clear_disable(slot);
        self.set_status(now, slot, Status::Failed);
        self.tasks[slot].clear_failures();
        self.changed(slot, part::STATE);
    }

    /// Really changes the status, with all that follows for the tasks that depend on this one.
    pub(crate) fn move_to(&mut self, now: Now, slot: Slot, new: Status) {
        let before = self.tasks[slot].status;
        if before == new {
            return;
        }
        self.emit_attempt(now, slot, Some(new));
        let was_satisfied = self.tasks[slot].is_satisfied();
        let was_blocked = self.tasks[slot].is_blocked();
        self.index(slot, false);
        self.index_need(slot, false);
        self.tasks.delist(slot);
        let task = &mut self.tasks[slot];
        task.status = new;
        task.updated = now.wall;
        task.updated_monotonic = now.monotonic;
        if let Some(rare) = &mut task.rare {
            rare.seen_done = false;
            if !matches!(new, Status::Running | Status::BatchRunning) {
                rare.cancel = None;
            }
            rare.lost_with = None;
        }
        self.changed(slot, part::STATE);
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
}
