//! All tasks that a worker knows, each once, found by id; and what planning learned of them.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

use crate::{TaskCounts, TaskHandle};

/// A task's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskIndex(u32);

impl TaskIndex {
    pub(crate) fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// Where a task stands, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not planned yet.
    New,
    AlreadyDone,
    Pending,
    Running,
    Done,
    Failed,
    Unschedulable,
}

pub(crate) struct Entry {
    pub(crate) task: TaskHandle,
    /// The dependencies as last planned; `None` when they were not asked for.
    pub(crate) deps: Option<Box<[TaskIndex]>>,
    pub(crate) phase: Phase,
    /// The last planning that came by here.
    seen: u32,
    /// The last search for cycles that found none from here.
    acyclic: u32,
    /// The search for cycles is below this task now.
    on_path: bool,
}

pub(crate) struct TaskTable {
    entries: Vec<Entry>,
    by_id: HashTable<u32>,
    hasher: RandomState,
    planning: u32,
    graph_version: u32,
    in_phase: [u64; 7],
}

impl Default for TaskTable {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            by_id: HashTable::new(),
            hasher: RandomState::default(),
            planning: 0,
            graph_version: 1,
            in_phase: [0; 7],
        }
    }
}

impl TaskTable {
    /// The place of the task of this id; a new one if the id is new.
    pub(crate) fn place(&mut self, task: TaskHandle) -> TaskIndex {
        let Self {
            entries,
            by_id,
            hasher,
            in_phase,
            ..
        } = self;
        let hash = hasher.hash_one(task.task_id());
        let same = |index: &u32| entries[*index as usize].task.task_id() == task.task_id();
        if let Some(index) = by_id.find(hash, same) {
            return TaskIndex(*index);
        }
        let index = u32::try_from(entries.len()).expect("memory ends before four billion tasks");
        by_id.insert_unique(hash, index, |index| {
            hasher.hash_one(entries[*index as usize].task.task_id())
        });
        entries.push(Entry {
            task,
            deps: None,
            phase: Phase::New,
            seen: 0,
            acyclic: 0,
            on_path: false,
        });
        in_phase[Phase::New as usize] += 1;
        TaskIndex(index)
    }

    pub(crate) fn find(&self, task_id: &str) -> Option<TaskIndex> {
        let hash = self.hasher.hash_one(task_id);
        self.by_id
            .find(hash, |index| {
                self.entries[*index as usize].task.task_id() == task_id
            })
            .map(|index| TaskIndex(*index))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entry(&self, index: TaskIndex) -> &Entry {
        &self.entries[index.as_usize()]
    }

    /// The entry at this place, which is in the table.
    pub(crate) fn at(&self, place: usize) -> &Entry {
        &self.entries[place]
    }

    pub(crate) fn task(&self, index: TaskIndex) -> &TaskHandle {
        &self.entries[index.as_usize()].task
    }

    /// The newest object of a task stands for it, as in Luigi.
    pub(crate) fn replace(&mut self, index: TaskIndex, task: TaskHandle) {
        self.entries[index.as_usize()].task = task;
    }

    /// How many tasks were announced by this worker or loaded for it.
    pub(crate) fn scheduled(&self) -> u64 {
        self.entries.len() as u64 - self.in_phase[Phase::New as usize]
    }

    pub(crate) fn set_phase(&mut self, index: TaskIndex, phase: Phase) {
        let entry = &mut self.entries[index.as_usize()];
        self.in_phase[entry.phase as usize] -= 1;
        self.in_phase[phase as usize] += 1;
        entry.phase = phase;
    }

    /// The tasks that are in this phase.
    pub(crate) fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &TaskHandle> {
        self.entries
            .iter()
            .filter(move |entry| entry.phase == phase)
            .map(|entry| &entry.task)
    }

    pub(crate) fn counts(&self) -> TaskCounts {
        let of = |phase: Phase| self.in_phase[phase as usize];
        TaskCounts {
            total: self.entries.len() as u64,
            already_done: of(Phase::AlreadyDone),
            done: of(Phase::Done),
            failed: of(Phase::Failed),
            running: of(Phase::Running),
            pending: of(Phase::Pending) + of(Phase::New),
            unschedulable: of(Phase::Unschedulable),
        }
    }

    pub(crate) fn start_planning(&mut self) {
        self.planning += 1;
    }

    /// Says whether this planning comes by for the first time.
    pub(crate) fn first_visit(&mut self, index: TaskIndex) -> bool {
        let seen = &mut self.entries[index.as_usize()].seen;
        std::mem::replace(seen, self.planning) != self.planning
    }

    pub(crate) fn set_deps(&mut self, index: TaskIndex, deps: Option<Box<[TaskIndex]>>) {
        let entry = &mut self.entries[index.as_usize()];
        if entry.acyclic == self.graph_version && entry.deps != deps {
            // What is known of tasks that depend on this one is no longer sure.
            self.graph_version += 1;
        }
        entry.deps = deps;
    }

    /// A cycle among the dependencies that can be reached from `root`, as `A, B, A`.
    ///
    /// What was searched before is not searched again, so that all searches together walk each
    /// edge once.
    pub(crate) fn find_cycle(&mut self, root: TaskIndex) -> Option<Vec<TaskIndex>> {
        let mut path: Vec<(TaskIndex, usize)> = Vec::new();
        let mut cycle = None;
        self.enter(root, &mut path);
        while let Some((index, next)) = path.last_mut() {
            let index = *index;
            let deps = self.entries[index.as_usize()].deps.as_deref();
            if let Some(&dep) = deps.and_then(|deps| deps.get(*next)) {
                *next += 1;
                if self.entry(dep).on_path {
                    let start = path.iter().position(|(index, _)| *index == dep);
                    let from = start.expect("what is marked is on the path");
                    cycle = Some(
                        path[from..]
                            .iter()
                            .map(|(index, _)| *index)
                            .chain([dep])
                            .collect(),
                    );
                    break;
                }
                self.enter(dep, &mut path);
            } else {
                let entry = &mut self.entries[index.as_usize()];
                entry.on_path = false;
                entry.acyclic = self.graph_version;
                path.pop();
            }
        }
        for (index, _) in path {
            self.entries[index.as_usize()].on_path = false;
        }
        cycle
    }

    fn enter(&mut self, index: TaskIndex, path: &mut Vec<(TaskIndex, usize)>) {
        let entry = &mut self.entries[index.as_usize()];
        if entry.acyclic != self.graph_version {
            entry.on_path = true;
            path.push((index, 0));
        }
    }

    /// The way from `from` to `to` over dependencies that are not done, both included.
    pub(crate) fn find_path(&self, from: TaskIndex, to: TaskIndex) -> Option<Vec<TaskIndex>> {
        let mut came_from = hashbrown::HashMap::with_hasher(RandomState::default());
        let mut waiting = vec![from];
        came_from.insert(from, from);
        while let Some(index) = waiting.pop() {
            if index == to {
                let mut path = vec![to];
                let mut at = to;
                while at != from {
                    at = came_from[&at];
                    path.push(at);
                }
                path.reverse();
                return Some(path);
            }
            let entry = self.entry(index);
            if matches!(entry.phase, Phase::Done | Phase::AlreadyDone) {
                continue;
            }
            for &dep in entry.deps.as_deref().unwrap_or_default() {
                if !came_from.contains_key(&dep) {
                    came_from.insert(dep, index);
                    waiting.push(dep);
                }
            }
        }
        None
    }
}
