//! Folds records into what there is.

use std::collections::BTreeMap;

use condotta_scheduler::{Record, TaskRecord};

/// What all records together say.
#[derive(Debug, Default)]
pub struct SavedState {
    tasks: BTreeMap<String, Box<TaskRecord>>,
    others: Vec<Record>,
}

impl SavedState {
    /// Takes one record in.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Task(task) => {
                let known = self.tasks.entry(task.task_id.clone()).or_default();
                known.task_id = task.task_id;
                known.identity = task.identity.or(known.identity.take());
                known.links = task.links.or(known.links.take());
                known.state = task.state.or(known.state.take());
            }
            Record::TaskRemoved(id) => drop(self.tasks.remove(&id)),
            other => self.others.push(other),
        }
    }

    /// All of it.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let tasks = self.tasks.values().cloned().map(Record::Task);
        self.others.iter().cloned().chain(tasks).collect()
    }

    /// How many tasks there are.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }
}
