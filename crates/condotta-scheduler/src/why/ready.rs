//! What holds up a task that waits for no other: workers, resources, and what ranks higher.
//!
//! Whether it is next is settled by the choice that `get_work` makes, asked for a few of the workers
//! that may run the task, so that the answer is what these workers would really get.

use alloc::{string::ToString as _, vec::Vec};

use super::{Absence, Candidate, Hold, Lacking, NAMED, NoWorker, TaskName};
use crate::{
    DeadEnd, Now, Scheduler,
    names::Name,
    resource::{Amounts, Resource},
    task::{Rank, Slot, Task},
    worker::WorkerIndex,
};

/// For so many workers the choice is made, and for as many that would take the task into a batch.
const ASKED_FOR: usize = 8;
/// So many tasks of higher rank are counted.
const COUNTED: usize = 1000;

impl Scheduler {
    /// What holds up a pending task whose dependencies are done, or which can never run.
    pub(super) fn ready_hold(&self, now: Now, slot: Slot) -> Hold {
        let task = &self.tasks[slot];
        if let Some(DeadEnd::NeedAboveLimit {
            resource,
            amount,
            limit,
        }) = self.need_above_limit(task.need)
        {
            return Hold::NeedAboveLimit {
                resource,
                amount,
                limit,
            };
        }
        let mut workers = self.candidates(task);
        let by_batch = self.batching(task, &workers);
        if workers.is_empty() && !self.gets_any(now, &by_batch, slot) {
            return Hold::NoWorker(self.no_worker(task));
        }
        workers.truncate(ASKED_FOR);
        workers.extend(by_batch);
        if self.paused {
            return Hold::Paused;
        }
        let lacking = self.lacking(self.needs.amounts(task.need));
        if !lacking.is_empty() {
            return Hold::Resources { lacking };
        }
        self.turn(now, slot, &workers)
    }

    /// The workers that are there and may run the task, those with a free process first.
    fn candidates(&self, task: &Task) -> Vec<WorkerIndex> {
        let mut workers: Vec<_> = self.workers.connected_team(task.team).collect();
        if let Some(program) = self.assistants(task) {
            let all = self.workers.iter();
            let helps = all.filter(|(_, it)| it.assistant && it.connected && !it.disabled);
            let helps = helps.map(|(index, _)| index);
            let members = &self.workers.team(task.team).members;
            let others = helps.filter(|helper| !members.contains(helper));
            workers.extend(others.filter(|&helper| self.program_of(helper) == program));
        }
        workers.sort_by_cached_key(|&worker| self.candidate(worker).is_busy());
        workers
    }

    /// Other workers that run tasks of this family in batches: such a batch may take tasks in that the
    /// worker did not announce, as in Luigi.
    fn batching(&self, task: &Task, candidates: &[WorkerIndex]) -> Vec<WorkerIndex> {
        if !task.batchable {
            return Vec::new();
        }
        let batchers = self.batches.batchers();
        let of_family = batchers.filter(|(_, family)| *family == task.family);
        let workers = of_family.filter_map(|(id, _)| self.workers.find(id));
        let there = workers.filter(|&index| {
            let worker = &self.workers[index];
            worker.connected && !worker.disabled && !candidates.contains(&index)
        });
        there.take(ASKED_FOR).collect()
    }

    /// Whether one of these workers would be given the task if it asked now.
    fn gets_any(&self, now: Now, workers: &[WorkerIndex], slot: Slot) -> bool {
        let would_get = |&worker: &WorkerIndex| self.would_get(now, worker);
        let mut given = workers
            .iter()
            .filter(|_| !self.paused)
            .filter_map(would_get);
        given.any(|tasks| tasks.contains(&slot))
    }

    fn candidate(&self, worker: WorkerIndex) -> Candidate {
        let worker = &self.workers[worker];
        Candidate {
            worker: worker.id.to_string(),
            running: worker.owned.len(),
            processes: worker.processes,
        }
    }

    /// Whose turn it is, when nothing but the order of tasks can hold this one up.
    fn turn(&self, now: Now, slot: Slot, workers: &[WorkerIndex]) -> Hold {
        let mut next_for = Vec::new();
        let mut gets_other = Vec::new();
        for &worker in workers {
            match self.would_get(now, worker) {
                Some(tasks) if tasks.contains(&slot) => next_for.push(worker),
                Some(_) => gets_other.push(worker),
                None => {}
            }
        }
        let named = |workers: &[WorkerIndex]| -> Vec<Candidate> {
            workers
                .iter()
                .map(|&worker| self.candidate(worker))
                .collect()
        };
        if !next_for.is_empty() {
            return Hold::Ready {
                workers: named(&next_for),
            };
        }
        if gets_other.is_empty() {
            return self.reserved(now, slot, workers[0]);
        }
        let ahead = self.ahead(slot, &gets_other);
        Hold::Behind {
            ahead: ahead.min(COUNTED),
            is_exact: ahead <= COUNTED,
            workers: named(&gets_other),
        }
    }

    /// How many ready tasks rank higher that one of these workers may run; counted up to a bound.
    fn ahead(&self, slot: Slot, workers: &[WorkerIndex]) -> usize {
        let rank = self.tasks[slot].rank(slot);
        let higher = self.queues.heads().take_while(|(head, _)| *head < rank);
        let may_run = |index| {
            let mut workers = workers.iter();
            workers.any(|&worker| self.may_run(worker, index, self.workers[worker].assistant))
        };
        let queues = higher.filter(|&(_, index)| may_run(index));
        let ranks = queues.flat_map(|(_, index)| self.queues.get(index).ready.range(..rank));
        ranks.take(COUNTED + 1).count()
    }

    fn reserved(&self, now: Now, slot: Slot, worker: WorkerIndex) -> Hold {
        let rank = self.tasks[slot].rank(slot);
        let kept: Vec<Rank> = self.kept_for_others(now, worker);
        let kept = kept.into_iter().filter(|other| *other < rank);
        let kept: Vec<Slot> = kept.map(|rank| rank.slot).collect();
        let mut taken = self.taken.clone();
        for &other in &kept {
            taken.take(self.needs.amounts(self.tasks[other].need));
        }
        let need = self.tasks[slot].need;
        let amounts = self.needs.amounts(need);
        let lacks =
            |resource: Resource, amount: u64| !self.limits.fits(&[(resource, amount)], &taken);
        let lacking: Vec<Resource> = amounts
            .iter()
            .filter(|&&(resource, amount)| lacks(resource, amount))
            .map(|&(resource, _)| resource)
            .collect();
        let needs_one = |&other: &Slot| {
            let mut lacking = lacking.iter();
            lacking.any(|&resource| self.amount_of(self.tasks[other].need, resource) > 0)
        };
        let kept_for = kept.into_iter().filter(needs_one).take(NAMED);
        Hold::Reserved {
            resources: lacking
                .iter()
                .map(|&resource| self.needs.name(resource).to_string())
                .collect(),
            kept_for: kept_for.map(|other| self.task_name(other)).collect(),
        }
    }

    /// The resources of which there is not enough beside what runs.
    fn lacking(&self, amounts: &Amounts) -> Vec<Lacking> {
        let lacks = |&&(resource, amount): &&(Resource, u64)| {
            !self.limits.fits(&[(resource, amount)], &self.taken)
        };
        let lacking = amounts.iter().filter(lacks);
        lacking
            .map(|&(resource, amount)| Lacking {
                resource: self.needs.name(resource).to_string(),
                amount,
                used: self.taken.of(resource),
                limit: self.limits.limit(resource),
                users: self.users(resource),
            })
            .collect()
    }

    fn users(&self, resource: Resource) -> Vec<(TaskName, u64)> {
        let running = self.running.iter().map(|rank| rank.slot);
        let amounts = running.map(|slot| {
            let need = self.tasks[slot].running_need();
            (slot, self.amount_of(need, resource))
        });
        let users = amounts.filter(|&(_, amount)| amount > 0).take(NAMED);
        users
            .map(|(slot, amount)| (self.task_name(slot), amount))
            .collect()
    }

    fn no_worker(&self, task: &Task) -> NoWorker {
        let team = &self.workers.team(task.team).members;
        let stake = &self.workers.stake(task.stake).members;
        let others = stake.iter().filter(|worker| !team.contains(worker));
        let known = team.iter().chain(others);
        let workers = known.map(|&index| {
            let worker = &self.workers[index];
            let since = worker.last_active_wall;
            let absence = match worker {
                it if it.disabled => Absence::Disabled,
                it if it.connected => Absence::CannotRun,
                it if it.left => Absence::Left { since },
                _ => Absence::Silent { since },
            };
            (worker.id.to_string(), absence)
        });
        let assistants = self.workers.iter().map(|(_, worker)| worker);
        let assistants = assistants.filter(|it| it.assistant && it.connected && !it.disabled);
        let module = (task.module != Name::EMPTY).then(|| self.names.text(task.module));
        NoWorker {
            runnable: task.runnable,
            workers: workers.take(NAMED).collect(),
            module: module.map(Into::into),
            other_assistants: assistants
                .map(|it| it.id.to_string())
                .take(if task.runnable { NAMED } else { 0 })
                .collect(),
        }
    }
}
