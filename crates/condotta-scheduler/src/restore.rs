//! A scheduler made from a saved state.
//!
//! Takes the saved tasks over where they are, and works out everything that follows from them: sets
//! of workers, links, counters, queues, timers. Decides nothing: what is due is done by the first
//! request that asks for it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use crate::{
    AddTaskBatcher, BatcherRecord, Config, Now, SavedState, Scheduler, Status, WorkerRecord,
    prune::Timer,
    resource::Limits,
    saved::{Distinct, PolicyKey},
    task::{Slot, Task},
    worker::{StakeId, TeamId, Worker, WorkerIndex},
};

impl Scheduler {
    /// The scheduler that was saved.
    ///
    /// A recorded limit overrides that of `limits`. Each worker that was connected counts as heard
    /// from now, so that what it runs goes on until it is silent for as long as ever. So does one
    /// that runs something although it is not known to be there, which no scheduler saves. Tasks that
    /// were left by all who had a stake in them are kept for `remove_delay` from now on. Times that
    /// were set before (of retries, removals, disabled tasks) hold: `now` has to go on from the
    /// monotonic clock of the records. Message ids follow from `seed`: it should be another one
    /// than before.
    ///
    /// Not known until they show again are which workers asked for work of late (so that no
    /// resource is set aside for them until they ask), which announce tasks just now, and dead ends,
    /// which are looked for by the next look. There are no events of what was restored.
    #[must_use]
    pub fn restore(
        config: Config,
        limits: BTreeMap<String, u64>,
        seed: u64,
        now: Now,
        saved: SavedState,
    ) -> Self {
        let quiet = Config {
            keep_events: false,
            keep_changes: false,
            keep_wakeups: false,
            ..config.clone()
        };
        let mut scheduler = Self::new(quiet, BTreeMap::new(), seed);
        let mended = Restoring::new(&mut scheduler, now, saved, limits).run();
        scheduler.config = config;
        for worker in mended {
            scheduler.worker_changed(worker);
        }
        scheduler
    }
}

/// What is needed of a saved state beside what the scheduler takes over.
struct Restoring<'a> {
    scheduler: &'a mut Scheduler,
    now: Now,
    owners: Distinct<String>,
    policies: Distinct<PolicyKey>,
    sets: Distinct<Vec<u64>>,
    by_serial: BTreeMap<u64, WorkerIndex>,
    by_team_serial: BTreeMap<u64, WorkerIndex>,
    /// The teams, stakes and owners of the scheduler, by place in the saved state.
    known_teams: Vec<Option<TeamId>>,
    known_stakes: Vec<Option<StakeId>>,
    known_owners: Vec<Option<WorkerIndex>>,
    /// Slots of the tasks, oldest first.
    slots: Vec<Slot>,
}

impl<'a> Restoring<'a> {
    fn new(
        scheduler: &'a mut Scheduler,
        now: Now,
        mut saved: SavedState,
        limits: BTreeMap<String, u64>,
    ) -> Self {
        let records = saved.tasks.records();
        let incomplete = records.filter(|(_, task)| task.ghost && task.changed != 0);
        let incomplete: Vec<Slot> = incomplete.map(|(slot, _)| slot).collect();
        for slot in incomplete {
            saved.clear(slot);
        }
        let mut slots: Vec<Slot> = saved.tasks.iter().map(|(slot, _)| slot).collect();
        slots.sort_by_key(|&slot| saved.tasks[slot].age);
        scheduler.names = saved.names;
        scheduler.needs = saved.needs;
        scheduler.tasks = saved.tasks;
        scheduler.limits = Limits::new(&mut scheduler.needs, limits);
        for (resource, limit) in saved.limits {
            scheduler.limits.set(&mut scheduler.needs, &resource, limit);
        }
        scheduler.paused = saved.paused && scheduler.config.pause_enabled;
        scheduler.looked_at = Some(now.monotonic);
        scheduler.workers.skip_serials(saved.last_serial);
        let mut restoring = Self {
            scheduler,
            now,
            known_teams: alloc::vec![None; saved.sets.len()],
            known_stakes: alloc::vec![None; saved.sets.len()],
            known_owners: alloc::vec![None; saved.owners.len()],
            owners: saved.owners,
            policies: saved.policies,
            sets: saved.sets,
            by_serial: BTreeMap::new(),
            by_team_serial: BTreeMap::new(),
            slots,
        };
        // Of two workers of one id the later one is meant.
        let by_id: BTreeMap<String, _> = saved
            .workers
            .into_values()
            .map(|worker| (worker.id.clone(), worker))
            .collect();
        let mut workers: Vec<WorkerRecord> = by_id.into_values().collect();
        workers.sort_by_key(|worker| worker.serial);
        for worker in workers {
            restoring.worker(worker);
        }
        let batchers = saved.batchers.into_values();
        batchers.for_each(|batcher| restoring.batcher(batcher));
        restoring
    }

    /// Makes the scheduler whole; the workers that are not as they were saved.
    fn run(mut self) -> Vec<WorkerIndex> {
        let last = self.slots.last();
        let last_age = last.map_or(0, |&slot| self.scheduler.tasks[slot].age);
        self.scheduler.tasks.set_last_age(last_age);
        for slot in self.slots.clone() {
            self.sets_of(slot);
            self.links_of(slot);
        }
        self.drop_ghosts();
        self.count_blocked();
        self.list_by_status();
        for &slot in &self.slots {
            self.scheduler.tasks[slot].ghost = false;
            self.scheduler.index(slot, true);
            self.scheduler.index_need(slot, true);
        }
        let mended = self.connect_owners();
        for slot in self.slots.clone() {
            self.timers_of(slot);
        }
        self.abandon_stakes();
        if !self.scheduler.config.prune_on_get_work {
            self.suspect();
        }
        mended
    }

    // Workers.

    fn worker(&mut self, record: WorkerRecord) {
        let worker = Worker {
            team_serial: record.team_serial,
            host: record.host,
            started_wall: record.started,
            info: Arc::new(record.info),
            assistant: record.assistant,
            processes: record.processes,
            disabled: record.disabled,
            connected: record.connected,
            left: record.left,
            last_active_wall: record.last_contact.unwrap_or(self.now.wall),
            messages: record.messages,
            ..Worker::new(&record.id, record.serial, self.now)
        };
        let index = self.scheduler.workers.insert(worker);
        self.by_serial.insert(record.serial, index);
        self.by_team_serial.insert(record.team_serial, index);
        if record.connected {
            self.scheduler.watch(index);
        } else {
            self.scheduler.forget_later(self.now, index);
        }
    }

    fn batcher(&mut self, record: BatcherRecord) {
        let request = AddTaskBatcher {
            worker: record.worker,
            task_family: record.family,
            batched_args: record.batched_args,
            max_batch_size: record.max_size,
        };
        // One without a name could not have been kept.
        let _ = self.scheduler.add_task_batcher(self.now, request);
    }

    fn team(&mut self, place: u32) -> TeamId {
        if let Some(team) = self.known_teams[place as usize] {
            return team;
        }
        let serials = self.sets.value(place).iter();
        let members = serials.filter_map(|serial| self.by_team_serial.get(serial).copied());
        let team = self.scheduler.workers.team_of(members.collect());
        self.known_teams[place as usize] = Some(team);
        team
    }

    fn stake(&mut self, place: u32) -> StakeId {
        if let Some(stake) = self.known_stakes[place as usize] {
            return stake;
        }
        let serials = self.sets.value(place).iter();
        let members = serials.filter_map(|serial| self.by_serial.get(serial).copied());
        let members: BTreeSet<WorkerIndex> = members.collect();
        let stake = self
            .scheduler
            .workers
            .stake_of(members.into_iter().collect());
        self.known_stakes[place as usize] = Some(stake);
        stake
    }

    /// Who runs a task or ran it last: a known worker, or else one that was forgotten.
    fn owner(&mut self, place: u32) -> WorkerIndex {
        if let Some(owner) = self.known_owners[place as usize] {
            return owner;
        }
        let id = self.owners.value(place);
        let workers = &mut self.scheduler.workers;
        let owner = workers.find(id).unwrap_or_else(|| {
            workers.insert(Worker {
                connected: false,
                forgotten: true,
                ..Worker::new(id, 0, self.now)
            })
        });
        self.known_owners[place as usize] = Some(owner);
        owner
    }

    /// What runs on nobody would run for ever.
    fn connect_owners(&mut self) -> Vec<WorkerIndex> {
        let workers = self.scheduler.workers.iter();
        let absent = workers.filter(|(_, worker)| !worker.connected && !worker.owned.is_empty());
        let absent: Vec<WorkerIndex> = absent.map(|(index, _)| index).collect();
        for &index in &absent {
            let serial = self.scheduler.workers.take_serial();
            let worker = &mut self.scheduler.workers[index];
            worker.connected = true;
            if core::mem::take(&mut worker.forgotten) {
                (worker.serial, worker.team_serial) = (serial, serial);
            }
            self.scheduler.watch(index);
        }
        absent
    }

    // Tasks. They are ghosts as long as they are in no index.

    fn sets_of(&mut self, slot: Slot) {
        let task = &mut self.scheduler.tasks[slot];
        task.ghost = true;
        task.changed = 0;
        let policy = self.policies.value(core::mem::take(&mut task.policy));
        let policy = policy.policy();
        let (team, stake, owner) = (task.team.0, task.stake.0, task.worker_running);
        let (team, stake) = (self.team(team), self.stake(stake));
        let owner = owner.map(|owner| self.owner(owner.0));
        self.scheduler.tasks[slot].team = team;
        self.scheduler.workers.team_mut(team).tasks += 1;
        self.scheduler.link_stake(slot, stake);
        self.scheduler.tasks[slot].worker_running = owner;
        if let Some(owner) = owner {
            self.scheduler.workers[owner].ran += 1;
        }
        self.scheduler.set_policy(slot, &policy);
    }

    fn links_of(&mut self, slot: Slot) {
        let tasks = &mut self.scheduler.tasks;
        let deps = tasks[slot].deps.clone();
        let mut unmet = 0;
        for &dep in &deps {
            let dependency = &mut tasks[dep];
            dependency.dependants.insert(slot);
            unmet += u32::from(dependency.status != Status::Done);
        }
        tasks[slot].unmet = unmet;
    }

    /// Ids that no task names any more.
    fn drop_ghosts(&mut self) {
        let tasks = &mut self.scheduler.tasks;
        let mut is_task = alloc::vec![false; tasks.places() as usize];
        for &slot in &self.slots {
            is_task[slot as usize] = true;
        }
        let unused =
            |(slot, task): &(Slot, &Task)| !is_task[*slot as usize] && task.dependants.is_empty();
        let unused: Vec<Slot> = tasks
            .records()
            .filter(unused)
            .map(|(slot, _)| slot)
            .collect();
        for slot in unused {
            tasks.remove(slot);
        }
    }

    fn count_blocked(&mut self) {
        for &slot in &self.slots {
            if self.scheduler.tasks[slot].status == Status::Disabled {
                self.scheduler.block_dependants(slot);
            }
        }
    }

    /// In the order in which they got their status.
    fn list_by_status(&mut self) {
        let tasks = &mut self.scheduler.tasks;
        let mut order = self.slots.clone();
        // Those of one moment stay in the order of their age.
        order.sort_by_key(|&slot| tasks[slot].updated_monotonic);
        for slot in order {
            tasks.enlist(slot);
        }
    }

    // Time.

    fn timers_of(&mut self, slot: Slot) {
        let scheduler = &mut *self.scheduler;
        let task = &scheduler.tasks[slot];
        let nobody = task.stake == StakeId::NOBODY;
        let status = task.status;
        let rare = task.rare.as_deref();
        let remove = rare.and_then(|rare| rare.remove);
        let retry = rare.and_then(|rare| rare.retry);
        let disabled = rare.filter(|rare| !rare.operator_disabled);
        let disabled = disabled.and_then(|rare| rare.scheduler_disabled);
        if let Some(remove) = remove {
            scheduler.timers.insert((remove, Timer::Remove(slot)));
        } else if nobody {
            scheduler.orphans.insert(slot);
        }
        if let Some(retry) = retry.filter(|_| status == Status::Failed)
            && scheduler.config.retry_delay >= 0.0
        {
            scheduler.timers.insert((retry, Timer::Retry(slot)));
        }
        if let Some(disabled) = disabled.filter(|_| status == Status::Disabled) {
            let due = disabled.after(scheduler.config.disable_persist);
            scheduler.timers.insert((due, Timer::Enable(slot)));
        }
    }

    fn abandon_stakes(&mut self) {
        let now = self.now.monotonic;
        let due = now.after(self.scheduler.config.remove_delay);
        for stake in self.known_stakes.iter().copied().flatten() {
            if stake != StakeId::NOBODY && !self.scheduler.workers.is_alive(stake) {
                self.scheduler.workers.stake_mut(stake).abandoned = Some(now);
                self.scheduler.timers.insert((due, Timer::Abandon(stake)));
            }
        }
    }

    // Dead ends.

    /// Has those tasks looked at that may be in one, so that the next look need not walk all.
    fn suspect(&mut self) {
        let scheduler = &*self.scheduler;
        let records = scheduler.tasks.records();
        let missing = records.filter(|(_, task)| task.is_missing() && !task.dependants.is_empty());
        let mut suspects: BTreeSet<Slot> = missing.map(|(slot, _)| slot).collect();
        let needing = self.slots.iter().filter(|&&slot| {
            let task = &scheduler.tasks[slot];
            task.status == Status::Pending && scheduler.need_above_limit(task.need).is_some()
        });
        suspects.extend(needing);
        suspects.extend(self.in_or_above_cycles());
        self.scheduler.suspects = suspects;
    }

    /// Tasks that still wait when again and again those are left out that wait for no other waiting
    /// one.
    fn in_or_above_cycles(&self) -> Vec<Slot> {
        let scheduler = &*self.scheduler;
        let tasks = &scheduler.tasks;
        let waits = |&&slot: &&Slot| scheduler.waits(slot);
        let mut waiting_for = alloc::vec![0_usize; tasks.places() as usize];
        let mut free = Vec::new();
        for &slot in self.slots.iter().filter(waits) {
            let count = tasks[slot].deps.iter().filter(waits).count();
            waiting_for[slot as usize] = count;
            if count == 0 {
                free.push(slot);
            }
        }
        while let Some(slot) = free.pop() {
            for dependant in tasks[slot].dependants.to_vec() {
                if scheduler.waits(dependant) {
                    waiting_for[dependant as usize] -= 1;
                    if waiting_for[dependant as usize] == 0 {
                        free.push(dependant);
                    }
                }
            }
        }
        let slots = self.slots.iter().copied();
        slots
            .filter(|&slot| waiting_for[slot as usize] > 0)
            .collect()
    }
}
