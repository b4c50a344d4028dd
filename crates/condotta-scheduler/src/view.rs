//! Views of tasks: lists, search, single tasks. Nothing here changes anything.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    DeadEnd, Neighbour, Resources, Scheduler, ShownTask, Status, TaskBrief, TaskError, TaskList,
    TaskListQuery, TaskListRead, TaskSearchRead, TaskView,
    names::Name,
    task::{Slot, Task},
};

impl Scheduler {
    /// The tasks that a query asks for, by id.
    #[must_use]
    pub fn task_list(&self, query: &TaskListQuery) -> TaskList {
        let mut read = TaskListRead::new(query.clone());
        let mut tasks = BTreeMap::new();
        read.step(self, usize::MAX, &mut |task| {
            tasks.insert(task.id().to_string(), task.view());
        });
        match read.too_many() {
            None => TaskList::Tasks(tasks),
            Some(count) => TaskList::TooMany(count),
        }
    }

    /// The tasks whose id contains a text, by status and id.
    #[must_use]
    pub fn task_search(&self, text: &str) -> BTreeMap<Status, BTreeMap<String, TaskView>> {
        let mut found: BTreeMap<Status, BTreeMap<String, TaskView>> = BTreeMap::new();
        TaskSearchRead::new(text.to_string()).step(self, usize::MAX, &mut |task| {
            let tasks = found.entry(task.status()).or_default();
            tasks.insert(task.id().to_string(), task.view());
        });
        found
    }

    /// The task as it is shown, seen in place, or `None` when it is not known.
    #[must_use]
    pub fn shown_task(&self, task_id: &str) -> Option<ShownTask<'_>> {
        let slot = self.tasks.find_task(task_id)?;
        Some(ShownTask::new(self, slot))
    }

    /// A task, or `None` when it is not known.
    #[must_use]
    pub fn task(&self, task_id: &str) -> Option<TaskView> {
        self.shown_task(task_id).map(ShownTask::view)
    }

    /// What kind of task that is, at little cost; `None` when it is not known.
    #[must_use]
    pub fn task_brief(&self, task_id: &str) -> Option<TaskBrief> {
        let task = &self.tasks[self.tasks.find_task(task_id)?];
        Some(TaskBrief {
            family: self.names.text(task.family).to_string(),
            params: self.all_params(task),
            time_running: task.time_running,
        })
    }

    /// The parameters that may differ within this worker's batches of the family; none when it runs
    /// each task alone.
    pub fn batched_args(&self, worker: &str, family: &str) -> impl Iterator<Item = &str> {
        let family = self.names.find(family);
        let batcher = family.and_then(|family| self.batches.batcher(worker, family));
        let args = batcher.into_iter().flat_map(|batcher| batcher.args.iter());
        args.map(|&arg| self.names.text(arg))
    }

    /// What the task's last run said, with all parameters that the scheduler knows.
    #[must_use]
    pub fn fetch_error(&self, task_id: &str) -> Option<TaskError> {
        let shown = self.shown_task(task_id)?;
        let task = &self.tasks[self.tasks.find_task(task_id)?];
        Some(TaskError {
            expl: task.expl.as_deref().map(ToString::to_string),
            display_name: shown.display_name().to_string(),
            params: self.all_params(task),
            module: (task.module != Name::EMPTY).then(|| self.names.text(task.module).to_string()),
            family: self.names.text(task.family).to_string(),
        })
    }

    /// What the task's run said last; `None` when the task is not known.
    #[must_use]
    pub fn task_status_message(&self, task_id: &str) -> Option<Option<String>> {
        let rare = self.tasks[self.tasks.find_task(task_id)?].rare.as_deref();
        Some(text(rare.and_then(|rare| rare.status_message.as_deref())))
    }

    /// How far the task's run is, in percent; `None` when the task is not known.
    #[must_use]
    pub fn task_progress_percentage(&self, task_id: &str) -> Option<Option<f64>> {
        let rare = self.tasks[self.tasks.find_task(task_id)?].rare.as_deref();
        Some(rare.and_then(|rare| rare.progress_percentage))
    }

    /// What the task's current or last run takes.
    #[must_use]
    pub fn running_task_resources(&self, task_id: &str) -> Option<Resources> {
        let need = self.tasks[self.tasks.find_task(task_id)?].need_running?;
        Some(self.needs.resources(need))
    }

    /// Tasks, and missing dependencies, that can never run as things were at the last prune, with
    /// the reasons.
    #[must_use]
    pub fn dead_ends(&self) -> BTreeMap<String, DeadEnd> {
        self.dead_ends
            .iter()
            .map(|(&slot, reason)| (self.tasks[slot].id.to_string(), reason.clone()))
            .collect()
    }

    /// How many those are.
    #[must_use]
    pub fn dead_end_count(&self) -> usize {
        self.dead_ends.len()
    }

    /// The same, seen in place, in no particular but a lasting order.
    pub fn shown_dead_ends(&self) -> impl Iterator<Item = (Neighbour<'_>, &DeadEnd)> {
        let dead_ends = self.dead_ends.iter();
        dead_ends.map(|(&slot, reason)| (Neighbour::new(self, slot), reason))
    }

    fn all_params(&self, task: &Task) -> Vec<(String, String)> {
        let params = task.params.iter();
        params
            .map(|(name, value, _)| (self.names.text(name).to_string(), value.to_string()))
            .collect()
    }

    /// The ids of these slots, in id order.
    pub(crate) fn ids(&self, slots: &[Slot]) -> Vec<&str> {
        let mut ids: Vec<&str> = slots.iter().map(|&slot| &*self.tasks[slot].id).collect();
        ids.sort_unstable();
        ids
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(ToString::to_string)
}
