//! Graphs of tasks, breadth first as Luigi's visualiser asks for them, read in steps.
//!
//! What is still to be shown is kept by id, so that it is found whatever became of it: what is gone
//! when its turn comes is shown as what others mention.

use alloc::{
    collections::{BTreeSet, BinaryHeap, VecDeque},
    string::{String, ToString},
    vec::Vec,
};
use core::cmp::Reverse;

use crate::{
    GraphNode, Scheduler, ShownTask, Status,
    names::Name,
    read::{Budget, Place},
    task::{Slot, Task},
};

/// A node of a graph, seen in place.
pub struct ShownNode<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whether a walk begins here: no node before it led to it.
    pub is_root: bool,
    /// What it is.
    pub kind: NodeKind<'a>,
}

/// What a node of a graph is.
pub enum NodeKind<'a> {
    /// A task that was announced.
    Task {
        /// The task.
        task: ShownTask<'a>,
        /// The ids of the next nodes, in id order: its dependencies, or what depends on it.
        next: Vec<&'a str>,
    },
    /// Only mentioned by others.
    Placeholder {
        /// What the id seems to name.
        family: &'a str,
    },
}

impl NodeKind<'_> {
    /// All of this, to keep.
    #[must_use]
    pub fn node(&self) -> GraphNode {
        match self {
            Self::Task { task, next } => {
                let mut view = task.view();
                view.deps = next.iter().map(ToString::to_string).collect();
                GraphNode::Task(view)
            }
            Self::Placeholder { family } => GraphNode::Placeholder {
                family: (*family).to_string(),
            },
        }
    }
}

/// `graph`, `dep_graph` or `inverse_dep_graph`, in steps.
pub struct GraphRead {
    roots: Roots,
    is_inverse: bool,
    include_done: bool,
    /// What was shown or is in the queue.
    seen: BTreeSet<Place>,
    queue: VecDeque<String>,
    /// The first of the queue is a root.
    at_root: bool,
    /// How many nodes this root has led to.
    nodes: u64,
}

/// Where walks begin.
enum Roots {
    One(Option<String>),
    /// Everywhere, the oldest task first: they are gathered from this slot on.
    Gathering(Slot, BinaryHeap<Reverse<(u64, Slot)>>),
    Gathered(BinaryHeap<Reverse<(u64, Slot)>>),
}

impl GraphRead {
    /// Begins to read everything, each task with what it depends on.
    #[must_use]
    pub fn all() -> Self {
        Self::new(Roots::Gathering(0, BinaryHeap::new()), false, true)
    }

    /// Begins to read the task and what it depends on.
    #[must_use]
    pub fn from(task_id: String, include_done: bool) -> Self {
        Self::new(Roots::One(Some(task_id)), false, include_done)
    }

    /// Begins to read the task and what depends on it.
    #[must_use]
    pub fn inverse_from(task_id: String, include_done: bool) -> Self {
        Self::new(Roots::One(Some(task_id)), true, include_done)
    }

    fn new(roots: Roots, is_inverse: bool, include_done: bool) -> Self {
        Self {
            roots,
            is_inverse,
            include_done,
            seen: BTreeSet::new(),
            queue: VecDeque::new(),
            at_root: false,
            nodes: 0,
        }
    }

    /// Looks at about `tasks` tasks, passes the nodes to `show`, and says whether that was all.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        show: &mut dyn FnMut(ShownNode<'_>),
    ) -> bool {
        let mut budget = Budget::of(tasks);
        while !budget.is_spent() {
            if let Some(id) = self.queue.pop_front() {
                self.node(scheduler, &id, &mut budget, show);
                self.nodes += 1;
                if self.nodes >= scheduler.config.max_graph_nodes {
                    self.queue.clear();
                }
                continue;
            }
            budget.look();
            let root = match self.next_root(scheduler) {
                None => return true,
                Some(root) => root,
            };
            if let Some(root) = root
                && self.seen.insert(root)
            {
                self.queue.push_back(scheduler.tasks[root.0].id.to_string());
                self.at_root = true;
                self.nodes = 0;
            }
        }
        false
    }

    /// The next root; `Some(None)` when there may be others.
    fn next_root(&mut self, scheduler: &Scheduler) -> Option<Option<Place>> {
        match &mut self.roots {
            Roots::One(task_id) => {
                let slot = scheduler.tasks.find_task(&task_id.take()?)?;
                Some(scheduler.place(slot))
            }
            Roots::Gathering(next, heap) => {
                if *next >= scheduler.tasks.places() {
                    self.roots = Roots::Gathered(core::mem::take(heap));
                    return Some(None);
                }
                let place = scheduler.place(*next);
                heap.extend(place.map(|(slot, age)| Reverse((age, slot))));
                *next += 1;
                Some(None)
            }
            Roots::Gathered(heap) => {
                let Reverse((age, slot)) = heap.pop()?;
                Some(scheduler.place(slot).filter(|place| place.1 == age))
            }
        }
    }

    fn node(
        &mut self,
        scheduler: &Scheduler,
        id: &str,
        budget: &mut Budget,
        show: &mut dyn FnMut(ShownNode<'_>),
    ) {
        let is_root = core::mem::take(&mut self.at_root);
        let found = scheduler.tasks.find_task(id);
        let known = found.filter(|&slot| scheduler.tasks[slot].family != Name::EMPTY);
        let Some(slot) = known else {
            budget.show(0);
            let family = guess_family(id);
            return show(ShownNode {
                id,
                is_root,
                kind: NodeKind::Placeholder { family },
            });
        };
        let around = self.around(scheduler, &scheduler.tasks[slot]);
        let task = ShownTask::new(scheduler, slot);
        let ids = around.iter().map(|&slot| &*scheduler.tasks[slot].id);
        budget.show(task.parts() + around.len());
        show(ShownNode {
            id,
            is_root,
            kind: NodeKind::Task {
                task,
                next: ids.collect(),
            },
        });
        for slot in around {
            let next = &scheduler.tasks[slot];
            if self.seen.insert((slot, next.age)) {
                self.queue.push_back(next.id.to_string());
            }
        }
    }

    /// The next nodes of the walk, by id.
    fn around(&self, scheduler: &Scheduler, task: &Task) -> Vec<Slot> {
        let mut around = if self.is_inverse {
            task.dependants.to_vec()
        } else {
            task.deps.to_vec()
        };
        if !self.include_done {
            around.retain(|&slot| !scheduler.tasks[slot].is_satisfied());
        }
        around.sort_unstable_by(|&one, &other| {
            scheduler.tasks[one].id.cmp(&scheduler.tasks[other].id)
        });
        around
    }
}

/// The family that an id seems to have: what stands before the first `_` or `(`.
fn guess_family(id: &str) -> &str {
    match id.find(['_', '(']) {
        Some(end) if end > 0 => &id[..end],
        _ => Status::Unknown.name(),
    }
}
