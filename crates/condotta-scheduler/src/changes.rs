//! What requests changed, as records.
//!
//! A changed task gets a mark for each part that changed, so that a request pays for what it does
//! and only the last change of a part counts. What follows from tasks (queues, counters, lists) is
//! in no record. Knows nothing of where records go.

use alloc::{
    boxed::Box,
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    BatcherRecord, Param, Record, RetryPolicy, Scheduler, TaskIdentity, TaskLinks, TaskRecord,
    TaskState, Visibility, WorkerRecord,
    names::{Name, Names},
    resource::{Needs, Resource},
    task::{Slot, Task},
    worker::WorkerIndex,
};

/// Parts of a task, as bits.
pub(crate) mod part {
    pub(crate) const IDENTITY: u8 = 1;
    pub(crate) const LINKS: u8 = 2;
    pub(crate) const STATE: u8 = 4;
    pub(crate) const ALL: u8 = IDENTITY | LINKS | STATE;
}

/// What changed since it was last asked. Empty when it is not kept.
#[derive(Default)]
pub(crate) struct Changes {
    /// Slots of tasks with marks. One that was freed since may be listed twice, or for nothing.
    tasks: Vec<Slot>,
    removed_tasks: Vec<Box<str>>,
    workers: BTreeSet<WorkerIndex>,
    removed_workers: Vec<u64>,
    batchers: BTreeSet<(Box<str>, Name)>,
    removed_batchers: Vec<Box<str>>,
    limits: BTreeSet<Resource>,
    paused: bool,
}

/// How far [`Scheduler::read_records`] has come. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCursor {
    started: bool,
    slot: Slot,
}

impl Scheduler {
    /// What changed since this was last asked: what went, and then everything that is another one
    /// now, each once. A task's record has the parts that changed. Empty unless
    /// [`keep_changes`](crate::Config::keep_changes) is on.
    pub fn take_changes(&mut self) -> Vec<Record> {
        let changes = core::mem::take(&mut self.changes);
        let mut records = Vec::with_capacity(changes.tasks.len());
        let removed = changes.removed_tasks.into_iter();
        records.extend(removed.map(|id| Record::TaskRemoved(id.into())));
        let removed = changes.removed_workers.into_iter();
        records.extend(removed.map(Record::WorkerRemoved));
        let removed = changes.removed_batchers.into_iter();
        records.extend(removed.map(|worker| Record::BatchersRemoved {
            worker: worker.into(),
        }));
        let workers = changes.workers.into_iter();
        records.extend(workers.filter_map(|worker| self.worker_record(worker)));
        let batchers = changes.batchers.into_iter();
        records.extend(batchers.filter_map(|(worker, family)| self.batcher(&worker, family)));
        records.extend(changes.paused.then_some(Record::Paused(self.paused)));
        records.extend(changes.limits.into_iter().map(|limit| self.limit(limit)));
        for slot in changes.tasks {
            records.extend(self.take_task(slot));
        }
        records
    }

    /// Everything, in steps: what there is beside tasks in the first, and in each the tasks in so
    /// many places. With the cursor for the next step, unless this was the last.
    ///
    /// Requests may be answered between steps. What was read is then of different moments; it
    /// becomes right when all changes since the first step are applied after it.
    #[must_use]
    pub fn read_records(
        &self,
        cursor: RecordCursor,
        tasks: usize,
    ) -> (Vec<Record>, Option<RecordCursor>) {
        let mut records = Vec::new();
        if !cursor.started {
            let workers = self.workers.iter();
            records.extend(workers.filter_map(|(index, _)| self.worker_record(index)));
            let batchers = self.batches.batchers();
            records.extend(batchers.filter_map(|(worker, family)| self.batcher(worker, family)));
            records.push(Record::Paused(self.paused));
            records.extend(self.limits.changed().map(|limit| self.limit(limit)));
        }
        let places = self.tasks.places();
        let step = Slot::try_from(tasks.max(1)).unwrap_or(Slot::MAX);
        let end = places.min(cursor.slot.saturating_add(step));
        for slot in cursor.slot..end {
            if let Some(task) = self.tasks.get(slot).filter(|task| !task.ghost) {
                records.push(self.task_record(task, part::ALL));
            }
        }
        let next = RecordCursor {
            started: true,
            slot: end,
        };
        (records, (end < places).then_some(next))
    }

    /// All that is kept of a task; `None` when it is not known.
    #[must_use]
    pub fn kept_task(&self, task_id: &str) -> Option<TaskRecord> {
        let slot = self.tasks.find_task(task_id)?;
        Some(self.task_parts(&self.tasks[slot], part::ALL))
    }

    /// All that is kept of a worker; `None` when it is not known.
    #[must_use]
    pub fn kept_worker(&self, worker: &str) -> Option<WorkerRecord> {
        match self.worker_record(self.workers.find(worker)?)? {
            Record::Worker(record) => Some(record),
            _ => None,
        }
    }

    /// Which tasks of a family a worker runs together; `None` when it never said so.
    #[must_use]
    pub fn kept_batcher(&self, worker: &str, family: &str) -> Option<BatcherRecord> {
        match self.batcher(worker, self.names.find(family)?)? {
            Record::Batcher(record) => Some(record),
            _ => None,
        }
    }

    // Marks.

    /// These parts of the task are others now.
    pub(crate) fn changed(&mut self, slot: Slot, parts: u8) {
        if !self.config.keep_changes {
            return;
        }
        let marks = &mut self.tasks[slot].changed;
        if *marks == 0 {
            self.changes.tasks.push(slot);
        }
        *marks |= parts;
    }

    pub(crate) fn task_removed(&mut self, slot: Slot) {
        if self.config.keep_changes {
            let id = self.tasks[slot].id.clone();
            self.changes.removed_tasks.push(id);
        }
    }

    pub(crate) fn worker_changed(&mut self, worker: WorkerIndex) {
        if self.config.keep_changes {
            self.changes.workers.insert(worker);
        }
    }

    pub(crate) fn worker_removed(&mut self, worker: WorkerIndex) {
        if self.config.keep_changes {
            let serial = self.workers[worker].serial;
            self.changes.removed_workers.push(serial);
        }
    }

    pub(crate) fn batcher_changed(&mut self, worker: &str, family: Name) {
        if self.config.keep_changes {
            self.changes.batchers.insert((worker.into(), family));
        }
    }

    pub(crate) fn batchers_removed(&mut self, worker: &str) {
        if self.config.keep_changes {
            self.changes.removed_batchers.push(worker.into());
        }
    }

    pub(crate) fn limit_changed(&mut self, resource: Resource) {
        if self.config.keep_changes {
            self.changes.limits.insert(resource);
        }
    }

    pub(crate) fn paused_changed(&mut self) {
        self.changes.paused = self.config.keep_changes;
    }

    // Records.

    fn take_task(&mut self, slot: Slot) -> Option<Record> {
        self.tasks.get(slot).filter(|task| task.changed != 0)?;
        let parts = core::mem::take(&mut self.tasks[slot].changed);
        let task = &self.tasks[slot];
        (!task.ghost).then(|| self.task_record(task, parts))
    }

    fn task_record(&self, task: &Task, parts: u8) -> Record {
        Record::Task(Box::new(self.task_parts(task, parts)))
    }

    fn task_parts(&self, task: &Task, parts: u8) -> TaskRecord {
        TaskRecord {
            task_id: task.id.to_string(),
            identity: (parts & part::IDENTITY != 0).then(|| identity(&self.names, task)),
            links: (parts & part::LINKS != 0).then(|| self.links(task)),
            state: (parts & part::STATE != 0).then(|| self.state(task)),
        }
    }

    fn links(&self, task: &Task) -> TaskLinks {
        let workers = self.workers.team(task.team).members.iter();
        let stakeholders = self.workers.stake(task.stake).members.iter();
        let mut stakeholders: Vec<u64> = stakeholders
            .map(|&member| self.workers[member].serial)
            .collect();
        stakeholders.sort_unstable();
        TaskLinks {
            deps: self.ids(&task.deps).into_iter().map(Into::into).collect(),
            workers: workers
                .map(|&member| self.workers[member].team_serial)
                .collect(),
            stakeholders,
        }
    }

    fn state(&self, task: &Task) -> TaskState {
        let policy = self.policies.value(task.policy);
        let owner = task.worker_running;
        TaskState {
            worker_running: owner.map(|owner| self.workers[owner].id.to_string()),
            retry_policy: RetryPolicy {
                retry_count: Some(policy.retry_count),
                disable_hard_timeout: Some(policy.disable_hard_timeout),
                disable_window: Some(policy.disable_window),
            },
            ..state(&self.needs, task)
        }
    }

    /// None for a worker that was forgotten.
    fn worker_record(&self, index: WorkerIndex) -> Option<Record> {
        let worker = self.workers.get(index).filter(|worker| !worker.forgotten)?;
        Some(Record::Worker(WorkerRecord {
            serial: worker.serial,
            team_serial: worker.team_serial,
            id: worker.id.to_string(),
            host: worker.host.clone(),
            started: worker.started_wall,
            info: worker.info.to_vec(),
            assistant: worker.assistant,
            processes: worker.processes,
            disabled: worker.disabled,
            connected: worker.connected,
            left: worker.left,
            last_contact: (!worker.connected).then_some(worker.last_active_wall),
            messages: worker.messages.clone(),
        }))
    }

    fn batcher(&self, worker: &str, family: Name) -> Option<Record> {
        let batcher = self.batches.batcher(worker, family)?;
        let args = batcher.args.iter();
        Some(Record::Batcher(BatcherRecord {
            worker: worker.to_string(),
            family: self.names.text(family).to_string(),
            batched_args: args.map(|&arg| self.names.text(arg).to_string()).collect(),
            max_size: batcher.max_size,
        }))
    }

    fn limit(&self, resource: Resource) -> Record {
        Record::Limit {
            resource: self.needs.name(resource).to_string(),
            amount: self.limits.limit(resource),
        }
    }
}

pub(crate) fn identity(names: &Names, task: &Task) -> TaskIdentity {
    // What is private is kept nowhere but in memory; workers do not even send it.
    let params = task.params.iter();
    let params = params.filter(|param| param.2 != Visibility::Private);
    let params = params.map(|(name, value, visibility)| Param {
        name: names.text(name).to_string(),
        value: value.to_string(),
        visibility,
    });
    TaskIdentity {
        family: names.text(task.family).to_string(),
        module: (task.module != Name::EMPTY).then(|| names.text(task.module).to_string()),
        params: params.collect(),
        age: task.age,
        created: task.created,
    }
}

/// Without its owner and its policy: they are kept in different ways.
pub(crate) fn state(needs: &Needs, task: &Task) -> TaskState {
    let state = TaskState {
        status: task.status,
        updated: task.updated,
        updated_monotonic: task.updated_monotonic,
        announced: task.announced,
        runnable: task.runnable,
        batchable: task.batchable,
        accepts_messages: task.accepts_messages,
        priority: task.priority,
        resources: needs.resources(task.need),
        resources_running: task.need_running.map(|need| needs.resources(need)),
        time_running: task.time_running,
        attempt: u64::from(task.attempt),
        expl: text(task.expl.as_deref()),
        ..TaskState::default()
    };
    let Some(rare) = task.rare.as_deref() else {
        return state;
    };
    TaskState {
        tracking_url: text(rare.tracking_url.as_deref()),
        status_message: text(rare.status_message.as_deref()),
        progress_percentage: rare.progress_percentage,
        batch_id: text(rare.batch_id.as_deref()),
        responses: rare.responses.clone(),
        failures: rare.failures.iter().copied().collect(),
        first_failure: rare.first_failure,
        scheduler_disabled: rare.scheduler_disabled,
        operator_disabled: rare.operator_disabled,
        retry: rare.retry,
        remove: rare.remove,
        orphan: rare.orphan,
        seen_done: rare.seen_done,
        cancel: rare.cancel.as_deref().cloned(),
        cancelled: text(rare.cancelled.as_deref()),
        lost_with: text(rare.lost_with.as_deref()),
        ..state
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(ToString::to_string)
}
