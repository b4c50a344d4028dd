//! Views of workers and resources.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    InfoValue, ResourceView, Scheduler, Status, TaskView, WorkerLoad, WorkerView,
    resource::Resource,
    task::Slot,
    worker::{Worker, WorkerIndex},
};

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
        let mut views: Vec<WorkerView> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.connected)
            .map(|(index, worker)| WorkerView {
                name: worker.id.to_string(),
                last_active: worker.last_active_wall,
                started: worker.started_wall,
                state: worker.state(),
                first_task_display_name: self.first_task(worker),
                num_unread_rpc_messages: worker.messages.len() as u64,
                info: worker.info.to_vec(),
                load: include_running.then(|| self.load(index)),
            })
            .collect();
        views.sort_by_key(|view| core::cmp::Reverse(view.started));
        views
    }

    fn first_task(&self, worker: &Worker) -> String {
        let first = worker.info.iter().find(|info| info.0 == "first_task");
        let Some((_, InfoValue::Text(task_id))) = first else {
            return String::new();
        };
        self.tasks.find_task(task_id).map_or_else(
            || task_id.clone(),
            |slot| self.display_name(&self.tasks[slot]),
        )
    }

    fn load(&self, index: WorkerIndex) -> WorkerLoad {
        let worker = &self.workers[index];
        let mut load = WorkerLoad {
            num_pending: 0,
            num_uniques: 0,
            running: BTreeMap::new(),
        };
        for &team in &worker.teams {
            let pending = self.workers.team(team).pending;
            if pending > 0 {
                load.num_pending += pending;
                let is_only = self.workers.connected_team(team).eq([index]);
                load.num_uniques += if is_only { pending } else { 0 };
            }
        }
        let owned = worker.owned.iter().map(|&(_, slot)| slot);
        load.running =
            self.views_by_id(owned.filter(|&slot| self.tasks[slot].status == Status::Running));
        load
    }

    /// The resources that have a limit, with what runs take of them.
    #[must_use]
    pub fn resource_list(&self) -> Vec<ResourceView> {
        let mut running: BTreeMap<Resource, BTreeMap<String, TaskView>> = BTreeMap::new();
        for rank in &self.running {
            let slot: Slot = rank.slot;
            for &(name, _) in self.needs.amounts(self.tasks[slot].need) {
                let tasks = running.entry(name).or_default();
                tasks.insert(self.tasks[slot].id.to_string(), self.task_view(slot));
            }
        }
        let mut views: Vec<ResourceView> = self
            .limits
            .iter()
            .map(|(name, limit)| ResourceView {
                name: self.needs.name(name).to_string(),
                num_total: limit,
                num_used: self.taken.of(name),
                running: running.remove(&name).unwrap_or_default(),
            })
            .collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        views
    }
}
