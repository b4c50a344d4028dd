//! What time does: workers are taken for dead, tasks are tried again, enabled and dropped.
//!
//! Everything due stands in one queue of timers. An entry is only a reminder: when it fires, the
//! record is asked whether its time has really come, so that nothing needs to be cancelled.

use alloc::{boxed::Box, string::ToString, vec::Vec};

use crate::{
    AttemptEnd, Event, Now, Scheduler, Status, Timestamp,
    changes::part,
    task::{NO_SLOT, Slot},
    worker::{StakeId, WorkerIndex},
};

/// How often tasks without stakeholders and possible dead ends are looked at when nobody prunes:
/// as often as Luigi's server does.
const LOOK_EVERY_SECS: f64 = 60.0;

/// What is to be looked at when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The worker may have been silent for too long.
    Disconnect(WorkerIndex),
    /// The failed task may be tried again.
    Retry(Slot),
    /// The scheduler has kept the task disabled for long enough.
    Enable(Slot),
    /// All tasks of these stakeholders can go.
    Abandon(StakeId),
    /// The task can go.
    Remove(Slot),
    /// The disconnected worker can be forgotten.
    Forget(WorkerIndex),
}

impl Scheduler {
    /// When something is due next (monotonic). A [`Self::handle_timeout`] at that moment does it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        // Most of Luigi's comparisons are strict: the end itself is still too early.
        let timers = self.timers.first();
        let due = timers.map(|&(due, _)| Timestamp(due.0.next_up()));
        let waits = !self.orphans.is_empty()
            || !self.suspects.is_empty()
            || !self.changed_limits.is_empty();
        let look = self.looked_at.filter(|_| waits);
        let look = look.map(|at| at.after(LOOK_EVERY_SECS));
        let moments = due.into_iter().chain(look);
        moments.filter(|moment| moment.0.is_finite()).min()
    }

    /// Does what is due, and tells dead ends.
    pub fn handle_timeout(&mut self, now: Now) {
        self.do_what_is_due(now);
        self.find_dead_ends(now);
    }

    /// Luigi's name for [`Self::handle_timeout`].
    pub fn prune(&mut self, now: Now) {
        self.handle_timeout(now);
    }

    pub(crate) fn do_what_is_due(&mut self, now: Now) {
        self.looked_at = Some(now.monotonic);
        // Workers come first: what they ran fails, and what they wanted is abandoned, in this pass.
        let due = self.take_due(now);
        let (workers, tasks): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|(_, timer)| matches!(timer, Timer::Disconnect(_)));
        for (due, timer) in workers {
            self.fire(now, due, timer);
        }
        self.fail_foreign(now);
        for (due, timer) in tasks {
            self.fire(now, due, timer);
        }
        self.mark_orphans(now);
        // Delays of zero come due in the pass that starts them.
        for (due, timer) in self.take_due(now) {
            if matches!(timer, Timer::Remove(_) | Timer::Abandon(_)) {
                self.fire(now, due, timer);
            } else {
                self.timers.insert((due, timer));
            }
        }
    }

    fn take_due(&mut self, now: Now) -> Vec<(Timestamp, Timer)> {
        let mut due = Vec::new();
        while self
            .timers
            .first()
            .is_some_and(|&(due, _)| due <= now.monotonic)
        {
            due.extend(self.timers.pop_first());
        }
        due
    }

    fn fire(&mut self, now: Now, due: Timestamp, timer: Timer) {
        match timer {
            Timer::Disconnect(worker) => self.check_worker(now, worker),
            Timer::Retry(slot) => {
                let retry = self.rare_time(slot, Status::Failed, |rare| rare.retry);
                match retry {
                    Some(retry) if retry < now.monotonic => {
                        self.set_status(now, slot, Status::Pending);
                    }
                    Some(retry) if retry == due => {
                        self.timers.insert((due, timer));
                    }
                    _ => {}
                }
            }
            Timer::Enable(slot) => {
                let disabled = self.rare_time(slot, Status::Disabled, |rare| {
                    rare.scheduler_disabled.filter(|_| !rare.operator_disabled)
                });
                if let Some(disabled) = disabled {
                    if now.monotonic.since(disabled) > self.config.disable_persist {
                        self.re_enable(now, slot);
                    } else {
                        let due = disabled.after(self.config.disable_persist);
                        self.timers.insert((due.max(now.monotonic), timer));
                    }
                }
            }
            Timer::Abandon(stake) => self.remove_abandoned(now, stake),
            Timer::Remove(slot) => self.remove_marked(now, slot),
            Timer::Forget(worker) => {
                let silent = self.workers.get(worker).filter(|worker| !worker.connected);
                if silent.is_some_and(|silent| self.forgotten_at(silent) <= now.monotonic) {
                    self.forget(worker);
                }
            }
        }
    }

    /// The worker is out of everything, for good. Should one of its id come, that is another one.
    fn forget(&mut self, worker: WorkerIndex) {
        self.workers.leave_teams(worker);
        self.workers.leave_stakes(worker);
        let id = self.workers[worker].id.clone();
        if self.batches.forget(&id) {
            self.batchers_removed(&id);
        }
        self.worker_removed(worker);
        self.workers[worker].forgotten = true;
        self.workers.remove_if_unused(worker);
    }

    /// A time from the rare part of a task that (still) has this status.
    fn rare_time(
        &self,
        slot: Slot,
        status: Status,
        time: impl FnOnce(&crate::task::Rare) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let task = self.tasks.get(slot)?;
        (!task.ghost && task.status == status).then_some(())?;
        time(task.rare.as_deref()?)
    }

    /// Sets the reminder for a worker's silence.
    pub(crate) fn watch(&mut self, worker: WorkerIndex) {
        let due = self.workers[worker].last_active;
        let due = due.after(self.config.worker_disconnect_delay);
        self.timers.insert((due, Timer::Disconnect(worker)));
    }

    fn check_worker(&mut self, now: Now, index: WorkerIndex) {
        let Some(worker) = self.workers.get(index).filter(|worker| worker.connected) else {
            return;
        };
        let due = worker
            .last_active
            .after(self.config.worker_disconnect_delay);
        if due < now.monotonic {
            self.disconnect(now, index);
        } else {
            self.watch(index);
        }
    }

    /// The worker is taken for dead: what it ran fails. Its place at its tasks is kept.
    fn disconnect(&mut self, now: Now, index: WorkerIndex) {
        self.emit(|scheduler| {
            let worker = &scheduler.workers[index];
            let owned = worker.owned.iter();
            Event::WorkerLost {
                at: now.wall,
                worker: worker.id.to_string(),
                runs: owned
                    .filter(|(_, slot)| scheduler.tasks[*slot].is_running())
                    .count(),
                silent_secs: now.monotonic.since(worker.last_active),
            }
        });
        self.detach(now, index);
        for (_, slot) in self.workers[index].owned.clone() {
            self.fail_dead(now, slot);
        }
    }

    /// The worker is not there any more. What it alone wanted is abandoned.
    pub(crate) fn detach(&mut self, now: Now, index: WorkerIndex) {
        self.workers[index].connected = false;
        self.note_contention();
        self.workers[index].messages.clear();
        self.worker_changed(index);
        for stake in self.workers[index].stakes.clone() {
            if !self.workers.is_alive(stake) {
                self.workers.stake_mut(stake).abandoned = Some(now.monotonic);
                let due = now.monotonic.after(self.config.remove_delay);
                self.timers.insert((due, Timer::Abandon(stake)));
            }
        }
        self.forget_later(now, index);
    }

    /// Sets the reminder that ends the place of a worker that is not there.
    pub(crate) fn forget_later(&mut self, now: Now, index: WorkerIndex) {
        self.workers[index].lost_at = now.monotonic;
        let due = self.forgotten_at(&self.workers[index]);
        self.timers.insert((due, Timer::Forget(index)));
    }

    /// Its tasks are dropped by then, if nobody else has a stake in them.
    fn forgotten_at(&self, worker: &crate::worker::Worker) -> Timestamp {
        let silence = self.config.worker_disconnect_delay + 2.0 * self.config.remove_delay;
        worker.lost_at.after(silence)
    }

    /// A worker that was taken for dead is back.
    pub(crate) fn reattach(&mut self, now: Now, index: WorkerIndex) {
        self.workers[index].connected = true;
        // As a worker that comes anew: an operator disabled the one that was lost.
        self.workers[index].disabled = false;
        self.worker_changed(index);
        for stake in self.workers[index].stakes.clone() {
            self.workers.stake_mut(stake).abandoned = None;
        }
        self.watch(index);
        self.note_return(index);
        let worker = self.workers[index].id.to_string();
        self.emit(|_| Event::WorkerAttached {
            at: now.wall,
            worker,
        });
    }

    fn fail_dead(&mut self, now: Now, slot: Slot) {
        if !self.tasks[slot].is_running() {
            return;
        }
        let worker = self.tasks[slot].worker_running;
        let worker: Option<Box<str>> = worker.map(|worker| self.workers[worker].id.clone());
        self.set_owner(slot, None);
        if self.tasks[slot].seen_done() {
            self.finish_unreported(now, slot);
            return;
        }
        let mut slots = alloc::vec![slot];
        if let Some(batch_id) = self.tasks[slot].batch_id() {
            slots.extend(self.batches.members(batch_id));
        }
        self.ending(AttemptEnd::Lost, |scheduler| {
            scheduler.set_status(now, slot, Status::Failed);
        });
        self.retry_later(now, slot);
        for slot in slots {
            if self.tasks[slot].status == Status::Failed {
                self.tasks[slot].rare_mut().lost_with.clone_from(&worker);
                self.changed(slot, part::STATE);
            }
        }
    }

    /// Whoever ran the task did it, as somebody has seen, and went without a word.
    pub(crate) fn finish_unreported(&mut self, now: Now, slot: Slot) {
        self.emit_history(now, slot, Status::Done, None);
        self.set_status(now, slot, Status::Done);
    }

    /// Fails what runs on a worker that has no stake in it and is no assistant.
    fn fail_foreign(&mut self, now: Now) {
        for slot in self.foreign.clone() {
            let owner = self.tasks[slot]
                .worker_running
                .expect("foreign tasks have an owner");
            let owner = &self.workers[owner];
            if !(owner.assistant && owner.connected) {
                self.fail_dead(now, slot);
            }
        }
    }

    fn mark_orphans(&mut self, now: Now) {
        let due = now.monotonic.after(self.config.remove_delay);
        for slot in self.orphans.clone() {
            let task = &mut self.tasks[slot];
            if task.status == Status::Running {
                continue;
            }
            self.orphans.remove(&slot);
            if self.workers.is_alive(task.stake) {
                continue;
            }
            let rare = task.rare_mut();
            if rare.remove.is_none() {
                rare.remove = Some(due);
                rare.orphan = true;
                self.changed(slot, part::STATE);
                self.timers.insert((due, Timer::Remove(slot)));
            }
        }
    }

    /// Removes a task whose mark is due, unless it was marked because nobody wanted it and somebody
    /// is back who does.
    fn remove_marked(&mut self, now: Now, slot: Slot) {
        let task = self.tasks.get(slot).filter(|task| !task.ghost);
        let mark = task.and_then(|task| Some((task.stake, task.rare.as_ref()?)));
        let Some((stake, rare)) = mark else {
            return;
        };
        if rare.remove.is_none_or(|remove| remove > now.monotonic) {
            return;
        }
        if rare.orphan && self.workers.is_alive(stake) {
            let rare = self.tasks[slot].rare_mut();
            rare.remove = None;
            rare.orphan = false;
            self.changed(slot, part::STATE);
        } else {
            self.remove(now, slot);
        }
    }

    fn remove_abandoned(&mut self, now: Now, stake: StakeId) {
        let abandoned = self
            .workers
            .stakes
            .get(stake.0 as usize)
            .and_then(|stake| stake.abandoned);
        let delay = self.config.remove_delay;
        if abandoned.is_none_or(|abandoned| abandoned.after(delay) > now.monotonic) {
            return;
        }
        let mut slot = self.workers.stake(stake).first;
        while slot != NO_SLOT {
            let task = &self.tasks[slot];
            let after = task.in_stake.after;
            let marked = task.rare.as_ref().is_some_and(|rare| rare.remove.is_some());
            if task.status == Status::Running {
                self.orphans.insert(slot);
            } else if !marked {
                self.remove(now, slot);
            }
            slot = after;
        }
    }
}
