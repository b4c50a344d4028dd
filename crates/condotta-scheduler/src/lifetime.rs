//! How tasks come, depend on one another, and go.

use alloc::vec::Vec;

use crate::{
    Now, Scheduler, Status,
    changes::part,
    resource::NeedId,
    task::Slot,
    worker::{StakeId, TeamId},
};

impl Scheduler {
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
        self.changed(slot, part::ALL);
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
        self.emit_attempt(now, slot, None);
        self.emit_status(now, slot, Some(self.tasks[slot].status), None);
        self.task_removed(slot);
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
        self.changed(slot, part::LINKS);
        self.suspect(slot);
        self.after_change(slot, self.tasks[slot].is_satisfied(), was_blocked);
        for dep in old {
            if self.tasks[dep].ghost && self.tasks[dep].dependants.is_empty() {
                self.forget_dead_end(dep);
                self.tasks.remove(dep);
            }
        }
    }
}
