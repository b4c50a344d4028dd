//! What Luigi's scheduler would answer, worked out the slow way from what the views show: sort all
//! tasks, walk them all.

use std::collections::{BTreeMap, BTreeSet};

use condotta_scheduler::{
    InfoValue, Now, Resources, Scheduler, Status, TaskList, TaskListQuery, TaskView, WorkerState,
};

/// What no view shows: the tests keep it themselves.
#[derive(Default)]
pub(crate) struct Memory {
    /// When each worker last asked for work.
    pub(crate) asked: BTreeMap<String, f64>,
    /// Tasks that some worker said it can run.
    pub(crate) runnable: BTreeSet<String>,
    /// Tasks that may be run in batches.
    pub(crate) batchable: BTreeSet<String>,
    /// The batched parameters and the size, by worker and family.
    pub(crate) batchers: BTreeMap<(String, String), (Vec<String>, Option<u64>)>,
    pub(crate) limits: Resources,
}

/// The counts of an answer: pending, unique, last, and what runs.
pub(crate) type Counts = (u64, u64, u64, Vec<String>);

/// The state as the views show it.
pub(crate) struct Model<'a> {
    pub(crate) tasks: BTreeMap<String, TaskView>,
    pub(crate) memory: &'a Memory,
    now: f64,
    disconnect_delay: f64,
    /// The processes of connected workers.
    processes: BTreeMap<String, i64>,
    assistants: BTreeSet<String>,
    disabled: BTreeSet<String>,
    paused: bool,
}

pub(crate) fn all_tasks(scheduler: &Scheduler) -> BTreeMap<String, TaskView> {
    let query = TaskListQuery {
        limit: false,
        ..TaskListQuery::default()
    };
    let TaskList::Tasks(shown) = scheduler.task_list(&query) else {
        panic!("a list without a limit shows all tasks");
    };
    let ids = shown.into_keys();
    let known = ids.filter_map(|id| scheduler.task(&id).map(|task| (id, task)));
    known.collect()
}

impl<'a> Model<'a> {
    pub(crate) fn of(scheduler: &Scheduler, memory: &'a Memory, now: Now) -> Self {
        let workers = scheduler.worker_list(false);
        let info = |name: &str, key: &str| {
            let worker = workers.iter().find(|worker| worker.name == name);
            let info = worker.and_then(|worker| worker.info.iter().find(|(it, _)| it == key));
            info.map(|(_, value)| value.clone())
        };
        let names = || workers.iter().map(|worker| worker.name.clone());
        let processes = names().map(|name| match info(&name, "workers") {
            Some(InfoValue::Int(n)) => (name, n),
            _ => (name, 1),
        });
        let disabled = workers
            .iter()
            .filter(|it| it.state == WorkerState::Disabled);
        Self {
            tasks: all_tasks(scheduler),
            memory,
            now: now.monotonic.0,
            disconnect_delay: scheduler.config().worker_disconnect_delay,
            processes: processes.collect(),
            assistants: names()
                .filter(|name| info(name, "assistant") == Some(InfoValue::Bool(true)))
                .collect(),
            disabled: disabled.map(|it| it.name.clone()).collect(),
            paused: scheduler.is_paused(),
        }
    }

    /// The connected workers.
    pub(crate) fn workers(&self) -> impl Iterator<Item = &String> {
        self.processes.keys()
    }

    pub(crate) fn is_assistant(&self, worker: &str) -> bool {
        self.assistants.contains(worker)
    }

    pub(crate) fn is_disabled(&self, worker: &str) -> bool {
        self.disabled.contains(worker)
    }

    /// What a request for work is answered with: nothing, one task, or a batch.
    pub(crate) fn work(&self, worker: &str, assistant: bool) -> Vec<String> {
        if self.paused || self.is_disabled(worker) {
            return Vec::new();
        }
        let is_assistant = assistant || self.assistants.contains(worker);
        let own = |task: &TaskView| task.workers.iter().any(|it| it == worker);
        let pending = self
            .tasks
            .values()
            .filter(|it| it.status == Status::Pending);
        let trivial = !is_assistant
            && pending
                .clone()
                .all(|it| !own(it) || it.resources.is_empty());
        let mut walk: Vec<(&String, &TaskView)> = self
            .tasks
            .iter()
            .filter(|(_, it)| matches!(it.status, Status::Pending | Status::Running))
            .filter(|(_, it)| !trivial || own(it))
            .collect();
        walk.sort_by(|(_, a), (_, b)| {
            let by_age = a.start_time.cmp(&b.start_time);
            b.priority.total_cmp(&a.priority).then(by_age)
        });
        let used = if trivial {
            Resources::new()
        } else {
            self.used()
        };
        let mut places = if trivial {
            BTreeMap::new()
        } else {
            self.places(worker)
        };
        let mut reserved = Resources::new();
        for (at, (id, task)) in walk.iter().enumerate() {
            if task.status == Status::Running {
                let owner = task.worker_running.as_deref().unwrap_or_default();
                if let Some(free) = places.get_mut(owner) {
                    *free -= 1;
                    add(
                        &mut reserved,
                        task.resources_running.as_ref().unwrap_or(&task.resources),
                    );
                }
            } else if self.schedulable(task) && self.fits(&task.resources, &reserved) {
                let may = own(task) || assistant && self.memory.runnable.contains(*id);
                if may && self.fits(&task.resources, &used) {
                    return self.batch(worker, &walk[at..]);
                }
                // Unlike in Luigi, nothing is kept for an assistant that cannot run the task.
                let helps = assistant && self.memory.runnable.contains(*id);
                let caller = helps.then_some(worker);
                let mut helpers = task.workers.iter().map(String::as_str).chain(caller);
                let free = helpers.find(|it| places.get(*it).is_some_and(|free| *free > 0));
                if let Some(free) = free {
                    places.entry(free.to_owned()).and_modify(|it| *it -= 1);
                    add(&mut reserved, &task.resources);
                }
            }
        }
        Vec::new()
    }

    fn batch(&self, worker: &str, walk: &[(&String, &TaskView)]) -> Vec<String> {
        let (first_id, first) = walk[0];
        let alone = vec![first_id.clone()];
        let key = (worker.to_owned(), first.family.clone());
        let Some((args, max)) = self.memory.batchers.get(&key) else {
            return alone;
        };
        let has_args = |task: &TaskView| {
            let has = |arg: &String| task.params.iter().any(|(name, _)| name == arg);
            !args.is_empty() && args.iter().all(has)
        };
        let rest = |task: &TaskView| -> Vec<(String, String)> {
            let params = task.params.iter().cloned();
            params.filter(|(name, _)| !args.contains(name)).collect()
        };
        if !self.memory.batchable.contains(first_id) || !has_args(first) {
            return alone;
        }
        let others = walk[1..].iter().filter(|(id, task)| {
            task.family == first.family
                && self.memory.batchable.contains(*id)
                && has_args(task)
                && rest(task) == rest(first)
                && task.resources == first.resources
                && self.schedulable(task)
        });
        let most = max.map_or(usize::MAX, |max| usize::try_from(max).expect("it is small"));
        let others = others
            .map(|(id, _)| (*id).clone())
            .take(most.saturating_sub(1));
        alone.into_iter().chain(others).collect()
    }

    /// The task that is handed out again, because its worker never heard of it.
    pub(crate) fn lost(&self, worker: &str, current: &[String]) -> Option<String> {
        let mine = self.tasks.iter().filter(|(id, task)| {
            task.status == Status::Running
                && task.worker_running.as_deref() == Some(worker)
                && !current.contains(id)
        });
        let best = mine.max_by(|(_, a), (_, b)| {
            let by_age = b.start_time.cmp(&a.start_time);
            a.priority.total_cmp(&b.priority).then(by_age)
        });
        best.map(|(id, _)| id.clone())
    }

    pub(crate) fn counts(&self, worker: &str) -> Counts {
        let mut counts = (0, 0, 0, Vec::new());
        if self.is_disabled(worker) {
            return counts;
        }
        let held_up = self.held_up();
        for (id, task) in &self.tasks {
            if !task.workers.iter().any(|it| it == worker) {
                continue;
            }
            match task.status {
                Status::Running => counts.3.push(id.clone()),
                Status::Pending if held_up.contains(id) => {}
                Status::Pending | Status::Failed => {
                    counts.0 += 1;
                    counts.1 += u64::from(task.workers.len() == 1);
                    counts.2 += u64::from(task.workers.last().is_some_and(|it| it == worker));
                }
                _ => {}
            }
        }
        counts
    }

    /// Pending tasks above a disabled one, along pending ones.
    fn held_up(&self) -> BTreeSet<String> {
        let disabled = self
            .tasks
            .iter()
            .filter(|(_, it)| it.status == Status::Disabled);
        let mut held_up: BTreeSet<String> = disabled.map(|(id, _)| id.clone()).collect();
        loop {
            let before = held_up.len();
            for (id, task) in &self.tasks {
                let waits = task.status == Status::Pending;
                if waits && task.deps.iter().any(|dep| held_up.contains(dep)) {
                    held_up.insert(id.clone());
                }
            }
            if held_up.len() == before {
                return held_up;
            }
        }
    }

    pub(crate) fn schedulable(&self, task: &TaskView) -> bool {
        let done = |id: &String| {
            let dep = self.tasks.get(id);
            dep.is_some_and(|dep| dep.status == Status::Done)
        };
        task.status == Status::Pending && task.deps.iter().all(done)
    }

    fn used(&self) -> Resources {
        let mut used = Resources::new();
        let running = self
            .tasks
            .values()
            .filter(|it| it.status == Status::Running);
        running.for_each(|it| {
            add(
                &mut used,
                it.resources_running.as_ref().unwrap_or(&it.resources),
            )
        });
        used
    }

    /// The places of workers that asked of late. The worker that asks does so now.
    fn places(&self, asks: &str) -> BTreeMap<String, i64> {
        let active = self.processes.iter().filter(|(name, _)| {
            let asked = self.memory.asked.get(*name);
            *name == asks || asked.is_some_and(|at| *at > self.now - self.disconnect_delay)
        });
        active.map(|(name, n)| (name.clone(), *n)).collect()
    }

    fn fits(&self, need: &Resources, taken: &Resources) -> bool {
        need.iter().all(|(name, amount)| {
            let limit = self.memory.limits.get(name).copied().unwrap_or(1);
            amount + taken.get(name).copied().unwrap_or(0) <= limit
        })
    }
}

fn add(sum: &mut Resources, need: &Resources) {
    for (name, amount) in need {
        *sum.entry(name.clone()).or_default() += amount;
    }
}
