//! An operator ends a run. Luigi cannot.
//!
//! The scheduler asks the worker, which ends the run and reports that it failed. However the run ends
//! then, unless it is done: the task is disabled until an operator enables it, so it is not run again by
//! itself. Only the attempt that was meant is ended; a later one is another run.

use alloc::{boxed::Box, string::ToString};

use crate::{
    Answer, AttemptEnd, CancelAnswer, CancelAsk, Cancelling, Event, InfoValue, Now, Refusal,
    Scheduler, Status, WorkerMessage,
    changes::part,
    prune::Timer,
    scheduler::{check_length, check_name},
    task::Slot,
    worker::WorkerIndex,
};

/// What a worker says of itself that ends runs when it is asked to.
const CANCELS: &str = "cancels";

impl Scheduler {
    /// Asks the worker that runs the task to end the run, in the name of `by`. Asking twice is asking
    /// once, but that the worker is told again. With an `attempt`, only if that one runs.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when a name is none, the task does not run, another attempt runs, or its worker
    /// cannot end runs. Nothing has changed then.
    pub fn cancel_task(
        &mut self,
        now: Now,
        task_id: &str,
        attempt: Option<u64>,
        by: &str,
    ) -> Answer<Cancelling> {
        check_name("the task id", task_id)?;
        check_length("who cancels", by)?;
        let slot = self.tasks.find_task(task_id);
        let slot = slot.map(|slot| self.combined(slot));
        let not_running = |status: Option<Status>| Refusal::NotRunning {
            task_id: task_id.to_string(),
            status,
        };
        let Some(slot) = slot else {
            return Err(not_running(None));
        };
        let task = &self.tasks[slot];
        let current = u64::from(task.attempt);
        let worker = match task.worker_running {
            Some(worker) if task.is_running() => worker,
            _ => return Err(not_running(Some(task.status))),
        };
        if let Some(attempt) = attempt.filter(|attempt| *attempt != current) {
            return Err(Refusal::OtherAttempt {
                task_id: task_id.to_string(),
                attempt,
                current,
            });
        }
        if !self.claims(worker, CANCELS) {
            return Err(Refusal::CannotCancel {
                task_id: task_id.to_string(),
                worker: self.workers[worker].id.to_string(),
            });
        }
        let task_id = self.tasks[slot].id.to_string();
        let mut slots = alloc::vec![slot];
        if let Some(batch_id) = self.tasks[slot].batch_id() {
            slots.extend(self.batches.members(batch_id));
        }
        let is_new = self.cancel_ask(slot).is_none_or(|ask| ask.refused);
        for slot in slots {
            let rare = self.tasks[slot].rare_mut();
            // Once it was refused, it is asked anew.
            rare.cancel = rare.cancel.take().filter(|ask| !ask.refused);
            rare.cancel.get_or_insert_with(|| {
                Box::new(CancelAsk {
                    by: by.to_string(),
                    at: now.wall,
                    answer: None,
                    refused: false,
                })
            });
            self.changed(slot, part::STATE);
        }
        let ask = self.cancel_ask(slot).expect("it was set above").clone();
        let message = WorkerMessage::CancelTask {
            task_id: task_id.clone(),
            attempt: current,
            by: ask.by.clone(),
        };
        let messages = &mut self.workers[worker].messages;
        if !messages.contains(&message) {
            messages.push(message);
            self.worker_changed(worker);
        }
        let worker = self.workers[worker].id.to_string();
        if is_new {
            self.emit(|_| Event::CancelAsked {
                at: now.wall,
                task_id: task_id.clone(),
                attempt: current,
                worker: worker.clone(),
                by: ask.by.clone(),
            });
        }
        Ok(Cancelling {
            task_id,
            attempt: current,
            worker: Some(worker),
            status: self.tasks[slot].status,
            can_be_cancelled: true,
            ask: Some(ask),
            cancelled_by: None,
        })
    }

    /// A worker says what it makes of being asked to end a run, or that it cannot: then the run goes on as if
    /// nobody had asked, and is only remembered. Of a run that it does not have, nothing is noted.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when a name is none or the answer is longer than is kept. Nothing has changed then.
    pub fn answer_cancel(
        &mut self,
        now: Now,
        worker: &str,
        task_id: &str,
        attempt: Option<u64>,
        answer: CancelAnswer,
    ) -> Answer<()> {
        let CancelAnswer { text, refused } = answer;
        check_length("the answer", &text)?;
        let worker = self.contact(now, worker)?;
        let Some(slot) = self.tasks.find_task(task_id) else {
            return Ok(());
        };
        let task = &self.tasks[slot];
        let current = u64::from(task.attempt);
        let is_meant = task.is_running()
            && task.worker_running == Some(worker)
            && attempt.is_none_or(|attempt| attempt == current);
        if !is_meant || self.cancel_ask(slot).is_none() {
            return Ok(());
        }
        let mut slots = alloc::vec![slot];
        if let Some(batch_id) = self.tasks[slot].batch_id().filter(|_| refused) {
            slots.extend(self.batches.members(batch_id));
        }
        for slot in slots {
            if let Some(ask) = &mut self.tasks[slot].rare_mut().cancel {
                ask.answer = Some(text.clone());
                ask.refused = refused;
                self.changed(slot, part::STATE);
            }
        }
        if refused {
            self.emit(|scheduler| Event::CancelRefused {
                at: now.wall,
                task_id: task_id.to_string(),
                attempt: current,
                worker: scheduler.workers[worker].id.to_string(),
                answer: text.clone(),
            });
        }
        Ok(())
    }

    /// How it stands with the end of a task's run; `None` when the task is not known.
    #[must_use]
    pub fn cancelling(&self, task_id: &str) -> Option<Cancelling> {
        let slot = self.combined(self.tasks.find_task(task_id)?);
        let task = &self.tasks[slot];
        let worker = task.worker_running;
        Some(Cancelling {
            task_id: task.id.to_string(),
            attempt: u64::from(task.attempt),
            worker: worker.map(|worker| self.workers[worker].id.to_string()),
            status: task.status,
            can_be_cancelled: task.is_running()
                && worker.is_some_and(|worker| self.claims(worker, CANCELS)),
            ask: self.cancel_ask(slot).cloned(),
            cancelled_by: task.cancelled().map(ToString::to_string),
        })
    }

    fn cancel_ask(&self, slot: Slot) -> Option<&CancelAsk> {
        self.tasks[slot].rare.as_ref()?.cancel.as_deref()
    }

    /// For the member of a batch that runs, the combined task: it is what a worker can end.
    fn combined(&self, slot: Slot) -> Slot {
        let task = &self.tasks[slot];
        let (Status::BatchRunning, Some(batch_id), Some(worker)) =
            (task.status, task.batch_id(), task.worker_running)
        else {
            return slot;
        };
        let owned = self.workers[worker].owned.iter();
        let mut runs = owned.map(|&(_, slot)| slot).filter(|&other| {
            let other = &self.tasks[other];
            other.status == Status::Running && other.batch_id() == Some(batch_id)
        });
        runs.next().unwrap_or(slot)
    }

    /// Whether the worker said this of itself.
    pub(crate) fn claims(&self, worker: WorkerIndex, what: &str) -> bool {
        let mut info = self.workers[worker].info.iter();
        info.any(|(name, value)| name == what && *value == InfoValue::Bool(true))
    }

    /// Whether the run of this task was to be ended, and ends now in any other way than well.
    pub(crate) fn is_cancelled(&self, slot: Slot, new: Status) -> bool {
        let ends = !matches!(new, Status::Running | Status::BatchRunning | Status::Done);
        let is_asked = self.cancel_ask(slot).is_some_and(|ask| !ask.refused);
        ends && self.tasks[slot].is_running() && is_asked
    }

    /// The run ended as it was asked to: nobody runs the task again until an operator says so.
    pub(crate) fn finish_cancel(&mut self, now: Now, slot: Slot, new: Status) {
        let task = &self.tasks[slot];
        let is_only_combined = task.batch_id().is_some() && !task.batchable;
        if task.status == Status::Running {
            self.end_batch(now, slot, new);
        }
        let rare = self.tasks[slot].rare_mut();
        let ask = rare.cancel.take();
        rare.scheduler_disabled = Some(now.monotonic);
        rare.operator_disabled = true;
        rare.cancelled = ask.map(|ask| ask.by.into());
        if self.end.is_some() {
            // Its worker said nothing of the end, so what stands there is of an earlier run.
            let text = "\"The run was to be cancelled, and its worker went.\"";
            self.tasks[slot].expl = Some(text.into());
        }
        self.ending(AttemptEnd::Cancelled, |scheduler| {
            scheduler.move_to(now, slot, Status::Disabled);
        });
        if is_only_combined {
            self.tasks[slot].rare_mut().remove = Some(now.monotonic);
            self.timers.insert((now.monotonic, Timer::Remove(slot)));
        }
    }
}
