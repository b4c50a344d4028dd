//! The indexes that follow from a task's fields.
//!
//! Every index and counter is a function of task records. [`Scheduler::edit`] takes a task out of
//! them, changes it and puts it back, so that none can be forgotten.

use crate::{
    Scheduler, Status,
    changes::part,
    queue::{Kind, QueueIndex},
    resource::NeedId,
    task::{Slot, Task},
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
        self.changed(slot, part::STATE);
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
    pub(crate) fn index(&mut self, slot: Slot, add: bool) {
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
        self.note_task(slot, add);
    }

    fn index_ready(&mut self, slot: Slot, add: bool) {
        let task = &self.tasks[slot];
        let rank = task.rank(slot);
        let kind = Kind {
            team: task.team,
            need: task.need,
            assistants: self.assistants(task),
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
            queues.remove(&(kind.need, kind.assistants));
        }
    }

    fn queue(&mut self, kind: Kind) -> QueueIndex {
        let queues = &mut self.workers.team_mut(kind.team).queues;
        let queue = queues.entry((kind.need, kind.assistants));
        *queue.or_insert_with(|| self.queues.add(kind))
    }
}
