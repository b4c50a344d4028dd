//! What operators ask for: forgive, enable, mark done, pause, change limits, speak to workers.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
};

use crate::{
    Answer, AttemptEnd, Event, Now, Scheduler, ShownTask, Status, TaskView, WorkerMessage,
    changes::part,
    scheduler::{check_length, check_name},
};

impl Scheduler {
    /// Makes a failed task pending at once; its failures still count. The status after that, or
    /// `None` when the task is not known.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn forgive_failures(&mut self, now: Now, task_id: &str) -> Answer<Option<Status>> {
        Ok(self.change_status(now, task_id, &[Status::Failed], Status::Pending))
    }

    /// Takes a running, failed or disabled task for done. The status after that, or `None` when the
    /// task is not known.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn mark_as_done(&mut self, now: Now, task_id: &str) -> Answer<Option<Status>> {
        let from = [Status::Running, Status::Failed, Status::Disabled];
        Ok(self.change_status(now, task_id, &from, Status::Done))
    }

    fn change_status(
        &mut self,
        now: Now,
        task_id: &str,
        from: &[Status],
        to: Status,
    ) -> Option<Status> {
        let slot = self.tasks.find_task(task_id)?;
        if from.contains(&self.tasks[slot].status) {
            self.emit_history(now, slot, to, None);
            self.ending(AttemptEnd::MarkedDone, |scheduler| {
                scheduler.set_status(now, slot, to);
            });
        }
        Some(self.tasks[slot].status)
    }

    /// Disables a task that neither runs nor is done, until somebody enables it: no worker can change
    /// that, except by finding it complete. The status after that, or `None` when the task is not
    /// known.
    ///
    /// # Errors
    ///
    /// None so far.
    pub fn disable_task(&mut self, now: Now, task_id: &str) -> Answer<Option<Status>> {
        let Some(slot) = self.tasks.find_task(task_id) else {
            return Ok(None);
        };
        let task = &self.tasks[slot];
        if !task.is_running() && task.status != Status::Done {
            self.set_status(now, slot, Status::Disabled);
            let rare = self.tasks[slot].rare_mut();
            rare.scheduler_disabled.get_or_insert(now.monotonic);
            rare.operator_disabled = true;
            self.changed(slot, part::STATE);
        }
        Ok(Some(self.tasks[slot].status))
    }

    /// Enables a task that was disabled because it failed too often, or by an operator. In the first
    /// case it is failed then, as in Luigi, and tried again after the retry delay; in the other it is
    /// pending. `None` when there is nothing to enable.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn re_enable_task(&mut self, now: Now, task_id: &str) -> Answer<Option<TaskView>> {
        let slot = self.tasks.find_task(task_id).filter(|&slot| {
            let task = &self.tasks[slot];
            task.status == Status::Disabled && task.scheduler_disabled().is_some()
        });
        Ok(slot.map(|slot| {
            if self.tasks[slot].operator_disabled() {
                self.clear_disable(slot);
                self.set_status(now, slot, Status::Pending);
            } else {
                self.re_enable(now, slot);
            }
            ShownTask::new(self, slot).view()
        }))
    }

    /// Gives the worker no more work. It finishes what it runs.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn disable_worker(&mut self, now: Now, worker: &str) -> Answer<()> {
        let worker = self.worker(now, worker)?;
        if !self.workers[worker].disabled {
            self.workers.leave_teams(worker);
            // What was recorded of its membership means nothing any more.
            self.workers[worker].team_serial = self.workers.take_serial();
            self.workers[worker].disabled = true;
            self.worker_changed(worker);
            self.note_worker(worker);
            self.note_contention();
            self.emit(|scheduler| Event::WorkerDisabled {
                at: now.wall,
                worker: scheduler.workers[worker].id.to_string(),
            });
        }
        Ok(())
    }

    /// Has the worker change the number of its processes, when it asks for messages next.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn set_worker_processes(&mut self, now: Now, worker: &str, n: u64) -> Answer<()> {
        let worker = self.worker(now, worker)?;
        let message = WorkerMessage::SetWorkerProcesses { n };
        self.workers[worker].messages.push(message);
        self.worker_changed(worker);
        Ok(())
    }

    /// Sends a message to a running task; its id, or `None` when messages are switched off.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn send_scheduler_message(
        &mut self,
        now: Now,
        worker: &str,
        task_id: &str,
        content: String,
    ) -> Answer<Option<String>> {
        if !self.config.send_messages {
            return Ok(None);
        }
        check_length("the message", &content)?;
        let worker = self.worker(now, worker)?;
        let message_id = self.message_id();
        let message = WorkerMessage::DispatchSchedulerMessage {
            task_id: task_id.to_string(),
            message_id: message_id.clone(),
            content,
        };
        self.workers[worker].messages.push(message);
        self.worker_changed(worker);
        Ok(Some(message_id))
    }

    /// An id in the form of a random UUID, as Luigi's are.
    fn message_id(&mut self) -> String {
        let (high, low) = (self.next_random(), self.next_random());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// The answer of a task to a message; it can be read once.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn get_scheduler_message_response(
        &mut self,
        _now: Now,
        task_id: &str,
        message_id: &str,
    ) -> Answer<Option<String>> {
        let Some(slot) = self.tasks.find_task(task_id) else {
            return Ok(None);
        };
        let rare = self.tasks[slot].rare.as_mut();
        let response = rare.and_then(|rare| rare.responses.remove(message_id));
        if response.is_some() {
            self.changed(slot, part::STATE);
        }
        Ok(response)
    }

    /// Hands nothing out until [`Self::unpause`]. Ignored when pausing is switched off.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn pause(&mut self, now: Now) -> Answer<()> {
        self.set_paused(now, true);
        Ok(())
    }

    /// Hands work out again.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn unpause(&mut self, now: Now) -> Answer<()> {
        self.set_paused(now, false);
        self.note_everybody();
        Ok(())
    }

    fn set_paused(&mut self, now: Now, paused: bool) {
        if self.config.pause_enabled && self.paused != paused {
            self.paused = paused;
            self.paused_changed();
            let at = now.wall;
            self.emit(|_| Event::Paused { at, paused });
        }
    }

    /// Sets several limits; others stay.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn update_resources(&mut self, now: Now, limits: BTreeMap<String, u64>) -> Answer<()> {
        for resource in limits.keys() {
            check_name("the resource", resource)?;
        }
        for (resource, limit) in limits {
            self.update_resource(now, &resource, limit)?;
        }
        Ok(())
    }

    /// Sets one limit.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when a name or text is none or too long. Nothing has changed then.
    pub fn update_resource(&mut self, now: Now, resource: &str, limit: u64) -> Answer<()> {
        check_name("the resource", resource)?;
        let (resource, changed) = self.limits.set(&mut self.needs, resource, limit);
        if changed {
            self.changed_limits.insert(resource);
            self.limit_changed(resource);
            self.note_contention();
            self.emit(|scheduler| Event::LimitChanged {
                at: now.wall,
                resource: scheduler.needs.name(resource).to_string(),
                limit,
            });
        }
        Ok(())
    }
}
