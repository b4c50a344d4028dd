//! Views of the dependency graph, read in one step.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{GraphNode, GraphRead, Scheduler};

impl Scheduler {
    /// Everything, each task with what it depends on.
    #[must_use]
    pub fn graph(&self) -> Vec<(String, GraphNode)> {
        self.nodes_of(GraphRead::all())
    }

    /// The task and what it depends on, breadth first. Empty when it is not known.
    #[must_use]
    pub fn dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        self.nodes_of(GraphRead::from(task_id.to_string(), include_done))
    }

    /// The task and what depends on it, breadth first. Empty when it is not known.
    #[must_use]
    pub fn inverse_dep_graph(&self, task_id: &str, include_done: bool) -> Vec<(String, GraphNode)> {
        self.nodes_of(GraphRead::inverse_from(task_id.to_string(), include_done))
    }

    fn nodes_of(&self, mut read: GraphRead) -> Vec<(String, GraphNode)> {
        let mut nodes = Vec::new();
        read.step(self, usize::MAX, &mut |node| {
            nodes.push((node.id.to_string(), node.kind.node()));
        });
        nodes
    }
}
