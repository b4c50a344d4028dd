//! `get_work`: the choice of what a worker runs next.
//!
//! Luigi sorts all tasks by rank and walks them. Here tasks that are alike for the choice stand in
//! one queue, and the walk goes along the heads of the queues: what holds for one task of a queue,
//! that it does not fit or that no worker is left for it, holds for the rest of the queue too,
//! because in the course of a walk free places only become fewer.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::{
    Answer, Assignment, AttemptEnd, GetWork, Now, ParamValue, PendingCounts, Recipe, RunningTask,
    Scheduler, Status, Work, WorkerState,
    names::Name,
    queue::QueueIndex,
    resource::Taken,
    scheduler::check_name,
    task::{Rank, Slot},
    worker::{Team, WorkerIndex},
};

/// What the worker may be given: one task, with the others of its batch behind it.
struct Choice {
    slot: Slot,
    /// The parameters that differ within the batch.
    batch_args: Vec<Name>,
    others: Vec<Slot>,
}

impl Choice {
    fn alone(slot: Slot) -> Self {
        Self {
            slot,
            batch_args: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl Scheduler {
    /// Hands the worker the best task that it may run now, or says what it could wait for.
    ///
    /// Considers only tasks that this worker announced, unless it is an assistant.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when the worker's id is none. Nothing has changed then.
    pub fn get_work(&mut self, now: Now, request: GetWork) -> Answer<Work> {
        check_name("the worker id", &request.worker)?;
        if self.config.prune_on_get_work {
            self.do_what_is_due(now);
        }
        let worker = self.contact(now, &request.worker)?;
        self.come_back(worker);
        self.note_request(now, worker, request.assistant);
        let record = &mut self.workers[worker];
        let is_moved = record.host != request.host;
        record.host.clone_from(&request.host);
        record.last_get_work = Some(now.monotonic);
        record.planning = false;
        let is_disabled = record.disabled;
        if is_moved {
            self.worker_changed(worker);
        }
        if is_disabled {
            return Ok(Work {
                counts: PendingCounts {
                    n_pending_tasks: 0,
                    n_unique_pending: 0,
                    n_pending_last_scheduled: 0,
                    worker_state: WorkerState::Disabled,
                    running_tasks: Vec::new(),
                },
                assignment: Assignment::Nothing,
            });
        }
        if request.assistant {
            let info = alloc::vec![("assistant".to_string(), crate::InfoValue::Bool(true))];
            if self.workers[worker].add_info(info) {
                self.worker_changed(worker);
            }
        }
        let lost = request.current_tasks.as_ref().and_then(|current| {
            let lost = self.lost_task(worker, current);
            self.return_orphaned_members(now, worker);
            lost
        });
        let choice = match lost {
            Some(slot) => Some(Choice::alone(slot)),
            None if self.paused => None,
            None => self.choose(now, worker, request.assistant),
        };
        let counts = self.counts(worker);
        let assignment = match choice {
            None => Assignment::Nothing,
            Some(choice) if choice.others.is_empty() => {
                self.hand_out(now, worker, choice.slot, request.host.as_deref())
            }
            Some(choice) => self.hand_out_batch(now, worker, &choice),
        };
        Ok(Work { counts, assignment })
    }

    /// A task that the worker should be running and is not: its answer was lost on the way. As in
    /// Luigi the best of them.
    fn lost_task(&self, worker: WorkerIndex, current: &[String]) -> Option<Slot> {
        let owned = &self.workers[worker].owned;
        if owned.is_empty() {
            return None;
        }
        let current: BTreeSet<&str> = current.iter().map(String::as_str).collect();
        owned
            .iter()
            .map(|&(_, slot)| (self.tasks[slot].rank(slot), &self.tasks[slot]))
            .filter(|(_, task)| task.status == Status::Running && !current.contains(&*task.id))
            .map(|(rank, _)| rank)
            .min()
            .map(|rank| rank.slot)
    }

    /// Members of a batch whose combined task never came to be are free again.
    fn return_orphaned_members(&mut self, now: Now, worker: WorkerIndex) {
        let owned: Vec<Slot> = self.workers[worker]
            .owned
            .iter()
            .map(|&(_, slot)| slot)
            .collect();
        let runs: BTreeSet<String> = owned
            .iter()
            .filter(|&&slot| self.tasks[slot].status == Status::Running)
            .filter_map(|&slot| self.tasks[slot].batch_id().map(ToString::to_string))
            .collect();
        for slot in owned {
            let task = &self.tasks[slot];
            if task.status == Status::BatchRunning
                && !task
                    .batch_id()
                    .is_some_and(|batch_id| runs.contains(batch_id))
            {
                self.ending(AttemptEnd::Returned, |scheduler| {
                    scheduler.set_status(now, slot, Status::Pending);
                });
            }
        }
    }

    fn choose(&self, now: Now, worker: WorkerIndex, assistant: bool) -> Option<Choice> {
        let (rank, own_only) = if self.is_trivial(worker) {
            (self.choose_own(worker)?, true)
        } else {
            (self.choose_among_all(now, worker, assistant)?, false)
        };
        let mut choice = Choice::alone(rank.slot);
        self.fill_batch(&mut choice, rank, worker, own_only);
        Some(choice)
    }

    /// A worker that is no assistant and none of whose tasks needs resources: nothing that others
    /// do can keep it from its best task.
    fn is_trivial(&self, worker: WorkerIndex) -> bool {
        let worker = &self.workers[worker];
        !worker.assistant && self.teams_of(worker).all(|team| team.needing == 0)
    }

    fn teams_of<'a>(&'a self, worker: &'a crate::worker::Worker) -> impl Iterator<Item = &'a Team> {
        worker.teams.iter().map(|&team| self.workers.team(team))
    }

    fn choose_own(&self, worker: WorkerIndex) -> Option<Rank> {
        self.teams_of(&self.workers[worker])
            .flat_map(|team| team.queues.values())
            .filter_map(|&queue| self.queues.get(queue).ready.first().copied())
            .min()
    }

    /// Luigi's greedy simulation: in rank order, what runs keeps its place, and what could be
    /// started by other workers gets theirs, with its resources. So a task of low priority does not
    /// take the resources for which one of high priority waits.
    fn choose_among_all(&self, now: Now, worker: WorkerIndex, assistant: bool) -> Option<Rank> {
        // What is set aside up to the best ready task is a part of what runs take. So where that
        // task fits beside all of it, as it mostly does, there is nothing to add up.
        let best = self.queues.heads().next();
        if let Some((rank, index)) = best
            && self.may_run(worker, index, assistant)
            && self.fits_beside(index, &self.taken)
        {
            return Some(rank);
        }
        self.walk(now, worker, assistant, |_| {})
    }

    /// The walk itself. Tells for which tasks a place and resources are set aside on the way.
    fn walk(
        &self,
        now: Now,
        worker: WorkerIndex,
        assistant: bool,
        mut set_aside: impl FnMut(Rank),
    ) -> Option<Rank> {
        let mut walk = Walk::new(self, now, worker);
        while let Some((rank, queue)) = walk.next() {
            let Some(index) = queue else {
                walk.keep_running(rank.slot);
                continue;
            };
            if !self.fits_beside(index, &walk.reserved) {
                continue;
            }
            if self.may_run(worker, index, assistant) && self.fits_beside(index, &self.taken) {
                return Some(rank);
            }
            let kind = self.queues.get(index).kind;
            let members = &self.workers.team(kind.team).members;
            let helps = assistant && kind.assistants == Some(self.program_of(worker));
            let caller = helps.then_some(worker);
            let free = members
                .iter()
                .copied()
                .chain(caller)
                .find(|&member| walk.places(member) > 0);
            if let Some(member) = free {
                walk.take_place(member);
                walk.reserved.take(self.needs.amounts(kind.need));
                walk.continue_with(index, rank);
                set_aside(rank);
            }
        }
        None
    }

    /// The tasks that a worker that is there would be given if it asked now.
    pub(crate) fn would_get(&self, now: Now, worker: WorkerIndex) -> Option<Vec<Slot>> {
        let choice = self.choose(now, worker, self.workers[worker].assistant)?;
        let mut slots = alloc::vec![choice.slot];
        slots.extend(choice.others);
        Some(slots)
    }

    /// The tasks for which resources and a worker are kept when this one asks, best first.
    pub(crate) fn kept_for_others(&self, now: Now, worker: WorkerIndex) -> Vec<Rank> {
        let mut kept = Vec::new();
        let assistant = self.workers[worker].assistant;
        self.walk(now, worker, assistant, |rank| kept.push(rank));
        kept
    }

    pub(crate) fn may_run(&self, worker: WorkerIndex, index: QueueIndex, assistant: bool) -> bool {
        let kind = self.queues.get(index).kind;
        (assistant && kind.assistants == Some(self.program_of(worker)))
            || self.workers.team(kind.team).members.contains(&worker)
    }

    /// Whether the tasks of a queue fit beside what is taken.
    fn fits_beside(&self, index: QueueIndex, taken: &Taken) -> bool {
        let amounts = self.needs.amounts(self.queues.get(index).kind.need);
        self.limits.fits(amounts, taken)
    }

    /// Adds to the choice what may run with it as one, in rank order.
    fn fill_batch(&self, choice: &mut Choice, rank: Rank, worker: WorkerIndex, own_only: bool) {
        let task = &self.tasks[choice.slot];
        let id = &self.workers[worker].id;
        let Some(batcher) = self.batches.batcher(id, task.family) else {
            return;
        };
        let has_all = batcher
            .args
            .iter()
            .all(|&arg| task.params.value(arg).is_some());
        if !task.batchable || batcher.args.is_empty() || !has_all {
            return;
        }
        let room = batcher.max_size.unwrap_or(u64::MAX).saturating_sub(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        choice.batch_args = batcher.args.to_vec();
        choice.others = self
            .batches
            .after(task, &batcher.args, rank)
            .map(|rank| rank.slot)
            .filter(|&slot| {
                let other = &self.tasks[slot];
                let members = &self.workers.team(other.team).members;
                (!own_only || members.contains(&worker))
                    && crate::batch::is_alike(task, other, &batcher.args)
            })
            .take(room)
            .collect();
    }

    fn hand_out(
        &mut self,
        now: Now,
        worker: WorkerIndex,
        slot: Slot,
        host: Option<&str>,
    ) -> Assignment {
        let task = &self.tasks[slot];
        let again = task.status == Status::Running;
        let before = task.time_running.filter(|_| again);
        self.set_owner(slot, Some(worker));
        self.edit_run(slot, self.tasks[slot].need, |task| {
            task.time_running = Some(now.wall);
            // An answer that was lost and is given again is the same run.
            task.attempt += u32::from(!again);
        });
        self.set_status(now, slot, Status::Running);
        if let Some(before) = before {
            self.emit_told_again(now, slot, before);
        }
        self.emit_history(now, slot, Status::Running, host);
        Assignment::Task {
            task_id: self.tasks[slot].id.to_string(),
            recipe: self.recipe(slot),
            attempt: u64::from(self.tasks[slot].attempt),
        }
    }

    fn hand_out_batch(&mut self, now: Now, worker: WorkerIndex, choice: &Choice) -> Assignment {
        let mut slots = alloc::vec![choice.slot];
        slots.extend(&choice.others);
        let task_ids: Vec<String> = slots
            .iter()
            .map(|&slot| self.tasks[slot].id.to_string())
            .collect();
        let batch_id = md5_hex(&task_ids.join("|"));
        let mut recipe = self.recipe(choice.slot);
        for &arg in &choice.batch_args {
            let values = slots
                .iter()
                .map(|&slot| {
                    self.tasks[slot]
                        .params
                        .value(arg)
                        .unwrap_or_default()
                        .to_string()
                })
                .collect();
            let name = self.names.text(arg);
            if let Some(param) = recipe.params.iter_mut().find(|param| param.0 == name) {
                param.1 = ParamValue::Many(values);
            }
        }
        for slot in slots {
            self.set_owner(slot, Some(worker));
            self.edit_run(slot, self.tasks[slot].need, |task| {
                task.rare_mut().batch_id = Some(batch_id.as_str().into());
                task.time_running = Some(now.wall);
                task.attempt += 1;
            });
            self.set_status(now, slot, Status::BatchRunning);
        }
        Assignment::Batch {
            batch_id,
            task_ids,
            recipe,
        }
    }

    fn recipe(&self, slot: Slot) -> Recipe {
        let task = &self.tasks[slot];
        Recipe {
            family: self.names.text(task.family).to_string(),
            module: (task.module != Name::EMPTY).then(|| self.names.text(task.module).to_string()),
            params: task
                .params
                .iter()
                .map(|(name, value, _)| {
                    let value = ParamValue::One(value.to_string());
                    (self.names.text(name).to_string(), value)
                })
                .collect(),
        }
    }

    /// What the worker still has to do, and what of it runs.
    ///
    /// # Errors
    ///
    /// A [`Refusal`](crate::Refusal) when the worker's id is none. Nothing has changed then.
    pub fn count_pending(&mut self, now: Now, worker: &str) -> Answer<PendingCounts> {
        let worker = self.worker(now, worker)?;
        Ok(self.counts(worker))
    }

    fn counts(&self, index: WorkerIndex) -> PendingCounts {
        let worker = &self.workers[index];
        let mut counts = PendingCounts {
            n_pending_tasks: 0,
            n_unique_pending: 0,
            n_pending_last_scheduled: 0,
            worker_state: worker.state(),
            running_tasks: Vec::new(),
        };
        let mut running = BTreeSet::new();
        for &team_id in &worker.teams {
            let team = self.workers.team(team_id);
            if team.open > 0 {
                let mut connected = self.workers.connected_team(team_id);
                let last = connected.next_back();
                let is_only = last == Some(index) && connected.next().is_none();
                counts.n_pending_tasks += team.open;
                counts.n_unique_pending += if is_only { team.open } else { 0 };
                counts.n_pending_last_scheduled += if last == Some(index) { team.open } else { 0 };
            }
            running.extend(&team.running);
        }
        counts.running_tasks = running
            .into_iter()
            .filter_map(|(_, slot)| {
                let task = &self.tasks[slot];
                let owner = &self.workers[task.worker_running?];
                Some(RunningTask {
                    task_id: task.id.to_string(),
                    worker: owner.id.to_string(),
                    worker_info: Arc::clone(&owner.info),
                })
            })
            .collect();
        counts
    }
}

fn md5_hex(text: &str) -> String {
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").expect("a String takes everything");
    }
    hex
}

/// A walk in rank order along what runs and the heads of the ready queues.
struct Walk<'a> {
    scheduler: &'a Scheduler,
    heads: alloc::boxed::Box<dyn Iterator<Item = (Rank, QueueIndex)> + 'a>,
    head: Option<(Rank, QueueIndex)>,
    running: alloc::collections::btree_set::Iter<'a, Rank>,
    run: Option<Rank>,
    /// The next task of queues whose head is behind us.
    further: BTreeSet<(Rank, QueueIndex)>,
    /// Free places of workers that asked for work of late, as far as looked at.
    places: BTreeMap<WorkerIndex, i64>,
    active_since: f64,
    /// The worker that asks, which so does now.
    asks: WorkerIndex,
    /// What is set aside for what ranks higher.
    reserved: Taken,
}

impl<'a> Walk<'a> {
    fn new(scheduler: &'a Scheduler, now: Now, asks: WorkerIndex) -> Self {
        let mut heads = alloc::boxed::Box::new(scheduler.queues.heads());
        let mut running = scheduler.running.iter();
        Self {
            head: heads.next(),
            heads,
            run: running.next().copied(),
            running,
            scheduler,
            further: BTreeSet::new(),
            places: BTreeMap::new(),
            active_since: now.monotonic.0 - scheduler.config.worker_disconnect_delay,
            asks,
            reserved: Taken::default(),
        }
    }

    /// The next in rank order: a running task, or the head of a queue.
    fn next(&mut self) -> Option<(Rank, Option<QueueIndex>)> {
        let further = self.further.first().copied();
        let ready = match (self.head, further) {
            (Some(head), Some(further)) => Some(head.min(further)),
            (head, further) => head.or(further),
        };
        // Without a ready task ahead the rest of what runs does not matter.
        let (rank, queue) = ready?;
        if let Some(run) = self.run.filter(|&run| run < rank) {
            self.run = self.running.next().copied();
            return Some((run, None));
        }
        if further == ready {
            self.further.pop_first();
        } else {
            self.head = self.heads.next();
        }
        Some((rank, Some(queue)))
    }

    /// Goes on with what follows `rank` in the queue.
    fn continue_with(&mut self, index: QueueIndex, rank: Rank) {
        use core::ops::Bound::{Excluded, Unbounded};
        let queue = self.scheduler.queues.get(index);
        let next = queue.ready.range((Excluded(rank), Unbounded)).next();
        self.further.extend(next.map(|&next| (next, index)));
    }

    /// A running task keeps a place of its worker, and what it takes.
    fn keep_running(&mut self, slot: Slot) {
        let task = &self.scheduler.tasks[slot];
        if let Some(worker) = task.worker_running
            && self.is_active(worker)
        {
            self.take_place(worker);
            let amounts = self.scheduler.needs.amounts(task.running_need());
            self.reserved.take(amounts);
        }
    }

    fn is_active(&self, worker: WorkerIndex) -> bool {
        if worker == self.asks {
            return true;
        }
        let worker = &self.scheduler.workers[worker];
        worker.connected
            && worker
                .last_get_work
                .is_some_and(|asked| asked.0 > self.active_since)
    }

    fn places(&self, worker: WorkerIndex) -> i64 {
        if !self.is_active(worker) {
            return 0;
        }
        let known = self.places.get(&worker).copied();
        known.unwrap_or(self.scheduler.workers[worker].processes)
    }

    fn take_place(&mut self, worker: WorkerIndex) {
        let places = self.places(worker);
        self.places.insert(worker, places - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_ids_are_luigis() {
        // hashlib.md5(b"A|B").hexdigest()
        assert_eq!(md5_hex("A|B"), "685d9b3124d3d6e4e6260e32506211d7");
    }
}
