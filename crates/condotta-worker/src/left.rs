//! Says why tasks were left pending where the execution summary only says that they were.

use crate::{StopLevel, Worker, task_table::Phase};

/// How many tasks are told of one by one.
const TOLD: usize = 5;

impl Worker {
    /// After the main loop: what was left, and cannot be understood from other tasks.
    pub(crate) fn explain_what_is_left(&self) {
        let left = self.tasks.counts().pending;
        if left == 0 {
            return;
        }
        if self.stop_level() > StopLevel::Run {
            tracing::warn!(
                target: "luigi-interface",
                "{left} tasks were not started because the worker was told to stop",
            );
        }
        let impossible = self
            .tasks
            .in_phase(Phase::Pending)
            .filter(|task| !task.resources().is_empty())
            .filter_map(|task| Some((task, self.shared.scheduler.impossible(task.task_id())?)));
        for (task, reason) in impossible.take(TOLD) {
            tracing::warn!(
                target: "luigi-interface",
                "Task {} can never run: {reason}",
                task.display_name(),
            );
        }
    }
}
