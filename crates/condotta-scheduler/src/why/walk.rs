//! The way from a task down to what it waits for in the end, walked in steps.
//!
//! Breadth first, so that the paths are the shortest, and along unmet dependencies alone. A row of a
//! million tasks is followed for as far as the bound goes, and no recursion follows it. What was come by
//! is kept with its age, so that it is not taken for another task that took its place between two steps.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};

use super::NAMED;
use crate::{Scheduler, Status, names::Name, read::Budget, task::Slot};

/// So many dependencies are looked at for one answer.
pub(super) const LOOKED_AT: usize = 120_000;

/// A task, also one that others only mention, at its place: another one may take the place later.
pub(super) type Spot = (Slot, u64);

/// What a task waits for in the end, the most telling first. (What tells even more is a cycle.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    NotAnnounced,
    NeedAboveLimit,
    Disabled,
    Unknown,
    Failed,
    NoWorker,
    Paused,
    Resources,
    Ready,
    Running,
}

/// Root causes of one kind.
#[derive(Default)]
pub(super) struct Roots {
    /// The first ones that were come by.
    pub(super) first: Vec<Spot>,
    /// How many there are.
    pub(super) count: usize,
}

/// How a task was come by.
#[derive(Clone, Copy)]
pub(super) struct Step {
    age: u64,
    /// Of all that were come by, which it was.
    pub(super) order: usize,
    /// The one that waits for it. Nobody waits for the first.
    pub(super) from: Option<Slot>,
}

/// What was found upstream of a task.
pub(super) struct Walk {
    pub(super) start: Slot,
    /// Every task that was come by. Nobody goes along it.
    pub(super) seen: BTreeMap<Slot, Step>,
    pub(super) roots: BTreeMap<Kind, Roots>,
    pub(super) is_exact: bool,
    assistants: BTreeSet<Name>,
    queue: VecDeque<Spot>,
    /// The next dependency of the first in the queue.
    next: usize,
    /// How many dependencies may still be looked at.
    left: usize,
}

impl Walk {
    pub(super) fn from(scheduler: &Scheduler, start: Slot) -> Self {
        let mut walk = Self {
            start,
            seen: BTreeMap::new(),
            roots: BTreeMap::new(),
            is_exact: true,
            assistants: scheduler.assistant_programs(),
            queue: VecDeque::new(),
            next: 0,
            left: LOOKED_AT,
        };
        let spot = walk.see(scheduler, start, None);
        walk.queue.push_back(spot);
        walk
    }

    /// Whether it is over.
    pub(super) fn step(&mut self, scheduler: &Scheduler, budget: &mut Budget) -> bool {
        while let Some(&(slot, age)) = self.queue.front() {
            if budget.is_spent() {
                return false;
            }
            budget.look();
            let task = scheduler.tasks.get(slot).filter(|task| task.age == age);
            let Some(&dep) = task.and_then(|task| task.deps.get(self.next)) else {
                self.queue.pop_front();
                self.next = 0;
                continue;
            };
            if self.left == 0 {
                self.is_exact = false;
                self.queue.clear();
                return true;
            }
            self.left -= 1;
            self.next += 1;
            if !scheduler.tasks[dep].is_satisfied() && !self.seen.contains_key(&dep) {
                self.come_by(scheduler, dep, slot);
            }
        }
        true
    }

    fn come_by(&mut self, scheduler: &Scheduler, slot: Slot, from: Slot) {
        let spot = self.see(scheduler, slot, Some(from));
        let Some(kind) = scheduler.kind_of(slot, &self.assistants) else {
            return self.queue.push_back(spot);
        };
        let roots = self.roots.entry(kind).or_default();
        roots.count += 1;
        if roots.first.len() < NAMED {
            roots.first.push(spot);
        }
    }

    fn see(&mut self, scheduler: &Scheduler, slot: Slot, from: Option<Slot>) -> Spot {
        let age = scheduler.tasks[slot].age;
        let order = self.seen.len();
        self.seen.insert(slot, Step { age, order, from });
        (slot, age)
    }

    /// Whether a task that was come by is there still.
    pub(super) fn is_there(&self, scheduler: &Scheduler, slot: Slot) -> bool {
        let age = self.seen.get(&slot).map(|step| step.age);
        let now = scheduler.tasks.get(slot).map(|task| task.age);
        age.is_some() && age == now
    }

    /// Whether a root cause is what it was when it was come by.
    pub(super) fn holds(&self, scheduler: &Scheduler, root: Slot, kind: Kind) -> bool {
        self.is_there(scheduler, root) && scheduler.kind_of(root, &self.assistants) == Some(kind)
    }
}

impl Scheduler {
    /// What kind of root cause a task is; `None` when it waits itself, or is done.
    fn kind_of(&self, slot: Slot, assistants: &BTreeSet<Name>) -> Option<Kind> {
        let task = &self.tasks[slot];
        if task.is_missing() {
            return Some(Kind::NotAnnounced);
        }
        match task.status {
            Status::Running | Status::BatchRunning => Some(Kind::Running),
            Status::Disabled => Some(Kind::Disabled),
            Status::Failed => Some(Kind::Failed),
            Status::Unknown => Some(Kind::Unknown),
            Status::Done => None,
            Status::Pending if self.need_above_limit(task.need).is_some() => {
                Some(Kind::NeedAboveLimit)
            }
            Status::Pending if task.unmet > 0 => None,
            Status::Pending => {
                let has_help = |program: Name| assistants.contains(&program);
                let has_worker = self.workers.connected_team(task.team).next().is_some()
                    || self.assistants(task).is_some_and(has_help);
                let amounts = self.needs.amounts(task.need);
                Some(match () {
                    () if !has_worker => Kind::NoWorker,
                    () if self.paused => Kind::Paused,
                    () if !self.limits.fits(amounts, &self.taken) => Kind::Resources,
                    () => Kind::Ready,
                })
            }
        }
    }

    /// The programs of the assistants that are there.
    fn assistant_programs(&self) -> BTreeSet<Name> {
        let workers = self.workers.iter();
        let there = workers.filter(|(_, it)| it.assistant && it.connected && !it.disabled);
        there.map(|(index, _)| self.program_of(index)).collect()
    }
}
