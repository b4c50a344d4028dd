//! Tasks and workers as the views show them, seen in place: nothing is copied.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    InfoValue, Resources, Scheduler, Status, TaskView, Timestamp, Visibility, WorkerLoad,
    WorkerView,
    task::{Rare, Slot, Task},
    worker::{Worker, WorkerIndex},
};

/// A task as the read-only answers show it.
#[derive(Clone, Copy)]
pub struct ShownTask<'a> {
    scheduler: &'a Scheduler,
    task: &'a Task,
}

impl<'a> ShownTask<'a> {
    pub(crate) fn new(scheduler: &'a Scheduler, slot: Slot) -> Self {
        Self {
            scheduler,
            task: &scheduler.tasks[slot],
        }
    }

    pub(crate) fn scheduler(self) -> &'a Scheduler {
        self.scheduler
    }

    pub(crate) fn task(self) -> &'a Task {
        self.task
    }

    fn rare(self) -> Option<&'a Rare> {
        self.task.rare.as_deref()
    }

    /// Its id.
    #[must_use]
    pub fn id(self) -> &'a str {
        &self.task.id
    }

    /// `Family(name=value, …)` over public parameters in name order.
    #[must_use]
    pub fn display_name(self) -> impl fmt::Display {
        DisplayName(self)
    }

    /// Its status.
    #[must_use]
    pub fn status(self) -> Status {
        self.task.status
    }

    /// The connected workers that can run it, in the order in which they said so.
    pub fn workers(self) -> impl Iterator<Item = &'a str> {
        let workers = &self.scheduler.workers;
        let members = workers.connected_team(self.task.team);
        members.map(move |worker| &*workers[worker].id)
    }

    /// The connected workers with a stake in it.
    pub fn stakeholders(self) -> impl Iterator<Item = &'a str> {
        let workers = &self.scheduler.workers;
        let members = workers.stake(self.task.stake).members.iter();
        let connected = members.filter(move |&&worker| workers[worker].connected);
        connected.map(move |&worker| &*workers[worker].id)
    }

    /// The worker that runs it or ran it last.
    #[must_use]
    pub fn worker_running(self) -> Option<&'a str> {
        let worker = self.task.worker_running?;
        Some(&self.scheduler.workers[worker].id)
    }

    /// When it was last handed out (wall clock).
    #[must_use]
    pub fn time_running(self) -> Option<Timestamp> {
        self.task.time_running
    }

    /// When it was first announced (wall clock).
    #[must_use]
    pub fn start_time(self) -> Timestamp {
        self.task.created
    }

    /// When its status changed last (wall clock).
    #[must_use]
    pub fn last_updated(self) -> Timestamp {
        self.task.updated
    }

    /// Public parameters in name order.
    pub fn params(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let public = |param: &(_, _, Visibility)| param.2 == Visibility::Public;
        let names = &self.scheduler.names;
        let params = self.task.params.iter().filter(public);
        params.map(|(name, value, _)| (names.text(name), value))
    }

    /// The host of the worker that runs it or ran it last.
    #[must_use]
    pub fn host_running(self) -> Option<&'a str> {
        let worker = self.task.worker_running?;
        self.scheduler.workers[worker].host.as_deref()
    }

    /// Its family.
    #[must_use]
    pub fn family(self) -> &'a str {
        self.scheduler.names.text(self.task.family)
    }

    /// Its priority, raised by what depends on it.
    #[must_use]
    pub fn priority(self) -> f64 {
        self.task.priority
    }

    /// What a run takes.
    #[must_use]
    pub fn resources(self) -> Resources {
        self.scheduler.needs.resources(self.task.need)
    }

    /// What the current or last run takes.
    #[must_use]
    pub fn resources_running(self) -> Option<Resources> {
        let need = self.task.need_running?;
        Some(self.scheduler.needs.resources(need))
    }

    /// Where the run can be watched.
    #[must_use]
    pub fn tracking_url(self) -> Option<&'a str> {
        self.rare()?.tracking_url.as_deref()
    }

    /// What the run last said.
    #[must_use]
    pub fn status_message(self) -> Option<&'a str> {
        self.rare()?.status_message.as_deref()
    }

    /// How far the run is, in percent.
    #[must_use]
    pub fn progress_percentage(self) -> Option<f64> {
        self.rare()?.progress_percentage
    }

    /// Disabled tasks: whether an operator can enable it again.
    #[must_use]
    pub fn re_enable_able(self) -> Option<bool> {
        let is_disabled = self.task.status == Status::Disabled;
        is_disabled.then(|| self.task.scheduler_disabled().is_some())
    }

    /// Running tasks, when messages are enabled: whether it reads them.
    #[must_use]
    pub fn accepts_messages(self) -> Option<bool> {
        let shown = self.scheduler.config.send_messages && self.task.status == Status::Running;
        shown.then_some(self.task.accepts_messages)
    }

    /// The ids of its dependencies, in id order.
    #[must_use]
    pub fn deps(self) -> Vec<&'a str> {
        self.scheduler.ids(&self.task.deps)
    }

    /// All of this, to keep.
    #[must_use]
    pub fn view(self) -> TaskView {
        let text = |text: Option<&str>| text.map(ToString::to_string);
        let owned = |(name, value): (&str, &str)| (name.to_string(), value.to_string());
        TaskView {
            display_name: self.display_name().to_string(),
            status: self.status(),
            workers: self.workers().map(ToString::to_string).collect(),
            worker_running: text(self.worker_running()),
            time_running: self.time_running(),
            start_time: self.start_time(),
            last_updated: self.last_updated(),
            params: self.params().map(owned).collect(),
            family: self.family().to_string(),
            priority: self.priority(),
            resources: self.resources(),
            resources_running: self.resources_running(),
            tracking_url: text(self.tracking_url()),
            status_message: text(self.status_message()),
            progress_percentage: self.progress_percentage(),
            re_enable_able: self.re_enable_able(),
            accepts_messages: self.accepts_messages(),
            deps: self.deps().into_iter().map(ToString::to_string).collect(),
        }
    }

    /// How many names there are to write.
    pub(crate) fn parts(self) -> usize {
        self.scheduler.workers.team(self.task.team).members.len() + self.task.deps.len()
    }
}

struct DisplayName<'a>(ShownTask<'a>);

impl fmt::Display for DisplayName<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.family())?;
        out.write_str("(")?;
        for (index, (name, value)) in self.0.params().enumerate() {
            out.write_str(if index == 0 { "" } else { ", " })?;
            out.write_str(name)?;
            out.write_str("=")?;
            out.write_str(value)?;
        }
        out.write_str(")")
    }
}

/// A worker as `worker_list` shows it.
#[derive(Clone, Copy)]
pub struct ShownWorker<'a> {
    scheduler: &'a Scheduler,
    index: WorkerIndex,
}

impl<'a> ShownWorker<'a> {
    pub(crate) fn new(scheduler: &'a Scheduler, index: WorkerIndex) -> Self {
        Self { scheduler, index }
    }

    fn worker(self) -> &'a Worker {
        &self.scheduler.workers[self.index]
    }

    /// All but what it has to do.
    #[must_use]
    pub fn view(self) -> WorkerView {
        let worker = self.worker();
        WorkerView {
            name: worker.id.to_string(),
            last_active: worker.last_active_wall,
            started: worker.started_wall,
            state: worker.state(),
            first_task_display_name: self.first_task(),
            num_unread_rpc_messages: worker.messages.len() as u64,
            info: worker.info.to_vec(),
            load: None,
        }
    }

    fn first_task(self) -> String {
        let first = self.worker().info.iter().find(|it| it.0 == "first_task");
        let Some((_, InfoValue::Text(task_id))) = first else {
            return String::new();
        };
        self.scheduler.tasks.find_task(task_id).map_or_else(
            || task_id.clone(),
            |slot| {
                let task = ShownTask::new(self.scheduler, slot);
                task.display_name().to_string()
            },
        )
    }

    /// How many pending tasks it can run, and how many of them nobody else can.
    #[must_use]
    pub fn pending(self) -> (u64, u64) {
        let workers = &self.scheduler.workers;
        let (mut all, mut unique) = (0, 0);
        for &team in &self.worker().teams {
            let pending = workers.team(team).pending;
            if pending > 0 {
                all += pending;
                let is_only = workers.connected_team(team).eq([self.index]);
                unique += if is_only { pending } else { 0 };
            }
        }
        (all, unique)
    }

    /// What it runs now, by id.
    #[must_use]
    pub fn running(self) -> Vec<ShownTask<'a>> {
        let owned = self.worker().owned.iter().map(|&(_, slot)| slot);
        let shown = owned.map(|slot| ShownTask::new(self.scheduler, slot));
        let mut running: Vec<_> = shown
            .filter(|task| task.status() == Status::Running)
            .collect();
        running.sort_unstable_by_key(|task| task.id());
        running
    }

    /// How many tasks it runs, members of batches among them.
    #[must_use]
    pub fn running_count(self) -> usize {
        self.worker().owned.len()
    }

    pub(crate) fn load(self) -> WorkerLoad {
        let (num_pending, num_uniques) = self.pending();
        let running = self.running().into_iter();
        WorkerLoad {
            num_pending,
            num_uniques,
            running: running
                .map(|task| (task.id().to_string(), task.view()))
                .collect(),
        }
    }

    /// How many places there are to look at.
    pub(crate) fn parts(self) -> usize {
        self.worker().teams.len()
    }
}
