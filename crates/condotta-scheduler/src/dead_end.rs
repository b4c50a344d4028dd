//! Finds tasks that can never run as things are, and tells why. Looks only at what changed since
//! it looked last.
//!
//! What was told holds until a later look finds otherwise: a cycle until a member no longer waits
//! for the next, a missing dependency until somebody announces it or nobody waits for it any more,
//! a need above a limit until the one or the other changes.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec::Vec,
};

use crate::{
    DeadEnd, Event, Now, Scheduler, Status,
    resource::NeedId,
    task::{Slot, Task},
    worker::WorkerIndex,
};

/// How far a walk along dependencies has come with a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    OnPath,
    Done,
}

/// Tasks that wait for each other in a ring, each with its age: a slot alone may be used again.
pub(crate) type Cycle = Vec<(Slot, u64)>;

impl Scheduler {
    pub(crate) fn find_dead_ends(&mut self, now: Now) {
        self.drop_broken_cycles();
        self.drop_found();
        self.reconsider_needs();
        let suspects = core::mem::take(&mut self.suspects);
        let planning = self.planning(&suspects);
        let mut missing = BTreeSet::new();
        let mut marks = BTreeMap::new();
        for slot in suspects {
            let Some(task) = self.tasks.get(slot) else {
                continue;
            };
            if task.is_missing() {
                missing.insert(slot);
                continue;
            }
            if task.status == Status::Pending {
                let deps = task.deps.iter().copied();
                missing.extend(deps.filter(|&dep| self.tasks[dep].is_missing()));
                self.check_need(now, slot);
            }
            for cycle in self.cycles_from(slot, &mut marks) {
                self.tell_cycle(now, cycle);
            }
        }
        for slot in missing {
            self.check_missing(now, slot, &planning);
        }
    }

    /// A task's record goes: nothing is to be told of it any more.
    pub(crate) fn forget_dead_end(&mut self, slot: Slot) {
        self.suspects.remove(&slot);
        self.dead_ends.remove(&slot);
        self.missing.remove(&slot);
    }

    fn tell(&mut self, now: Now, slot: Slot, reason: DeadEnd) {
        if self.dead_ends.get(&slot) == Some(&reason) {
            return;
        }
        self.dead_ends.insert(slot, reason.clone());
        self.emit(|scheduler| Event::DeadEnd {
            at: now.wall,
            task_id: scheduler.tasks[slot].id.to_string(),
            reason,
        });
    }

    fn is_in_told_cycle(&self, slot: Slot) -> bool {
        matches!(self.dead_ends.get(&slot), Some(DeadEnd::Cycle(_)))
    }

    // Needs.

    fn check_need(&mut self, now: Now, slot: Slot) {
        let need = self.tasks[slot].need;
        if let Some(reason) = self.need_above_limit(need)
            && !self.is_in_told_cycle(slot)
        {
            self.needs.about_mut(need).is_told = true;
            self.tell(now, slot, reason);
        }
    }

    /// After limits changed: looks at the needs that they are about, and at the tasks of those
    /// which are now above a limit, or were.
    fn reconsider_needs(&mut self) {
        let changed = core::mem::take(&mut self.changed_limits);
        let needs: BTreeSet<NeedId> = changed
            .into_iter()
            .flat_map(|resource| self.needs.with(resource))
            .collect();
        for need in needs {
            if self.need_above_limit(need).is_some() {
                self.suspects.extend(&self.needs.about(need).pending);
            } else if core::mem::take(&mut self.needs.about_mut(need).is_told) {
                for slot in self.needs.about(need).pending.clone() {
                    self.clear_need(slot);
                }
            }
        }
    }

    /// The task's need, or its limit, is another one.
    pub(crate) fn clear_need(&mut self, slot: Slot) {
        if let Some(DeadEnd::NeedAboveLimit { .. }) = self.dead_ends.get(&slot) {
            self.dead_ends.remove(&slot);
        }
    }

    /// The need of the task that is above a limit, so that it can never run as things are.
    #[must_use]
    pub fn impossible_need(&self, task_id: &str) -> Option<DeadEnd> {
        self.need_above_limit(self.tasks[self.tasks.find_task(task_id)?].need)
    }

    pub(crate) fn need_above_limit(&self, need: NeedId) -> Option<DeadEnd> {
        let mut amounts = self.needs.amounts(need).iter();
        let &(resource, amount) =
            amounts.find(|&&(resource, amount)| amount > self.limits.limit(resource))?;
        Some(DeadEnd::NeedAboveLimit {
            resource: self.needs.name(resource).to_string(),
            amount,
            limit: self.limits.limit(resource),
        })
    }

    // Missing dependencies.

    /// Workers that announce a task and what it depends on: they may still come to the latter.
    fn planning(&self, suspects: &BTreeSet<Slot>) -> BTreeSet<WorkerIndex> {
        if suspects.is_empty() {
            return BTreeSet::new();
        }
        self.workers
            .iter()
            .filter(|(_, worker)| worker.connected && worker.planning)
            .map(|(index, _)| index)
            .collect()
    }

    /// Tells that a dependency is missing, once nobody who knows of it is planning any more.
    /// Workers announce a task before what it depends on, and ask for work when they are through.
    fn check_missing(&mut self, now: Now, slot: Slot, planning: &BTreeSet<WorkerIndex>) {
        if !self.is_required(slot) {
            return;
        }
        if self.may_be_announced(slot, planning) {
            self.suspects.insert(slot);
            return;
        }
        self.missing.insert(slot);
        self.tell(now, slot, DeadEnd::NeverAnnounced);
    }

    fn is_required(&self, slot: Slot) -> bool {
        self.tasks[slot].dependants.any(|dependant| {
            let task = &self.tasks[dependant];
            !task.ghost && !task.is_running() && task.status != Status::Done
        })
    }

    fn may_be_announced(&self, slot: Slot, planning: &BTreeSet<WorkerIndex>) -> bool {
        let knows = |task: &Task| {
            let stakeholders = &self.workers.stake(task.stake).members;
            let team = &self.workers.team(task.team).members;
            let mut members = stakeholders.iter().chain(team);
            members.any(|member| planning.contains(member))
        };
        let task = &self.tasks[slot];
        !planning.is_empty()
            && (knows(task)
                || task
                    .dependants
                    .any(|dependant| knows(&self.tasks[dependant])))
    }

    fn drop_found(&mut self) {
        for slot in self.missing.clone() {
            if !self.tasks[slot].is_missing() || !self.is_required(slot) {
                self.clear_missing(slot);
            }
        }
    }

    /// The task was announced, or nobody waits for it any more.
    pub(crate) fn clear_missing(&mut self, slot: Slot) {
        if self.missing.remove(&slot) {
            self.dead_ends.remove(&slot);
        }
    }

    // Cycles.

    fn tell_cycle(&mut self, now: Now, mut cycle: Vec<Slot>) {
        let oldest = (0..cycle.len()).min_by_key(|&at| self.tasks[cycle[at]].age);
        cycle.rotate_left(oldest.unwrap_or(0));
        let mut is_new = false;
        for (slot, reason) in self.members_of(&cycle) {
            if !self.is_in_told_cycle(slot) {
                self.tell(now, slot, reason);
                is_new = true;
            }
        }
        if is_new {
            let cycle = cycle.iter().map(|&slot| (slot, self.tasks[slot].age));
            self.cycles.push(cycle.collect());
        }
    }

    /// Takes back cycles that are none any more. Their members may still be in another one.
    fn drop_broken_cycles(&mut self) {
        for cycle in core::mem::take(&mut self.cycles) {
            if self.holds(&cycle) {
                self.cycles.push(cycle);
                continue;
            }
            for (slot, age) in cycle {
                if self.tasks.get(slot).is_some_and(|task| task.age == age) {
                    if self.is_in_told_cycle(slot) {
                        self.dead_ends.remove(&slot);
                    }
                    self.suspects.insert(slot);
                }
            }
        }
    }

    fn holds(&self, cycle: &Cycle) -> bool {
        let next = cycle.iter().skip(1).chain(cycle.first());
        cycle.iter().zip(next).all(|(&(slot, age), (next, _))| {
            let task = self.tasks.get(slot).filter(|task| task.age == age);
            task.is_some_and(|task| self.waits(slot) && task.deps.binary_search(next).is_ok())
        })
    }

    /// Cycles that can be reached from `start`.
    fn cycles_from(&self, start: Slot, marks: &mut BTreeMap<Slot, Mark>) -> Vec<Vec<Slot>> {
        let mut found = Vec::new();
        let mut path: Vec<(Slot, usize)> = Vec::new();
        if self.waits(start) && !marks.contains_key(&start) {
            marks.insert(start, Mark::OnPath);
            path.push((start, 0));
        }
        while let Some((slot, next)) = path.last_mut() {
            let Some(&dep) = self.tasks[*slot].deps.get(*next) else {
                marks.insert(*slot, Mark::Done);
                path.pop();
                continue;
            };
            *next += 1;
            match marks.get(&dep) {
                Some(Mark::Done) => {}
                Some(Mark::OnPath) => {
                    let from = path.iter().position(|&(slot, _)| slot == dep);
                    let from = from.expect("a task marked as on the path is on the path");
                    found.push(path[from..].iter().map(|&(slot, _)| slot).collect());
                }
                None if self.waits(dep) => {
                    marks.insert(dep, Mark::OnPath);
                    path.push((dep, 0));
                }
                None => {}
            }
        }
        found
    }

    pub(crate) fn waits(&self, slot: Slot) -> bool {
        let task = &self.tasks[slot];
        !task.ghost && task.status == Status::Pending && task.unmet > 0
    }

    /// The cycle as each of the first few members sees it. In a huge one the rest can be seen from
    /// there.
    fn members_of(&self, cycle: &[Slot]) -> Vec<(Slot, DeadEnd)> {
        const TOLD: usize = 16;
        const SHOWN: usize = 4096;
        let told = TOLD.min(SHOWN / cycle.len()).max(1).min(cycle.len());
        (0..told)
            .map(|start| {
                let around = cycle[start..].iter().chain(&cycle[..=start]);
                let ids = around
                    .map(|&slot| self.tasks[slot].id.to_string())
                    .collect();
                (cycle[start], DeadEnd::Cycle(ids))
            })
            .collect()
    }
}
