//! A worker goes in good order. Luigi knows only workers that fall silent.

use alloc::string::ToString as _;

use crate::{
    AttemptEnd, Event, Now, Scheduler, Status,
    changes::part,
    task::{Slot, Task},
    worker::WorkerIndex,
};

impl Scheduler {
    /// The worker goes in good order: what it runs is pending again at once, and has not failed.
    ///
    /// From then on it counts as one that was silent for too long. It may come back. A worker that
    /// is not there is none of our business.
    pub fn release_worker(&mut self, now: Now, worker: &str) {
        let Some(index) = self.workers.find(worker) else {
            return;
        };
        if !core::mem::replace(&mut self.workers[index].left, true) {
            self.worker_changed(index);
        }
        if !self.workers[index].connected {
            return;
        }
        self.emit(|_| Event::WorkerReleased {
            at: now.wall,
            worker: worker.to_string(),
        });
        self.detach(now, index);
        self.ending(AttemptEnd::Returned, |scheduler| {
            for (_, slot) in scheduler.workers[index].owned.clone() {
                scheduler.return_run(now, slot);
            }
        });
    }

    /// A worker announces or asks: should it have gone, it may have runs again.
    pub(crate) fn come_back(&mut self, worker: WorkerIndex) {
        if core::mem::take(&mut self.workers[worker].left) {
            self.worker_changed(worker);
        }
    }

    /// A run is over without a result.
    fn return_run(&mut self, now: Now, slot: Slot) {
        self.set_owner(slot, None);
        let task = &self.tasks[slot];
        if task.seen_done() {
            self.finish_unreported(now, slot);
        } else if task.batch_id().is_none() {
            self.set_status(now, slot, Status::Pending);
        } else if task.status == Status::Running && !task.batchable {
            // A combined task that is no member itself is of no use without its batch.
            self.end_batch(now, slot, Status::Pending);
            self.remove(now, slot);
        } else {
            self.set_status(now, slot, Status::Pending);
            self.edit(slot, Task::clear_batch_id);
            self.changed(slot, part::STATE);
        }
    }
}
