//! What holds when the scheduler comes and goes: tasks that it forgot are announced again, and a worker
//! that ends takes leave.
//!
//! Luigi's server forgets everything when it is killed. Its workers then find that nothing is left
//! for them and leave with their work undone.

use std::{collections::BTreeSet, time::Duration};

use condotta_scheduler::{AddTask, Assignment, Status, Work, WorkerState};

use crate::{
    Scheduler, SchedulerError, StopLevel, Worker, WorkerError,
    plan::informed,
    report::{self, encode_expl},
    shared::Shared,
    task_table::{Phase, TaskIndex},
};

/// How often tasks are announced again although the scheduler was never seen to be away.
const UNSEEN_MAX: u8 = 10;
/// So much longer than usually are requests tried while something runs, as reports are.
const ROUNDS_MAX: u32 = 10;
/// Beside two pings, how long other workers have to say what they run.
const CLAIM_TIME: Duration = Duration::from_secs(1);

/// What a worker needs to announce its tasks again.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    /// What was asked for, by the program and by runs.
    roots: BTreeSet<TaskIndex>,
    /// The scheduler's absences that were dealt with.
    seen_outages: u64,
    unseen: u8,
    /// The scheduler was told something, and no farewell.
    owes_farewell: bool,
}

impl Recovery {
    pub(crate) fn note_root(&mut self, root: TaskIndex) {
        self.roots.insert(root);
        self.owes_farewell = true;
    }

    /// The scheduler believes that something runs that was stopped. An assistant may have planned
    /// nothing itself.
    pub(crate) fn note_stopped(&mut self) {
        self.owes_farewell = true;
    }

    /// Nobody is there to take leave of.
    pub(crate) fn note_failure(&mut self, error: &WorkerError) {
        if let WorkerError::Scheduler(SchedulerError::Unreachable { .. }) = error {
            self.owes_farewell = false;
        }
    }
}

impl Worker {
    /// Given the scheduler's answer, finds out whether it still has the tasks of this worker, and
    /// announces them again if not. Returns whether that was so.
    ///
    /// Tasks are planned anew, so that what is complete by now is not run again: as safe as to
    /// start the program once more, but what runs goes on.
    pub(crate) fn recover(&mut self, work: &Work) -> Result<bool, WorkerError> {
        let outages = self.shared.scheduler.outages();
        let seen = std::mem::replace(&mut self.recovery.seen_outages, outages);
        let was_away = seen != outages;
        let nothing_left = work.assignment == Assignment::Nothing
            && work.counts.n_pending_tasks == 0
            && work.counts.running_tasks.is_empty();
        let suspicious = nothing_left && self.running.is_empty();
        if !(was_away || suspicious) || work.counts.worker_state == WorkerState::Disabled {
            return Ok(false);
        }
        let planned = self.tasks.in_phase(Phase::Pending).next();
        let Some(planned) = planned.or_else(|| self.tasks.in_phase(Phase::Running).next()) else {
            return Ok(false);
        };
        let forgotten = !self.shared.scheduler.knows(planned.task_id())?;
        if !was_away {
            if !forgotten || self.recovery.unseen >= UNSEEN_MAX {
                return Ok(false);
            }
            self.recovery.unseen += 1;
        }
        if forgotten || nothing_left {
            self.announce_again()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn announce_again(&mut self) -> Result<(), WorkerError> {
        tracing::info!(
            target: "luigi-interface",
            "The scheduler has lost what worker {} told it: announcing its tasks again",
            self.shared.id,
        );
        self.add_worker()?;
        self.shared.claim_running()?;
        self.let_others_claim();
        // Batches are announced with their families.
        self.families.clear();
        for root in self.recovery.roots.clone() {
            let task = self.tasks.task(root).clone();
            match self.add(task) {
                Ok(_) | Err(WorkerError::Stopped | WorkerError::Cycle { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for index in self.running.keys() {
            self.tasks.set_phase(*index, Phase::Running);
        }
        Ok(())
    }

    /// Other workers that lost their scheduler say what they run as soon as they ping it again. What
    /// they run must not be given to anybody else, as it would be if it was announced before.
    fn let_others_claim(&self) {
        let interval = Duration::from_secs_f64(self.shared.config.ping_interval);
        let pause = interval.saturating_mul(2) + CLAIM_TIME;
        self.shared.stop.wait_for(StopLevel::Finish, pause);
    }

    /// While something runs or is not reported yet, what is asked meanwhile is tried as long as a report
    /// would be: to give up would end the worker, and lose those results.
    pub(crate) fn patiently<T>(
        &self,
        ask: impl Fn(&dyn Scheduler) -> Result<T, SchedulerError>,
    ) -> Result<T, SchedulerError> {
        let mut rounds = 1;
        loop {
            let answer = ask(&*self.shared.scheduler);
            let is_last = rounds >= ROUNDS_MAX
                || self.running.is_empty()
                || self.stop_level() >= StopLevel::Finish;
            match answer {
                Err(SchedulerError::Unreachable { .. }) if !is_last => rounds += 1,
                answer => return answer,
            }
        }
    }

    /// Tells the scheduler that this worker goes, after everything else was said. A scheduler that
    /// knows what that means gives the runs that were stopped to others; another one is told that they
    /// failed, since it knows no other way.
    pub(crate) fn take_leave(&mut self, result: &Result<(), WorkerError>) {
        if let Err(error) = result {
            self.recovery.note_failure(error);
        }
        if !self.running.is_empty() {
            self.recovery.owes_farewell = false;
        }
        let stopped = std::mem::take(&mut self.stopped);
        if std::mem::take(&mut self.recovery.owes_farewell)
            && self.shared.scheduler.release(&self.shared.id)
        {
            return;
        }
        for report in stopped {
            self.shared.report_stopped(report);
        }
    }
}

impl Shared {
    /// The program leaves while the worker itself is held up by a run: gives back what it runs.
    pub(crate) fn give_back(&self) {
        let given_up = self.claims.give_up();
        if self.scheduler.release(&self.id) {
            return;
        }
        for (task, attempt) in given_up {
            self.report_stopped(AddTask {
                status: Status::Failed,
                expl: Some(encode_expl(Some(&report::given_up(task.task_id())))),
                attempt,
                ..self.describe_end(&*task)
            });
        }
    }

    /// To a scheduler that takes nothing back.
    fn report_stopped(&self, report: AddTask) {
        let task_id = report.task_id.clone();
        match self.scheduler.add_task(report) {
            Ok(()) => informed(&task_id, Status::Failed),
            Err(error) => tracing::warn!(target: "luigi-interface", "{task_id}: {error}"),
        }
    }
}
