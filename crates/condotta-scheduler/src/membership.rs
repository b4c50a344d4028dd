//! Which workers run a task, can run it, and have a stake in it.

use crate::{
    Scheduler,
    changes::part,
    task::{NO_SLOT, Slot},
    worker::{StakeId, TeamId, WorkerIndex},
};

impl Scheduler {
    /// Says who runs the task, or ran it last.
    pub(crate) fn set_owner(&mut self, slot: Slot, owner: Option<WorkerIndex>) {
        let before = self.tasks[slot].worker_running;
        if before == owner {
            return;
        }
        self.edit(slot, |task| task.worker_running = owner);
        self.changed(slot, part::STATE);
        if let Some(owner) = owner {
            self.workers[owner].ran += 1;
        }
        if let Some(before) = before {
            self.workers[before].ran -= 1;
            self.workers.remove_if_unused(before);
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
        self.changed(slot, part::LINKS);
        self.workers.team_mut(after).tasks += 1;
        self.release_team(before);
    }

    pub(crate) fn leave_team(&mut self, slot: Slot) {
        let before = self.tasks[slot].team;
        self.release_team(before);
    }

    fn release_team(&mut self, team: TeamId) {
        let tasks = &mut self.workers.team_mut(team).tasks;
        *tasks -= 1;
        if *tasks == 0 && team != TeamId::NOBODY {
            self.note_end_of_team(team);
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
        self.changed(slot, part::LINKS);
        // Somebody wants it again.
        if let Some(rare) = self.tasks[slot].rare.as_mut().filter(|rare| rare.orphan) {
            rare.orphan = false;
            rare.remove = None;
            self.changed(slot, part::STATE);
        }
    }

    pub(crate) fn link_stake(&mut self, slot: Slot, id: StakeId) {
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

    pub(crate) fn unlink_stake(&mut self, slot: Slot) {
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
