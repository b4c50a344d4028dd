//! Views of tasks: lists, search, single tasks. Nothing here changes anything.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    DeadEnd, Resources, Scheduler, Status, TaskBrief, TaskError, TaskList, TaskListQuery, TaskView,
    Visibility,
    names::Name,
    task::{Slot, Task},
    upstream::Found,
};

impl Scheduler {
    /// The tasks that a query asks for, by id.
    #[must_use]
    pub fn task_list(&self, query: &TaskListQuery) -> TaskList {
        let most = query
            .max_shown_tasks
            .filter(|&most| most > 0)
            .unwrap_or(self.config.max_shown_tasks);
        let searches = query
            .search
            .as_ref()
            .is_some_and(|search| !search.is_empty());
        let count = query
            .status
            .map_or(self.tasks.len(), |status| self.tasks.count(status));
        if !searches && query.limit && count as u64 > most {
            let counted = query.upstream_status.is_empty();
            return TaskList::TooMany(counted.then_some(count as u64));
        }
        let terms: Vec<String> = query
            .search
            .as_deref()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let mut found = Found::new();
        let mut is_wanted = |slot: Slot| {
            let task = &self.tasks[slot];
            let name = || self.display_name(task).to_lowercase();
            (terms.is_empty() || {
                let name = name();
                terms.iter().all(|term| name.contains(term.as_str()))
            }) && (query.upstream_status.is_empty()
                || task.status != Status::Pending
                || self
                    .upstream_of(slot, &mut found)
                    .is_some_and(|upstream| upstream.name() == query.upstream_status))
        };
        let slots: Vec<Slot> = match query.status {
            Some(status) => self
                .tasks
                .with_status(status)
                .filter(|&slot| is_wanted(slot))
                .collect(),
            None => {
                let slots = self.tasks.iter().map(|(slot, _)| slot);
                slots.filter(|&slot| is_wanted(slot)).collect()
            }
        };
        if query.limit && slots.len() as u64 > most {
            return TaskList::TooMany(Some(slots.len() as u64));
        }
        TaskList::Tasks(self.views_by_id(slots))
    }

    /// The tasks whose id contains a text, by status and id.
    #[must_use]
    pub fn task_search(&self, text: &str) -> BTreeMap<Status, BTreeMap<String, TaskView>> {
        let mut result: BTreeMap<Status, BTreeMap<String, TaskView>> = BTreeMap::new();
        for (slot, task) in self.tasks.iter().filter(|(_, task)| task.id.contains(text)) {
            let tasks = result.entry(task.status).or_default();
            tasks.insert(task.id.to_string(), self.task_view(slot));
        }
        result
    }

    /// A task, or `None` when it is not known.
    #[must_use]
    pub fn task(&self, task_id: &str) -> Option<TaskView> {
        self.tasks
            .find_task(task_id)
            .map(|slot| self.task_view(slot))
    }

    /// What kind of task that is, at little cost; `None` when it is not known.
    #[must_use]
    pub fn task_brief(&self, task_id: &str) -> Option<TaskBrief> {
        let task = &self.tasks[self.tasks.find_task(task_id)?];
        Some(TaskBrief {
            family: self.names.text(task.family).to_string(),
            params: self.params_of(task, |_| true),
            time_running: task.time_running,
        })
    }

    /// What the task's last run said, with all parameters that the scheduler knows.
    #[must_use]
    pub fn fetch_error(&self, task_id: &str) -> Option<TaskError> {
        let task = &self.tasks[self.tasks.find_task(task_id)?];
        Some(TaskError {
            expl: task.expl.as_deref().map(ToString::to_string),
            display_name: self.display_name(task),
            params: self.params_of(task, |_| true),
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

    pub(crate) fn views_by_id(
        &self,
        slots: impl IntoIterator<Item = Slot>,
    ) -> BTreeMap<String, TaskView> {
        slots
            .into_iter()
            .map(|slot| (self.tasks[slot].id.to_string(), self.task_view(slot)))
            .collect()
    }

    pub(crate) fn task_view(&self, slot: Slot) -> TaskView {
        let task = &self.tasks[slot];
        let rare = task.rare.as_deref();
        TaskView {
            display_name: self.display_name(task),
            status: task.status,
            workers: self
                .workers
                .connected_team(task.team)
                .map(|worker| self.workers[worker].id.to_string())
                .collect(),
            worker_running: task
                .worker_running
                .map(|worker| self.workers[worker].id.to_string()),
            time_running: task.time_running,
            start_time: task.created,
            last_updated: task.updated,
            params: self.params_of(task, |visibility| visibility == Visibility::Public),
            family: self.names.text(task.family).to_string(),
            priority: task.priority,
            resources: self.needs.resources(task.need),
            resources_running: task.need_running.map(|need| self.needs.resources(need)),
            tracking_url: text(rare.and_then(|rare| rare.tracking_url.as_deref())),
            status_message: text(rare.and_then(|rare| rare.status_message.as_deref())),
            progress_percentage: rare.and_then(|rare| rare.progress_percentage),
            re_enable_able: (task.status == Status::Disabled)
                .then(|| task.scheduler_disabled().is_some()),
            accepts_messages: (self.config.send_messages && task.status == Status::Running)
                .then_some(task.accepts_messages),
            deps: self.ids(&task.deps),
        }
    }

    /// The ids of these slots, in id order.
    pub(crate) fn ids(&self, slots: &[Slot]) -> Vec<String> {
        let mut ids: Vec<String> = slots
            .iter()
            .map(|&slot| self.tasks[slot].id.to_string())
            .collect();
        ids.sort_unstable();
        ids
    }

    fn params_of(&self, task: &Task, shown: impl Fn(Visibility) -> bool) -> Vec<(String, String)> {
        task.params
            .iter()
            .filter(|param| shown(param.2))
            .map(|(name, value, _)| (self.names.text(name).to_string(), value.to_string()))
            .collect()
    }

    /// `Family(name=value, …)` over public parameters in name order.
    pub(crate) fn display_name(&self, task: &Task) -> String {
        let params: Vec<String> = task
            .params
            .iter()
            .filter(|param| param.2 == Visibility::Public)
            .map(|(name, value, _)| format!("{}={value}", self.names.text(name)))
            .collect();
        format!("{}({})", self.names.text(task.family), params.join(", "))
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(ToString::to_string)
}
