//! Views of workers and resources, read in one step.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    ResourceListRead, ResourceView, Scheduler, ShownWorker, TaskView, WorkerListRead, WorkerView,
};

/// How much there is of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceUse {
    /// The limit; 1 where nobody said one.
    pub limit: u64,
    /// Whether somebody said the limit.
    pub is_said: bool,
    /// What runs take.
    pub used: u64,
}

impl Scheduler {
    /// Whether the scheduler hands nothing out.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether pausing works.
    #[must_use]
    pub fn is_pause_enabled(&self) -> bool {
        self.config.pause_enabled
    }

    /// The connected workers, the latest first.
    #[must_use]
    pub fn worker_list(&self, include_running: bool) -> Vec<WorkerView> {
        let mut views = Vec::new();
        WorkerListRead::new().step(self, usize::MAX, &mut |worker| {
            views.push(WorkerView {
                load: include_running.then(|| worker.load()),
                ..worker.view()
            });
        });
        views.sort_by_key(|view| core::cmp::Reverse(view.started));
        views
    }

    /// The resources that have a limit, with what runs take of them.
    #[must_use]
    pub fn resource_list(&self) -> Vec<ResourceView> {
        let mut running: BTreeMap<String, BTreeMap<String, TaskView>> = BTreeMap::new();
        let mut read = ResourceListRead::new();
        read.step(self, usize::MAX, &mut |resource, task| {
            let tasks = running.entry(resource.to_string()).or_default();
            tasks.insert(task.id().to_string(), task.view());
        });
        let views = read.totals().iter().map(|total| ResourceView {
            name: total.name.clone(),
            num_total: total.limit,
            num_used: total.used,
            running: running.remove(&total.name).unwrap_or_default(),
        });
        views.collect()
    }

    /// The connected worker of this id, seen in place.
    #[must_use]
    pub fn shown_worker(&self, worker: &str) -> Option<ShownWorker<'_>> {
        let index = self.workers.find(worker)?;
        let worker = &self.workers[index];
        (worker.connected && !worker.forgotten).then(|| ShownWorker::new(self, index))
    }

    /// How many workers are connected.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        let workers = self.workers.iter();
        workers.filter(|(_, worker)| worker.connected).count()
    }

    /// How much there is of a resource; `None` when it has no limit and nobody needs it.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<ResourceUse> {
        let resource = self.needs.find_resource(name)?;
        Some(ResourceUse {
            limit: self.limits.limit(resource),
            is_said: self.limits.is_said(resource),
            used: self.taken.of(resource),
        })
    }

    /// The names of the resources that have a limit or that a task needs.
    pub fn known_resources(&self) -> impl Iterator<Item = &str> {
        self.needs.names()
    }

    /// The names of the resources that have a limit.
    #[must_use]
    pub fn limited_resources(&self) -> Vec<String> {
        let limits = self.limits.iter();
        limits
            .map(|(resource, _)| self.needs.name(resource).to_string())
            .collect()
    }
}
