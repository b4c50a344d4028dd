//! What holds a task up from upstream.
//!
//! Whether something disabled does is kept up to date, because workers count their tasks without
//! those. The other kinds are found when asked for.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    Scheduler, Status,
    read::Budget,
    task::{Slot, Task},
};

/// The worst that a task waits for, by rising severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UpstreamStatus {
    /// Something runs.
    Running,
    /// Something has not run yet.
    MissingInput,
    /// Something failed.
    Failed,
    /// Something is disabled.
    Disabled,
}

impl UpstreamStatus {
    /// The name on the wire, as in `"UPSTREAM_FAILED"`.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Running => "UPSTREAM_RUNNING",
            Self::MissingInput => "UPSTREAM_MISSING_INPUT",
            Self::Failed => "UPSTREAM_FAILED",
            Self::Disabled => "UPSTREAM_DISABLED",
        }
    }

    /// What a task of this status means to those that wait for it, and to itself.
    fn of(status: Status) -> Option<Self> {
        match status {
            Status::Running | Status::BatchRunning => Some(Self::Running),
            Status::Pending => Some(Self::MissingInput),
            Status::Failed => Some(Self::Failed),
            Status::Disabled => Some(Self::Disabled),
            Status::Done | Status::Unknown => None,
        }
    }
}

/// Finds the upstream statuses of tasks, one after the other, and can be interrupted.
///
/// What was found holds for as long as the walk lives, although tasks may have changed since.
#[derive(Default)]
pub(crate) struct UpstreamWalk {
    /// By slot, with the age of the task that it was found for.
    found: BTreeMap<Slot, (u64, Option<UpstreamStatus>)>,
    /// What is still to be looked at, and whether its dependencies have been.
    stack: Vec<(Slot, bool)>,
    /// The task that the walk began with, until it is through.
    root: Option<Slot>,
}

impl UpstreamWalk {
    /// The worst that a task waits for. `None` when the budget is spent: to be asked again.
    pub(crate) fn status_of(
        &mut self,
        scheduler: &Scheduler,
        slot: Slot,
        budget: &mut Budget,
    ) -> Option<Option<UpstreamStatus>> {
        if self.root != Some(slot) {
            self.give_up();
            self.root = Some(slot);
            self.stack.push((slot, false));
        }
        while !self.stack.is_empty() {
            if budget.is_spent() {
                return None;
            }
            budget.look();
            self.look(scheduler, budget);
        }
        self.root = None;
        Some(self.known(scheduler, slot).flatten())
    }

    /// What was half looked at is not known.
    fn give_up(&mut self) {
        for (slot, visited) in self.stack.drain(..) {
            if visited {
                self.found.remove(&slot);
            }
        }
    }

    fn known(&self, scheduler: &Scheduler, slot: Slot) -> Option<Option<UpstreamStatus>> {
        let task = scheduler.tasks.get(slot)?;
        let &(age, status) = self.found.get(&slot)?;
        (age == task.age).then_some(status)
    }

    fn look(&mut self, scheduler: &Scheduler, budget: &mut Budget) {
        let Some((slot, visited)) = self.stack.pop() else {
            return;
        };
        let Some(task) = scheduler.tasks.get(slot) else {
            self.found.remove(&slot);
            return;
        };
        if visited {
            let deps = task.deps.iter();
            let worst = deps.filter_map(|&dep| self.known(scheduler, dep).flatten());
            let worst = worst.max();
            self.found.insert(slot, (task.age, worst));
        } else if self.known(scheduler, slot).is_none() {
            let waits = task.status == Status::Pending && !task.deps.is_empty();
            // What is being looked at counts as nothing to a task further up in a cycle.
            let own = UpstreamStatus::of(task.status).filter(|_| !task.ghost && !waits);
            self.found.insert(slot, (task.age, own));
            if waits {
                budget.spend(task.deps.len());
                self.stack.push((slot, true));
                self.stack.extend(task.deps.iter().map(|&dep| (dep, false)));
            }
        }
    }
}

impl Scheduler {
    /// The name of what a task waits for at worst; of a task that waits for nothing, what it is
    /// itself. Empty for nothing of note, and for a task that is not known.
    #[must_use]
    pub fn upstream_status(&self, task_id: &str) -> &'static str {
        let mut walk = UpstreamWalk::default();
        let mut budget = Budget::of(usize::MAX);
        let slot = self.tasks.find_task(task_id);
        slot.and_then(|slot| walk.status_of(self, slot, &mut budget))
            .flatten()
            .map_or("", UpstreamStatus::name)
    }

    /// The task became disabled, or waits for a disabled one now.
    pub(crate) fn block_dependants(&mut self, slot: Slot) {
        let mut stack = alloc::vec![slot];
        while let Some(slot) = stack.pop() {
            for dependant in self.tasks[slot].dependants.to_vec() {
                let was_blocked = self.tasks[dependant].is_blocked();
                self.set_blocked(dependant, self.tasks[dependant].blocked + 1);
                if !was_blocked && self.tasks[dependant].is_blocked() {
                    stack.push(dependant);
                }
            }
        }
    }

    /// The task is no longer disabled, or lost a reason to wait for a disabled one.
    ///
    /// In a cycle tasks would go on blocking each other. So this one and all that it may have
    /// blocked is first cleared, and then blocked again where another reason remains.
    pub(crate) fn unblock(&mut self, slot: Slot) {
        let mut region: Vec<Slot> = Vec::new();
        if self.tasks[slot].status == Status::Pending {
            self.set_blocked(slot, 0);
            region.push(slot);
        }
        let mut stack = alloc::vec![slot];
        while let Some(slot) = stack.pop() {
            for dependant in self.tasks[slot].dependants.to_vec() {
                let task = &self.tasks[dependant];
                if task.status == Status::Pending && task.blocked > 0 {
                    self.set_blocked(dependant, 0);
                    region.push(dependant);
                    stack.push(dependant);
                } else if task.status != Status::Pending {
                    self.set_blocked(dependant, self.tasks[dependant].blocked - 1);
                }
            }
        }
        let is_blocker = |&&dep: &&Slot| {
            let task: &Task = &self.tasks[dep];
            !task.ghost && task.is_blocked()
        };
        let remaining: Vec<u32> = region
            .iter()
            .map(|&slot| self.tasks[slot].deps.iter().filter(is_blocker).count())
            .map(|count| u32::try_from(count).expect("fewer than 2^32 tasks"))
            .collect();
        for (&slot, &count) in region.iter().zip(&remaining) {
            self.set_blocked(slot, count);
        }
        for (&slot, _) in region
            .iter()
            .zip(&remaining)
            .filter(|(_, count)| **count > 0)
        {
            self.block_dependants(slot);
        }
    }

    fn set_blocked(&mut self, slot: Slot, blocked: u32) {
        // Only the step to or from zero shows in an index.
        if (self.tasks[slot].blocked == 0) == (blocked == 0) {
            self.tasks[slot].blocked = blocked;
        } else {
            self.edit(slot, |task| task.blocked = blocked);
        }
    }
}
