//! What is told of a task's runs: when each begins, and how it ends.
//!
//! Follows from changes of status, so it is told by the one setter. Who changes the status for
//! another reason than the worker's report says so around the change.

use alloc::string::ToString;

use crate::{AttemptEnd, Event, Now, Scheduler, Status, Timestamp, task::Slot};

impl Scheduler {
    /// Does what ends runs for this reason, whatever status they get.
    pub(crate) fn ending(&mut self, end: AttemptEnd, change: impl FnOnce(&mut Self)) {
        let before = self.end.replace(end);
        change(self);
        self.end = before;
    }

    /// Tells of a run that begins or ends as the status becomes `new`. To be called before it does.
    pub(crate) fn emit_attempt(&mut self, now: Now, slot: Slot, new: Option<Status>) {
        let runs = matches!(new, Some(Status::Running | Status::BatchRunning));
        match (self.tasks[slot].is_running(), runs) {
            (false, true) => self.emit(|scheduler| scheduler.began(now, slot)),
            (true, false) => self.emit(|scheduler| scheduler.ended(now, slot, new)),
            _ => {}
        }
    }

    /// Tells that a run counts as begun now; `began` is what counted until now.
    pub(crate) fn emit_told_again(&mut self, now: Now, slot: Slot, began: Timestamp) {
        self.emit(|scheduler| {
            let task = &scheduler.tasks[slot];
            Event::AttemptToldAgain {
                at: now.wall,
                task_id: task.id.to_string(),
                attempt: u64::from(task.attempt),
                began,
            }
        });
    }

    fn began(&self, now: Now, slot: Slot) -> Event {
        let task = &self.tasks[slot];
        let worker = task.worker_running.map(|worker| &self.workers[worker]);
        Event::AttemptBegan {
            at: now.wall,
            task_id: task.id.to_string(),
            attempt: u64::from(task.attempt),
            worker: worker.map(|worker| worker.id.to_string()),
            host: worker.and_then(|worker| worker.host.clone()),
            batch_id: task.batch_id().map(ToString::to_string),
            ready: self.ready_since(slot),
        }
    }

    /// The latest of what made it ready: that it became pending, or that a dependency was done.
    fn ready_since(&self, slot: Slot) -> Option<Timestamp> {
        let task = &self.tasks[slot];
        if task.status != Status::Pending {
            return None;
        }
        let done = task.deps.iter().map(|&dep| self.tasks[dep].updated);
        let times = core::iter::once(task.updated).chain(done);
        times.max_by(|one, other| one.0.total_cmp(&other.0))
    }

    fn ended(&self, now: Now, slot: Slot, new: Option<Status>) -> Event {
        let task = &self.tasks[slot];
        let by_status = match new {
            Some(Status::Done) => AttemptEnd::Done,
            Some(Status::Pending) => AttemptEnd::Suspended,
            None => AttemptEnd::Returned,
            Some(_) => AttemptEnd::Failed,
        };
        let end = match (self.end, by_status) {
            (Some(AttemptEnd::MarkedDone), _) => AttemptEnd::MarkedDone,
            // Somebody saw it complete, whatever became of its worker.
            (_, AttemptEnd::Done) => AttemptEnd::Done,
            (end, by_status) => end.unwrap_or(by_status),
        };
        let explained = matches!(end, AttemptEnd::Failed | AttemptEnd::Cancelled);
        let expl = task.expl.as_ref().filter(|_| explained);
        Event::AttemptEnded {
            at: now.wall,
            task_id: task.id.to_string(),
            attempt: u64::from(task.attempt),
            began: task.time_running.unwrap_or(now.wall),
            end,
            expl: expl.map(ToString::to_string),
        }
    }
}
