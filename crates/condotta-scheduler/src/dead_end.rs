//! Finds tasks that can never run as things are, and tells why. Looks only at what changed since
//! it looked last.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec::Vec,
};

use crate::{DeadEnd, Event, Now, Scheduler, Status, resource::NeedId, task::Slot};

/// How far a walk along dependencies has come with a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    OnPath,
    Done,
}

impl Scheduler {
    pub(crate) fn find_dead_ends(&mut self, now: Now) {
        if core::mem::take(&mut self.limits_changed) {
            self.dead_ends
                .retain(|_, reason| !matches!(reason, DeadEnd::NeedAboveLimit { .. }));
            let impossible: BTreeSet<NeedId> = self
                .needs
                .iter()
                .filter(|(id, _)| self.need_above_limit(*id).is_some())
                .map(|(id, _)| id)
                .collect();
            if !impossible.is_empty() {
                let pending = self.tasks.with_status(Status::Pending);
                let hit: Vec<Slot> = pending
                    .filter(|&slot| impossible.contains(&self.tasks[slot].need))
                    .collect();
                self.suspects.extend(hit);
            }
        }
        let suspects = core::mem::take(&mut self.suspects);
        let mut marks = BTreeMap::new();
        for slot in suspects {
            if self.tasks.get(slot).is_none_or(|task| task.ghost) {
                continue;
            }
            if let Some(reason) = self.own_dead_end(now, slot) {
                self.tell(now, slot, reason);
            }
            for (slot, reason) in self.cycle_from(slot, &mut marks) {
                self.tell(now, slot, reason);
            }
        }
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

    fn own_dead_end(&mut self, now: Now, slot: Slot) -> Option<DeadEnd> {
        let task = &self.tasks[slot];
        if task.status == Status::Unknown && !task.announced {
            // Workers announce a task before what it depends on, so the latter may just be on its
            // way. As long as a worker is given to come back, so long it is waited for here.
            let age = now.monotonic.since(task.updated_monotonic);
            if age > self.config.worker_disconnect_delay {
                return Some(DeadEnd::NeverAnnounced);
            }
            self.suspects.insert(slot);
            return None;
        }
        if task.status != Status::Pending {
            return None;
        }
        self.need_above_limit(task.need)
    }

    fn need_above_limit(&self, need: NeedId) -> Option<DeadEnd> {
        let mut amounts = self.needs.amounts(need).iter();
        let &(name, amount) = amounts.find(|&&(name, amount)| amount > self.limits.limit(name))?;
        Some(DeadEnd::NeedAboveLimit {
            resource: self.names.text(name).to_string(),
            amount,
            limit: self.limits.limit(name),
        })
    }

    /// The members of a cycle that can be reached from `start`, each with the path from and to it.
    fn cycle_from(&self, start: Slot, marks: &mut BTreeMap<Slot, Mark>) -> Vec<(Slot, DeadEnd)> {
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
                    let cycle: Vec<Slot> = path[from..].iter().map(|&(slot, _)| slot).collect();
                    found.extend(self.members_of(&cycle));
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

    fn waits(&self, slot: Slot) -> bool {
        let task = &self.tasks[slot];
        !task.ghost && task.status == Status::Pending && task.unmet > 0
    }

    /// The cycle as each of the first few members sees it. In a huge one the rest can be seen from
    /// there.
    fn members_of(&self, cycle: &[Slot]) -> Vec<(Slot, DeadEnd)> {
        const TOLD: usize = 16;
        (0..cycle.len().min(TOLD))
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
