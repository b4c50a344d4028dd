//! The answer to `why`, found in steps between which the scheduler may change.
//!
//! What is walked is kept by place; what is told is looked at again at the end, so that the answer is how
//! things are then, but for counts.

use alloc::{string::String, vec::Vec};

use super::{
    Cause, Hold, Path, TaskName, Waiting, Why,
    ring::RingSearch,
    walk::{Kind, Walk},
};
use crate::{Now, Scheduler, read::Budget, task::Slot};

/// So many tasks of a path are named at each of its ends.
const PATH_END: usize = 8;
/// So often the way is walked, if all that was found has changed meanwhile.
const TRIES: usize = 3;

/// What holds a task up, found in steps.
pub struct WhyRead {
    task_id: String,
    upstream: Option<Upstream>,
    tries: usize,
    why: Option<Why>,
}

impl WhyRead {
    /// Begins to find out what holds a task up.
    #[must_use]
    pub fn new(task_id: String) -> Self {
        Self {
            task_id,
            upstream: None,
            tries: 0,
            why: None,
        }
    }

    /// Looks at as many tasks as it takes to show about `tasks` of them, and says whether the answer is there.
    pub fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        let Some(slot) = scheduler.tasks.find(&self.task_id) else {
            self.why = None;
            return true;
        };
        let task = &scheduler.tasks[slot];
        let waits = scheduler.waits(slot) && scheduler.need_above_limit(task.need).is_none();
        let hold = if waits {
            let upstream = self.upstream.take().filter(|it| it.is_of(scheduler, slot));
            let mut upstream = upstream.unwrap_or_else(|| Upstream::of(scheduler, slot));
            if !upstream.step(scheduler, &mut Budget::of(tasks)) {
                self.upstream = Some(upstream);
                return false;
            }
            self.tries += 1;
            let hold = upstream.hold(scheduler, now);
            if self.tries < TRIES && upstream.found_any() && is_vague(&hold) {
                return false;
            }
            hold
        } else {
            scheduler.own_hold(now, slot, None)
        };
        self.why = Some(Why {
            task: scheduler.task_name(slot),
            status: (!task.ghost).then_some(task.status),
            hold,
            paused: scheduler.paused,
        });
        true
    }

    /// The answer after the last step; `None` when nothing is known of the task.
    #[must_use]
    pub fn finish(self) -> Option<Why> {
        self.why
    }
}

fn is_vague(hold: &Hold) -> bool {
    matches!(hold, Hold::Dependencies(waiting) if waiting.causes.is_empty())
}

/// What was found upstream of a task, and how to get there.
struct Upstream {
    walk: Walk,
    ring: RingSearch,
    paths: Option<Paths>,
}

impl Upstream {
    fn of(scheduler: &Scheduler, start: Slot) -> Self {
        Self {
            walk: Walk::from(scheduler, start),
            ring: RingSearch::from(start),
            paths: None,
        }
    }

    fn is_of(&self, scheduler: &Scheduler, start: Slot) -> bool {
        self.walk.start == start && self.walk.is_there(scheduler, start)
    }

    fn found_any(&self) -> bool {
        !self.walk.roots.is_empty()
    }

    fn step(&mut self, scheduler: &Scheduler, budget: &mut Budget) -> bool {
        let Self { walk, ring, paths } = self;
        if !walk.step(scheduler, budget) || !ring.step(scheduler, walk, budget) {
            return false;
        }
        let paths = paths.get_or_insert_with(|| Paths::to(scheduler, walk, ring));
        paths.step(walk, budget)
    }

    /// What holds the task up, as things are now.
    fn hold(&self, scheduler: &Scheduler, now: Now) -> Hold {
        let Self { walk, ring, paths } = self;
        let start = walk.start;
        let ring = &ring.ring;
        if let Some(at) = ring.iter().position(|&slot| slot == start)
            && let Some(hold) = self.ring_hold(scheduler, at)
        {
            return hold;
        }
        let mut causes = Vec::new();
        for path in paths.iter().flat_map(|paths| &paths.all) {
            let Some(way) = scheduler.path_of(walk, path.ends()) else {
                continue;
            };
            let (count, hold) = match path.leads_to {
                End::Ring { at } => (1, self.ring_hold(scheduler, at)),
                End::Root { kind, count } => {
                    let holds = walk.holds(scheduler, path.end, kind);
                    let from = walk.seen.get(&path.end).and_then(|step| step.from);
                    let hold = holds.then(|| scheduler.own_hold(now, path.end, from));
                    (count, hold)
                }
            };
            let task = &scheduler.tasks[path.end];
            causes.extend(hold.map(|hold| Cause {
                count,
                path: way,
                status: (!task.ghost).then_some(task.status),
                hold,
            }));
        }
        let task = &scheduler.tasks[start];
        Hold::Dependencies(Waiting {
            unmet: task.unmet as usize,
            dependencies: task.deps.len(),
            causes,
            is_exact: walk.is_exact,
        })
    }

    /// The ring as the member at `at` sees it, if it is there still.
    fn ring_hold(&self, scheduler: &Scheduler, at: usize) -> Option<Hold> {
        let ring = &self.ring.ring;
        let length = ring.len() + 1;
        let member = |step: usize| ring[(at + step) % ring.len()];
        let ends = ends_of(length, member);
        let still = |&slot: &Slot| self.walk.is_there(scheduler, slot) && scheduler.waits(slot);
        if !ends.0.iter().all(still) {
            return None;
        }
        let path = scheduler.path_of(&self.walk, ends)?;
        Some(Hold::Cycle { path })
    }
}

/// Tasks of a path that are named, and how many are left out in the middle.
type Ends = (Vec<Slot>, usize);

/// Of a path of so many tasks, those at its ends.
fn ends_of(length: usize, task: impl Fn(usize) -> Slot) -> Ends {
    let omitted = length.saturating_sub(2 * PATH_END);
    let (first, last) = match omitted {
        0 => (0..length, 0..0),
        _ => (0..PATH_END, length - PATH_END..length),
    };
    (first.chain(last).map(task).collect(), omitted)
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum End {
    /// The member at this place of the ring.
    Ring { at: usize },
    /// The first of so many root causes of a kind.
    Root { kind: Kind, count: usize },
}

/// The way to a root cause.
struct WayTo {
    leads_to: End,
    end: Slot,
    /// From the root cause back to what the task itself depends on.
    back: Vec<Slot>,
    is_whole: bool,
}

impl WayTo {
    fn new(leads_to: End, end: Slot) -> Self {
        Self {
            leads_to,
            end,
            back: alloc::vec![end],
            is_whole: false,
        }
    }

    fn ends(&self) -> Ends {
        let length = self.back.len();
        ends_of(length, |at| self.back[length - 1 - at])
    }
}

/// The ways to all root causes that are told, the most telling first.
struct Paths {
    all: Vec<WayTo>,
}

impl Paths {
    fn to(scheduler: &Scheduler, walk: &Walk, ring: &RingSearch) -> Self {
        let to_ring = ring
            .entry()
            .map(|at| WayTo::new(End::Ring { at }, ring.ring[at]));
        let to_roots = walk.roots.iter().filter_map(|(&kind, roots)| {
            let mut first = roots.first.iter();
            let (end, _) = first.find(|(slot, _)| walk.holds(scheduler, *slot, kind))?;
            let count = roots.count;
            Some(WayTo::new(End::Root { kind, count }, *end))
        });
        Self {
            all: to_ring.into_iter().chain(to_roots).collect(),
        }
    }

    /// Whether all ways are known.
    fn step(&mut self, walk: &Walk, budget: &mut Budget) -> bool {
        for path in self.all.iter_mut().filter(|path| !path.is_whole) {
            while let Some(last) = path.back.last() {
                if budget.is_spent() {
                    return false;
                }
                budget.look();
                let before = walk.seen.get(last).and_then(|step| step.from);
                match before.filter(|&before| before != walk.start) {
                    Some(before) => path.back.push(before),
                    None => break,
                }
            }
            path.is_whole = true;
        }
        true
    }
}

impl Scheduler {
    /// The path with these ends, if what is named of it is there still.
    fn path_of(&self, walk: &Walk, (named, omitted): Ends) -> Option<Path> {
        let are_there = named.iter().all(|&slot| walk.is_there(self, slot));
        let names = named.into_iter().map(|slot| self.task_name(slot));
        are_there.then(|| Path {
            tasks: names.collect::<Vec<TaskName>>(),
            omitted,
        })
    }
}
