//! Recounts every index from the task records. For tests: nothing else calls it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
};

use crate::{
    Scheduler, Status,
    resource::{NeedId, Taken},
    task::{NO_SLOT, Slot, Task},
    worker::{StakeId, TeamId, WorkerIndex},
};

macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            return Err(format!($($message)*));
        }
    };
}

impl Scheduler {
    /// Whether every index agrees with the records it is made from, in words where it does not.
    ///
    /// # Errors
    ///
    /// The first disagreement. It is a bug of this crate.
    #[doc(hidden)]
    pub fn check_invariants(&self) -> Result<(), String> {
        self.check_links()?;
        self.check_counts()?;
        self.check_running()?;
        self.check_needs()?;
        self.check_ready()
    }

    fn check_links(&self) -> Result<(), String> {
        let mut listed = BTreeSet::new();
        for status in Status::ALL {
            for slot in self.tasks.with_status(status) {
                ensure!(
                    self.tasks[slot].status == status,
                    "{slot} is in the list of {status:?}"
                );
                ensure!(listed.insert(slot), "{slot} is listed twice");
            }
        }
        let ids: BTreeSet<Slot> = self.tasks.iter().map(|(slot, _)| slot).collect();
        ensure!(ids == listed, "tasks and status lists disagree");
        for (slot, task) in self.tasks.records() {
            ensure!(
                self.tasks.find(&task.id) == Some(slot),
                "{} is not found",
                task.id
            );
            let mut unmet = 0;
            let mut blocked = 0;
            for &dep in &task.deps {
                let dependency = &self.tasks[dep];
                unmet += u32::from(!dependency.is_satisfied());
                blocked += u32::from(!dependency.ghost && dependency.is_blocked());
                let linked = dependency.dependants.to_vec().contains(&slot);
                ensure!(
                    linked,
                    "{} does not know its dependant {}",
                    dependency.id,
                    task.id
                );
            }
            ensure!(
                task.unmet == unmet,
                "{}: {} unmet, really {unmet}",
                task.id,
                task.unmet
            );
            ensure!(
                task.blocked == blocked,
                "{}: {} blocked, really {blocked}",
                task.id,
                task.blocked
            );
            for dependant in task.dependants.to_vec() {
                let linked = self.tasks[dependant].deps.contains(&slot);
                ensure!(linked, "{} names a dependant that is none", task.id);
            }
            ensure!(
                !task.ghost || !task.dependants.is_empty(),
                "{} is kept for nothing",
                task.id
            );
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), String> {
        let mut teams: BTreeMap<TeamId, [u64; 4]> = BTreeMap::new();
        let mut stakes: BTreeMap<StakeId, BTreeSet<Slot>> = BTreeMap::new();
        let mut ran: BTreeMap<WorkerIndex, usize> = BTreeMap::new();
        for (slot, task) in self.tasks.iter() {
            let counts = teams.entry(task.team).or_default();
            let pending = task.status == Status::Pending;
            counts[0] += 1;
            counts[1] += u64::from(pending);
            counts[2] += u64::from(pending && task.need != NeedId::NOTHING);
            counts[3] += u64::from((pending && task.blocked == 0) || task.status == Status::Failed);
            stakes.entry(task.stake).or_default().insert(slot);
            if let Some(worker) = task.worker_running {
                *ran.entry(worker).or_default() += 1;
            }
        }
        for (id, counts) in &teams {
            let team = self.workers.team(*id);
            let kept = [team.tasks as u64, team.pending, team.needing, team.open];
            ensure!(kept == *counts, "{id:?} counts {kept:?}, really {counts:?}");
        }
        for (id, slots) in stakes.iter().filter(|(id, _)| **id != StakeId::NOBODY) {
            let mut listed = BTreeSet::new();
            let mut slot = self.workers.stake(*id).first;
            while slot != NO_SLOT {
                ensure!(listed.insert(slot), "{slot} is twice in {id:?}");
                slot = self.tasks[slot].in_stake.after;
            }
            ensure!(
                listed == *slots,
                "{id:?} lists {listed:?}, really {slots:?}"
            );
        }
        for (index, worker) in self.workers.iter() {
            let really = ran.get(&index).copied().unwrap_or(0);
            ensure!(
                worker.ran == really,
                "{} ran {}, really {really}",
                worker.id,
                worker.ran
            );
        }
        Ok(())
    }

    fn check_running(&self) -> Result<(), String> {
        let mut taken = Taken::default();
        let mut running = BTreeSet::new();
        let mut owned = 0;
        let is_odd = |task: &&Task| task.seen_done() && task.status != Status::Running;
        let odd = self.tasks.iter().map(|(_, task)| task).find(is_odd);
        ensure!(
            odd.is_none(),
            "a task that does not run was seen complete while it runs"
        );
        for (slot, task) in self.tasks.iter().filter(|(_, task)| task.is_running()) {
            if task.status == Status::Running {
                taken.take(self.needs.amounts(task.running_need()));
                running.insert(task.rank(slot));
            }
            if let Some(worker) = task.worker_running {
                owned += 1;
                let known = self.workers[worker].owned.contains(&(task.age, slot));
                ensure!(
                    known,
                    "the worker of {} does not know that it runs it",
                    task.id
                );
            }
        }
        ensure!(
            taken == self.taken,
            "{:?} is taken, really {taken:?}",
            self.taken
        );
        ensure!(
            running == self.running,
            "the list of running tasks is wrong"
        );
        let kept: usize = self
            .workers
            .iter()
            .map(|(_, worker)| worker.owned.len())
            .sum();
        ensure!(kept == owned, "workers own {kept} tasks, really {owned}");
        Ok(())
    }

    fn check_needs(&self) -> Result<(), String> {
        let mut users: BTreeMap<NeedId, usize> = BTreeMap::new();
        let mut pending: BTreeMap<NeedId, BTreeSet<Slot>> = BTreeMap::new();
        let mut policies: BTreeMap<u32, usize> = BTreeMap::from([(0, 1)]);
        for (slot, task) in self.tasks.iter() {
            for need in [Some(task.need), task.need_running].into_iter().flatten() {
                if need != NeedId::NOTHING {
                    *users.entry(need).or_default() += 1;
                }
            }
            if task.status == Status::Pending && task.need != NeedId::NOTHING {
                pending.entry(task.need).or_default().insert(slot);
            }
            if task.policy != 0 {
                *policies.entry(task.policy).or_default() += 1;
            }
        }
        let kept: BTreeMap<NeedId, usize> = self.needs.users().collect();
        ensure!(kept == users, "needs have {kept:?} users, really {users:?}");
        for &need in kept.keys() {
            let really = pending.remove(&need).unwrap_or_default();
            let kept = &self.needs.about(need).pending;
            ensure!(*kept == really, "{need:?} has {kept:?}, really {really:?}");
        }
        let kept: BTreeMap<u32, usize> = self.policies.users().collect();
        ensure!(
            kept == policies,
            "policies have {kept:?} users, really {policies:?}"
        );
        Ok(())
    }

    fn check_ready(&self) -> Result<(), String> {
        let mut ready = 0;
        let mut needy = BTreeSet::new();
        for (slot, task) in self.tasks.iter().filter(|(_, task)| task.is_ready()) {
            ready += 1;
            if task.need != NeedId::NOTHING {
                needy.insert((task.team, task.need, self.assistants(task)));
            }
            let queues = &self.workers.team(task.team).queues;
            let queue = queues.get(&(task.need, self.assistants(task)));
            let known =
                queue.is_some_and(|&queue| self.queues.get(queue).ready.contains(&task.rank(slot)));
            ensure!(known, "{} is ready and in no queue", task.id);
        }
        let kept = self.queues.ready();
        ensure!(
            kept == ready,
            "{kept} tasks are queued, really {ready} are ready"
        );
        let kept = self.queues.needy().flat_map(|(_, kinds)| kinds);
        let kept: BTreeSet<_> = kept
            .map(|kind| (kind.team, kind.need, kind.assistants))
            .collect();
        ensure!(
            kept == needy,
            "{kept:?} need resources, really {needy:?} do"
        );
        Ok(())
    }
}
