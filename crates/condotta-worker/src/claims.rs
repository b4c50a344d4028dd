//! What runs here, as a scheduler that forgot everything has to hear of it.
//!
//! The main loop may be busy with a run for hours, so the thread that pings says it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use condotta_scheduler::{AddTask, Status};

use crate::{SchedulerError, TaskHandle, panic::guard, plan::describe, shared::Shared};

/// The tasks that run here, by id.
#[derive(Default)]
pub(crate) struct Claims {
    state: Mutex<State>,
    /// Held while a claim is on its way: a run's end is reported after it, or it is not made.
    on_its_way: Mutex<()>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<String, Claim>,
    /// The scheduler's absences that were looked into.
    seen_outages: u64,
}

struct Claim {
    task: TaskHandle,
    /// The scheduler's number of the run.
    attempt: Option<u64>,
    /// The scheduler heard of the run from here: the number that it gave the run before is void.
    renewed: bool,
}

impl Claims {
    pub(crate) fn start(&self, task: &TaskHandle, attempt: Option<u64>) {
        let claim = Claim {
            task: task.clone(),
            attempt,
            renewed: false,
        };
        self.state()
            .running
            .insert(task.task_id().to_owned(), claim);
    }

    /// The run is over. Returns whether it was claimed anew meanwhile.
    pub(crate) fn end(&self, task_id: &str) -> bool {
        let _none = self.claim_one();
        let claim = self.state().running.remove(task_id);
        claim.is_some_and(|claim| claim.renewed)
    }

    /// The program leaves: nothing runs here any more, and nothing is claimed. Returns what ran, with
    /// the scheduler's number of the run where that still holds.
    pub(crate) fn give_up(&self) -> Vec<(TaskHandle, Option<u64>)> {
        let _none = self.claim_one();
        let running = std::mem::take(&mut self.state().running);
        let runs = running.into_values();
        runs.map(|claim| (claim.task, claim.attempt.filter(|_| !claim.renewed)))
            .collect()
    }

    fn tasks(&self) -> Vec<TaskHandle> {
        let state = self.state();
        state
            .running
            .values()
            .map(|claim| claim.task.clone())
            .collect()
    }

    fn runs(&self, task_id: &str) -> bool {
        self.state().running.contains_key(task_id)
    }

    fn claim_one(&self) -> MutexGuard<'_, ()> {
        self.on_its_way
            .lock()
            .expect("nobody panics with this lock")
    }

    fn renew(&self, task_id: &str) {
        if let Some(claim) = self.state().running.get_mut(task_id) {
            claim.renewed = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with this lock")
    }
}

impl Shared {
    /// After the scheduler was away: if it does not know what runs here, it is told.
    pub(crate) fn claim_after_outage(&self) -> Result<(), SchedulerError> {
        let outages = self.scheduler.outages();
        let seen = std::mem::replace(&mut self.claims.state().seen_outages, outages);
        if seen == outages {
            return Ok(());
        }
        match self.claims.tasks().first() {
            Some(task) if !self.scheduler.knows(task.task_id())? => self.claim_running(),
            _ => Ok(()),
        }
    }

    /// Says what runs here, before anybody else is given it.
    pub(crate) fn claim_running(&self) -> Result<(), SchedulerError> {
        for task in self.claims.tasks() {
            // A claim that comes after the report of a failure would have the task run for ever.
            let _one = self.claims.claim_one();
            if !self.claims.runs(task.task_id()) {
                continue;
            }
            let described = guard(|| describe(&*task, &self.id, None));
            let claim = AddTask {
                status: Status::Running,
                ..described.unwrap_or_else(|_| AddTask::new(&self.id, task.task_id()))
            };
            match self.scheduler.add_task(claim) {
                // If somebody else has it, this run's report is not heard.
                Ok(()) | Err(SchedulerError::Refused { .. }) => self.claims.renew(task.task_id()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
