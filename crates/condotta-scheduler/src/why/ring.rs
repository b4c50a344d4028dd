//! A ring of tasks that wait for each other, looked for in steps among what a walk came by.

use alloc::{collections::BTreeMap, vec::Vec};

use super::walk::{LOOKED_AT, Walk};
use crate::{Scheduler, read::Budget, task::Slot};

/// The search for a ring; no more than one is found.
pub(super) struct RingSearch {
    /// The tasks that were gone into, and whether all below them was looked at.
    is_through: BTreeMap<Slot, bool>,
    /// From the walk's start to where the search is, each with its next dependency.
    path: Vec<(Slot, usize)>,
    /// How many dependencies may still be looked at.
    left: usize,
    /// The members, each of which waits for the next.
    pub(super) ring: Vec<Slot>,
    /// How many of the members were asked when they were come by.
    asked: usize,
    /// The member that was come by first, and when.
    first: Option<(usize, usize)>,
}

impl RingSearch {
    pub(super) fn from(start: Slot) -> Self {
        Self {
            is_through: [(start, false)].into(),
            path: alloc::vec![(start, 0)],
            left: LOOKED_AT,
            ring: Vec::new(),
            asked: 0,
            first: None,
        }
    }

    /// Whether it is over.
    pub(super) fn step(&mut self, scheduler: &Scheduler, walk: &Walk, budget: &mut Budget) -> bool {
        while let Some((slot, next)) = self.path.last_mut() {
            if budget.is_spent() {
                return false;
            }
            budget.look();
            let task = scheduler.tasks.get(*slot);
            let Some(&dep) = task.and_then(|task| task.deps.get(*next)) else {
                self.is_through.insert(*slot, true);
                self.path.pop();
                continue;
            };
            *next += 1;
            if self.left == 0 {
                self.path.clear();
                break;
            }
            self.left -= 1;
            if !scheduler.waits(dep) || !walk.seen.contains_key(&dep) {
                continue;
            }
            match self.is_through.get(&dep) {
                Some(true) => {}
                Some(false) => {
                    let from = self.path.iter().position(|&(slot, _)| slot == dep);
                    let from = from.expect("what is not through is on the path");
                    self.ring = self.path[from..].iter().map(|&(slot, _)| slot).collect();
                    self.path.clear();
                }
                None => {
                    self.is_through.insert(dep, false);
                    self.path.push((dep, 0));
                }
            }
        }
        self.ask(walk, budget)
    }

    /// Finds out which of the members was come by first.
    fn ask(&mut self, walk: &Walk, budget: &mut Budget) -> bool {
        while let Some(slot) = self.ring.get(self.asked) {
            if budget.is_spent() {
                return false;
            }
            budget.look();
            let order = walk.seen.get(slot).map(|step| step.order);
            let found = order.map(|order| (order, self.asked));
            self.first = self.first.into_iter().chain(found).min();
            self.asked += 1;
        }
        true
    }

    /// The place among the members of the one that the shortest path leads to; nothing without a ring.
    pub(super) fn entry(&self) -> Option<usize> {
        self.first.map(|(_, at)| at)
    }
}
