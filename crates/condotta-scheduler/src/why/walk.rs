//! The way from a task down to what it waits for in the end.
//!
//! Breadth first, so that the paths are the shortest, and along unmet dependencies alone. A row of a
//! million tasks is followed for as far as the budget goes, and no recursion follows it.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{Cause, Hold, Path, TaskName, Waiting};
use crate::{
    Now, Scheduler, Status,
    names::Name,
    task::{NO_SLOT, Slot},
};

/// So many dependencies are looked at for one answer, which takes some milliseconds.
const LOOKED_AT: usize = 120_000;
/// So many tasks of a path are named at each of its ends.
const PATH_END: usize = 8;

/// What a task waits for in the end, the most telling first. (What tells even more is a cycle.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
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

/// What was found upstream of a task.
struct Found {
    /// Every task that was come by, with the one that waits for it. Nobody goes along it.
    from: HashMap<Slot, Slot, FixedState>,
    /// Root causes: the first of each kind, and how many there are.
    roots: BTreeMap<Kind, (Slot, usize)>,
    is_exact: bool,
}

impl Scheduler {
    /// What holds up a task that waits for dependencies.
    pub(super) fn upstream_hold(&self, now: Now, start: Slot) -> Hold {
        let found = self.upstream(start);
        let cycle = self.cycle_among(start, &found);
        if let Some(at) = cycle.iter().position(|&slot| slot == start) {
            return self.cycle_hold(&cycle, at);
        }
        let mut causes = Vec::new();
        // The member that was come by first is the one that the shortest path leads to.
        let entry = cycle.iter().position(|&slot| {
            let before = found.from.get(&slot);
            before.is_some_and(|before| !cycle.contains(before))
        });
        if let Some(at) = entry {
            causes.push(Cause {
                count: 1,
                path: self.path_to(start, cycle[at], &found),
                status: Some(self.tasks[cycle[at]].status),
                hold: self.cycle_hold(&cycle, at),
            });
        }
        for &(root, count) in found.roots.values() {
            let task = &self.tasks[root];
            causes.push(Cause {
                count,
                path: self.path_to(start, root, &found),
                status: (!task.ghost).then_some(task.status),
                hold: self.own_hold(now, root, found.from.get(&root).copied()),
            });
        }
        let task = &self.tasks[start];
        Hold::Dependencies(Waiting {
            unmet: task.unmet as usize,
            dependencies: task.deps.len(),
            causes,
            is_exact: found.is_exact,
        })
    }

    fn upstream(&self, start: Slot) -> Found {
        let assistants = self.assistant_programs();
        let mut found = Found {
            from: HashMap::with_hasher(FixedState::with_seed(0x3a4)),
            roots: BTreeMap::new(),
            is_exact: true,
        };
        found.from.insert(start, NO_SLOT);
        let mut queue = VecDeque::from([start]);
        let mut budget = LOOKED_AT;
        while let Some(slot) = queue.pop_front() {
            for &dep in &self.tasks[slot].deps {
                let Some(left) = budget.checked_sub(1) else {
                    found.is_exact = false;
                    return found;
                };
                budget = left;
                if self.tasks[dep].is_satisfied() || found.from.contains_key(&dep) {
                    continue;
                }
                found.from.insert(dep, slot);
                match self.kind_of(dep, &assistants) {
                    None => queue.push_back(dep),
                    Some(kind) => found.roots.entry(kind).or_insert((dep, 0)).1 += 1,
                }
            }
        }
        found
    }

    /// What kind of root cause a task is; `None` when it waits itself.
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

    /// A ring of tasks that wait for each other among those that were found; empty when there is none.
    fn cycle_among(&self, start: Slot, found: &Found) -> Vec<Slot> {
        let mut is_through = HashMap::with_hasher(FixedState::with_seed(0x3a4));
        is_through.insert(start, false);
        let mut path: Vec<(Slot, usize)> = alloc::vec![(start, 0)];
        while let Some((slot, next)) = path.last_mut() {
            let Some(&dep) = self.tasks[*slot].deps.get(*next) else {
                is_through.insert(*slot, true);
                path.pop();
                continue;
            };
            *next += 1;
            if !found.from.contains_key(&dep) || !self.waits(dep) {
                continue;
            }
            match is_through.get(&dep) {
                Some(true) => {}
                Some(false) => {
                    let from = path.iter().position(|&(slot, _)| slot == dep);
                    let from = from.expect("what is not through is on the path");
                    return path[from..].iter().map(|&(slot, _)| slot).collect();
                }
                None => {
                    is_through.insert(dep, false);
                    path.push((dep, 0));
                }
            }
        }
        Vec::new()
    }

    /// The cycle as the member at `at` sees it.
    fn cycle_hold(&self, cycle: &[Slot], at: usize) -> Hold {
        let around = cycle[at..].iter().chain(&cycle[..=at]).copied();
        Hold::Cycle {
            path: self.path_of(around.collect()),
        }
    }

    /// From what `start` waits for to `end`.
    fn path_to(&self, start: Slot, end: Slot, found: &Found) -> Path {
        let before = |slot: &Slot| found.from.get(slot).copied();
        let back = core::iter::successors(Some(end), before);
        let mut slots: Vec<Slot> = back.take_while(|&slot| slot != start).collect();
        slots.reverse();
        self.path_of(slots)
    }

    fn path_of(&self, slots: Vec<Slot>) -> Path {
        let omitted = slots.len().saturating_sub(2 * PATH_END);
        let is_named = |at: usize| omitted == 0 || at < PATH_END || at >= PATH_END + omitted;
        let named = slots.iter().enumerate().filter(|(at, _)| is_named(*at));
        let tasks: Vec<TaskName> = named.map(|(_, &slot)| self.task_name(slot)).collect();
        Path { tasks, omitted }
    }
}
