//! Views of workers and resources, read in one step.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{ResourceListRead, ResourceView, Scheduler, TaskView, WorkerListRead, WorkerView};

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
}
