//! Workers and resources, read in steps.

use alloc::{
    string::{String, ToString as _},
    vec::{self, Vec},
};

use crate::{
    Scheduler, ShownTask, ShownWorker, Status,
    read::{Budget, Place},
    worker::WorkerIndex,
};

/// `worker_list`, in steps: the connected workers, in no order.
pub struct WorkerListRead {
    next: u32,
}

impl WorkerListRead {
    /// Begins to read.
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0 }
    }

    /// Shows workers that run about `tasks` tasks, one worker at least, and says whether that was
    /// all.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        show: &mut dyn FnMut(ShownWorker<'_>),
    ) -> bool {
        let mut budget = Budget::of(tasks);
        while !budget.is_spent() {
            if self.next as usize >= scheduler.workers.list.len() {
                return true;
            }
            let index = WorkerIndex(self.next);
            self.next += 1;
            budget.look();
            let connected = scheduler.workers.get(index).filter(|it| it.connected);
            if let Some(worker) = connected {
                let shown = ShownWorker::new(scheduler, index);
                budget.show(shown.parts());
                worker.owned.iter().for_each(|_| budget.show(0));
                show(shown);
            }
        }
        false
    }
}

impl Default for WorkerListRead {
    fn default() -> Self {
        Self::new()
    }
}

/// `resource_list`, in steps: the running tasks with the resources that they declare.
pub struct ResourceListRead {
    running: Option<vec::IntoIter<Place>>,
    totals: Vec<ResourceTotal>,
}

/// A resource that has a limit.
pub struct ResourceTotal {
    /// Its name.
    pub name: String,
    /// Its limit.
    pub limit: u64,
    /// What runs take of it.
    pub used: u64,
}

impl ResourceListRead {
    /// Begins to read.
    #[must_use]
    pub fn new() -> Self {
        Self {
            running: None,
            totals: Vec::new(),
        }
    }

    /// Looks at about `tasks` running tasks, passes each to `show` with every resource that it
    /// declares, and says whether that was all.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        show: &mut dyn FnMut(&str, ShownTask<'_>),
    ) -> bool {
        let mut budget = Budget::of(tasks);
        let running = self.running.get_or_insert_with(|| {
            let slots = scheduler.running.iter().map(|rank| rank.slot);
            let places: Vec<Place> = slots.filter_map(|slot| scheduler.place(slot)).collect();
            places.into_iter()
        });
        while !budget.is_spent() {
            let Some(place) = running.next() else {
                self.totals = totals(scheduler);
                return true;
            };
            budget.look();
            if scheduler.place(place.0) != Some(place) {
                continue;
            }
            let task = ShownTask::new(scheduler, place.0);
            if task.status() == Status::Running {
                let need = scheduler.tasks[place.0].need;
                for &(resource, _) in scheduler.needs.amounts(need) {
                    budget.show(task.parts());
                    show(scheduler.needs.name(resource), task);
                }
            }
        }
        false
    }

    /// After the last step: the resources that have a limit, by name.
    #[must_use]
    pub fn totals(&self) -> &[ResourceTotal] {
        &self.totals
    }
}

impl Default for ResourceListRead {
    fn default() -> Self {
        Self::new()
    }
}

fn totals(scheduler: &Scheduler) -> Vec<ResourceTotal> {
    let limits = scheduler.limits.iter();
    let total = |(resource, limit)| ResourceTotal {
        name: scheduler.needs.name(resource).to_string(),
        limit,
        used: scheduler.taken.of(resource),
    };
    let mut totals: Vec<ResourceTotal> = limits.map(total).collect();
    totals.sort_by(|one, other| one.name.cmp(&other.name));
    totals
}
