//! Views of the dependency graph, breadth first from a task, as Luigi's visualiser asks for them.

use alloc::{
    collections::{BTreeSet, VecDeque},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    GraphNode, Scheduler, Status,
    names::Name,
    task::{Slot, Task},
};

impl Scheduler {
    /// Everything, each task with what it depends on.
    #[must_use]
    pub fn graph(&self) -> Vec<(String, GraphNode)> {
        let mut roots: Vec<(u64, Slot)> = self
            .tasks
            .iter()
            .map(|(slot, task)| (task.age, slot))
            .collect();
        roots.sort_unstable();
        let mut seen = BTreeSet::new();
        let mut nodes = Vec::new();
        for (_, root) in roots {
            if seen.insert(root) {
                nodes.extend(self.traverse(root, &mut seen, |task| task.deps.to_vec(), true));
            }
        }
        nodes
    }

    /// The task and what it depends on, breadth first. Empty when it is not known.
    #[must_use]
    pub fn dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        self.graph_from(task_id, include_done, |task| task.deps.to_vec())
    }

    /// The task and what depends on it, breadth first. Empty when it is not known.
    #[must_use]
    pub fn inverse_dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        self.graph_from(task_id, include_done, |task| task.dependants.to_vec())
    }

    fn graph_from(
        &self,
        task_id: &str,
        include_done: bool,
        next: impl Fn(&Task) -> Vec<Slot>,
    ) -> Vec<(String, GraphNode)> {
        self.tasks.find_task(task_id).map_or_else(Vec::new, |root| {
            self.traverse(root, &mut BTreeSet::from([root]), next, include_done)
        })
    }

    /// `root` is in `seen` already.
    fn traverse(
        &self,
        root: Slot,
        seen: &mut BTreeSet<Slot>,
        next: impl Fn(&Task) -> Vec<Slot>,
        include_done: bool,
    ) -> Vec<(String, GraphNode)> {
        let mut nodes = Vec::new();
        let mut queue = VecDeque::from([root]);
        while let Some(slot) = queue.pop_front() {
            let task = &self.tasks[slot];
            let id = task.id.to_string();
            if task.ghost || task.family == Name::EMPTY {
                let family = guess_family(&id);
                nodes.push((id, GraphNode::Placeholder { family }));
            } else {
                let mut around = next(task);
                around.retain(|&slot| {
                    include_done
                        || self.tasks[slot].ghost
                        || self.tasks[slot].status != Status::Done
                });
                around.sort_by(|&one, &other| self.tasks[one].id.cmp(&self.tasks[other].id));
                let mut view = self.task_view(slot);
                view.deps = self.ids(&around);
                nodes.push((id, GraphNode::Task(view)));
                queue.extend(around.into_iter().filter(|&slot| seen.insert(slot)));
            }
            if nodes.len() as u64 >= self.config.max_graph_nodes {
                break;
            }
        }
        nodes
    }
}

/// The family that an id seems to have: what stands before the first `_` or `(`.
fn guess_family(id: &str) -> String {
    match id.find(['_', '(']) {
        Some(end) if end > 0 => id[..end].to_string(),
        _ => Status::Unknown.name().to_string(),
    }
}
