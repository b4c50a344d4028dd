//! What a worker told its scheduler and heard from it, as far as the execution summary needs it.

use std::collections::HashSet;

use condotta_scheduler::{RunningTask, Status};

use crate::task_table::TaskIndex;

/// One report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) index: TaskIndex,
    pub(crate) status: Status,
    pub(crate) runnable: bool,
}

#[derive(Default)]
pub(crate) struct History {
    told: Vec<Told>,
    /// Other workers in the order in which they were heard of, with the ids of what they ran.
    others: Vec<(String, Vec<String>)>,
    others_seen: HashSet<(String, String)>,
}

impl History {
    /// As in Luigi, a report that does not say whether the task is runnable counts as "not".
    pub(crate) fn push(&mut self, index: TaskIndex, status: Status, runnable: Option<bool>) {
        self.told.push(Told {
            index,
            status,
            runnable: runnable.unwrap_or(false),
        });
    }

    /// There was nothing to do here while these tasks ran.
    pub(crate) fn saw_running(&mut self, running: &[RunningTask], own_id: &str) {
        for task in running.iter().filter(|task| task.worker != own_id) {
            let seen = (task.worker.clone(), task.task_id.clone());
            if !self.others_seen.insert(seen) {
                continue;
            }
            match self
                .others
                .iter_mut()
                .find(|(worker, _)| *worker == task.worker)
            {
                Some((_, ids)) => ids.push(task.task_id.clone()),
                None => self
                    .others
                    .push((task.worker.clone(), vec![task.task_id.clone()])),
            }
        }
    }

    pub(crate) fn told(&self) -> &[Told] {
        &self.told
    }

    pub(crate) fn others(&self) -> &[(String, Vec<String>)] {
        &self.others
    }
}
