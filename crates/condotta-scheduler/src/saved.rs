//! The state of a scheduler, put together from records.
//!
//! Kept nearly as the scheduler keeps it, so that a million tasks take no more room here than there
//! and become a scheduler without being copied. Takes records in the order in which they were made,
//! also when the first of them were read while others were made, and judges nothing.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    BatcherRecord, Record, RetryPolicy, TaskIdentity, TaskLinks, TaskRecord, TaskState,
    WorkerRecord,
    changes::{identity, part, state},
    names::{Name, Names},
    params::Params,
    resource::{NeedId, Needs},
    task::{Rare, Slot, Task},
    tasks::Tasks,
    worker::{StakeId, TeamId, WorkerIndex},
};

/// Below this many removed tasks their places are not looked for.
const KEEP: usize = 1024;

/// What a scheduler is restored from.
///
/// Equal when all records are, in which links to what is not there do not count.
pub struct SavedState {
    pub(crate) names: Names,
    pub(crate) needs: Needs,
    /// Tasks and the ids of others that they depend on. A task is a ghost until all of its parts
    /// have come, which it notes as changed. Its team and stake are places in `sets`, its owner is
    /// one in `owners`, and its policy is one in `policies`.
    pub(crate) tasks: Tasks,
    /// Serial numbers of workers.
    pub(crate) sets: Distinct<Vec<u64>>,
    pub(crate) owners: Distinct<String>,
    pub(crate) policies: Distinct<PolicyKey>,
    /// Tasks that were removed since their places were looked for.
    removed: usize,
    pub(crate) workers: BTreeMap<u64, WorkerRecord>,
    pub(crate) last_serial: u64,
    pub(crate) batchers: BTreeMap<(String, String), BatcherRecord>,
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) paused: bool,
}

impl Default for SavedState {
    fn default() -> Self {
        let mut state = Self {
            names: Names::new(),
            needs: Needs::new(),
            tasks: Tasks::new(),
            sets: Distinct::default(),
            owners: Distinct::default(),
            policies: Distinct::default(),
            removed: 0,
            workers: BTreeMap::new(),
            last_serial: 0,
            batchers: BTreeMap::new(),
            limits: BTreeMap::new(),
            paused: false,
        };
        // What a new task has.
        state.sets.place(Vec::new());
        state.policies.place(PolicyKey::default());
        state
    }
}

impl SavedState {
    /// Takes what a record says in place of what was known of the same thing.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Task(task) => self.apply_task(*task),
            Record::TaskRemoved(id) => self.remove(&id),
            Record::Worker(worker) => {
                self.see_serials([worker.serial, worker.team_serial]);
                self.workers.insert(worker.serial, worker);
            }
            Record::WorkerRemoved(serial) => {
                self.see_serials([serial]);
                self.workers.remove(&serial);
            }
            Record::Batcher(batcher) => {
                let key = (batcher.worker.clone(), batcher.family.clone());
                self.batchers.insert(key, batcher);
            }
            Record::BatchersRemoved { worker } => {
                self.batchers.retain(|(known, _), _| *known != worker);
            }
            Record::Paused(paused) => self.paused = paused,
            Record::Limit { resource, amount } => {
                self.limits.insert(resource, amount);
            }
        }
    }

    /// How many tasks there are. Those of which a part never came do not count.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.iter().count()
    }

    /// Everything, each thing once: workers by serial number, batchers, whether it is paused,
    /// limits, and tasks by age. Links name no worker that is not there.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let teams = self.workers.values().map(|worker| worker.team_serial);
        let teams: BTreeSet<u64> = teams.collect();
        let mut ages: Vec<(u64, Slot)> = self
            .tasks
            .iter()
            .map(|(slot, task)| (task.age, slot))
            .collect();
        ages.sort_unstable();
        let tasks = ages.into_iter().map(move |(_, slot)| {
            let task = &self.tasks[slot];
            Record::Task(Box::new(TaskRecord {
                task_id: task.id.to_string(),
                identity: Some(identity(&self.names, task)),
                links: Some(self.links(task, &teams)),
                state: Some(self.state(task)),
            }))
        });
        let limits = self.limits.iter().map(|(resource, &amount)| Record::Limit {
            resource: resource.clone(),
            amount,
        });
        let workers = self.workers.values().cloned().map(Record::Worker);
        let batchers = self.batchers.values().cloned().map(Record::Batcher);
        let paused = core::iter::once(Record::Paused(self.paused));
        let others = workers.chain(batchers).chain(paused).chain(limits);
        others.chain(tasks)
    }

    fn links(&self, task: &Task, teams: &BTreeSet<u64>) -> TaskLinks {
        let workers = self.sets.value(task.team.0).iter().copied();
        let stakeholders = self.sets.value(task.stake.0).iter().copied();
        let deps = task.deps.iter().map(|&dep| self.tasks[dep].id.to_string());
        let mut deps: Vec<String> = deps.collect();
        deps.sort_unstable();
        TaskLinks {
            deps,
            workers: workers.filter(|serial| teams.contains(serial)).collect(),
            stakeholders: stakeholders
                .filter(|serial| self.workers.contains_key(serial))
                .collect(),
        }
    }

    fn state(&self, task: &Task) -> TaskState {
        let owner = task.worker_running;
        TaskState {
            worker_running: owner.map(|owner| self.owners.value(owner.0).clone()),
            retry_policy: self.policies.value(task.policy).policy(),
            ..state(&self.needs, task)
        }
    }

    fn see_serials(&mut self, serials: impl IntoIterator<Item = u64>) {
        self.last_serial = serials.into_iter().fold(self.last_serial, u64::max);
    }

    // Tasks.

    fn apply_task(&mut self, record: TaskRecord) {
        let slot = self.slot(&record.task_id);
        if let Some(identity) = record.identity {
            self.apply_identity(slot, identity);
        }
        if let Some(links) = record.links {
            self.apply_links(slot, links);
        }
        if let Some(state) = record.state {
            self.apply_state(slot, state);
        }
        let task = &mut self.tasks[slot];
        task.ghost = task.changed != part::ALL;
    }

    fn slot(&mut self, id: &str) -> Slot {
        match self.tasks.find(id) {
            Some(slot) => slot,
            None => self.tasks.insert(id, true),
        }
    }

    fn apply_identity(&mut self, slot: Slot, identity: TaskIdentity) {
        let names = &mut self.names;
        let family = names.intern(&identity.family);
        let module = identity.module.map(|module| names.intern(&module));
        let params = Params::of(names, &identity.params);
        let task = &mut self.tasks[slot];
        task.family = family;
        task.module = module.unwrap_or(Name::EMPTY);
        task.params = params;
        task.age = identity.age;
        task.created = identity.created;
        task.changed |= part::IDENTITY;
    }

    fn apply_links(&mut self, slot: Slot, links: TaskLinks) {
        let deps = links.deps.iter().map(|dep| self.slot(dep));
        let mut deps: Vec<Slot> = deps.collect();
        deps.sort_unstable();
        deps.dedup();
        self.see_serials(links.workers.iter().chain(&links.stakeholders).copied());
        let team = TeamId(self.sets.place(links.workers));
        let stake = StakeId(self.sets.place(links.stakeholders));
        let task = &mut self.tasks[slot];
        task.deps = deps.into();
        task.team = team;
        task.stake = stake;
        task.changed |= part::LINKS;
    }

    fn apply_state(&mut self, slot: Slot, state: TaskState) {
        self.release_needs(slot);
        let running = state.resources_running.as_ref();
        let owner = state.worker_running.as_ref();
        let need = self.needs.acquire(&state.resources);
        let need_running = running.map(|resources| self.needs.acquire(resources));
        let worker_running = owner.map(|owner| WorkerIndex(self.owners.place(owner.clone())));
        let policy = self.policies.place(PolicyKey::of(&state.retry_policy));
        let task = &mut self.tasks[slot];
        task.status = state.status;
        task.updated = state.updated;
        task.updated_monotonic = state.updated_monotonic;
        task.announced = state.announced;
        task.runnable = state.runnable;
        task.batchable = state.batchable;
        task.accepts_messages = state.accepts_messages;
        task.priority = state.priority;
        task.need = need;
        task.need_running = need_running;
        task.worker_running = worker_running;
        task.time_running = state.time_running;
        task.attempt = u32::try_from(state.attempt).unwrap_or(u32::MAX);
        task.policy = policy;
        task.expl = state.expl.as_deref().map(Into::into);
        task.rare = rare(state);
        task.changed |= part::STATE;
    }

    fn release_needs(&mut self, slot: Slot) {
        let task = &mut self.tasks[slot];
        let need = core::mem::replace(&mut task.need, NeedId::NOTHING);
        let need_running = task.need_running.take();
        self.needs.release(need);
        self.needs.release(need_running.unwrap_or(NeedId::NOTHING));
    }

    fn remove(&mut self, id: &str) {
        if let Some(slot) = self.tasks.find(id) {
            self.clear(slot);
            self.removed += 1;
        }
        if self.removed > KEEP && self.removed > self.tasks.places() as usize / 2 {
            self.removed = 0;
            let mut is_required = alloc::vec![false; self.tasks.places() as usize];
            for (_, task) in self.tasks.records() {
                for &dep in &task.deps {
                    is_required[dep as usize] = true;
                }
            }
            self.drop_ghosts(|slot, _| is_required[slot as usize]);
        }
    }

    /// Forgets all of a task but its id, which others may name.
    pub(crate) fn clear(&mut self, slot: Slot) {
        self.release_needs(slot);
        let task = &mut self.tasks[slot];
        *task = Task::new(&task.id, task.age, true);
    }

    /// Drops ids of which no part is known and that are not `required`.
    fn drop_ghosts(&mut self, required: impl Fn(Slot, &Task) -> bool) {
        let records = self.tasks.records();
        let ghosts = records.filter(|(slot, task)| task.changed == 0 && !required(*slot, task));
        let ghosts: Vec<Slot> = ghosts.map(|(slot, _)| slot).collect();
        for slot in ghosts {
            self.tasks.remove(slot);
        }
    }
}

/// What most tasks never have, for those that have some of it.
fn rare(state: TaskState) -> Option<Box<Rare>> {
    let text = |text: Option<String>| text.map(String::into_boxed_str);
    let rare = Rare {
        tracking_url: text(state.tracking_url),
        status_message: text(state.status_message),
        progress_percentage: state.progress_percentage,
        batch_id: text(state.batch_id),
        responses: state.responses,
        failures: state.failures.into(),
        first_failure: state.first_failure,
        scheduler_disabled: state.scheduler_disabled,
        operator_disabled: state.operator_disabled,
        retry: state.retry,
        remove: state.remove,
        orphan: state.orphan,
        seen_done: state.seen_done,
        cancel: state.cancel.map(Box::new),
        cancelled: text(state.cancelled),
        lost_with: text(state.lost_with),
    };
    (rare != Rare::default()).then(|| Box::new(rare))
}

impl PartialEq for SavedState {
    fn eq(&self, other: &Self) -> bool {
        self.records().eq(other.records())
    }
}

impl fmt::Debug for SavedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.records()).finish()
    }
}

/// Values that many tasks share, each kept once.
pub(crate) struct Distinct<T> {
    values: Vec<T>,
    places: BTreeMap<T, u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone> Distinct<T> {
    fn place(&mut self, value: T) -> u32 {
        if let Some(&place) = self.places.get(&value) {
            return place;
        }
        let place = u32::try_from(self.values.len()).expect("fewer than 2^32 shared values");
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }

    pub(crate) fn value(&self, place: u32) -> &T {
        &self.values[place as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

/// A retry policy that has an order: its numbers as bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PolicyKey {
    retry_count: Option<u64>,
    disable_hard_timeout: Option<u64>,
    disable_window: Option<u64>,
}

impl PolicyKey {
    fn of(policy: &RetryPolicy) -> Self {
        Self {
            retry_count: policy.retry_count,
            disable_hard_timeout: policy.disable_hard_timeout.map(f64::to_bits),
            disable_window: policy.disable_window.map(f64::to_bits),
        }
    }

    pub(crate) fn policy(self) -> RetryPolicy {
        RetryPolicy {
            retry_count: self.retry_count,
            disable_hard_timeout: self.disable_hard_timeout.map(f64::from_bits),
            disable_window: self.disable_window.map(f64::from_bits),
        }
    }
}
