//! Which task belongs to which category.

use condotta_scheduler::Status;

use super::{Category, Summary};
use crate::{
    history::History,
    task_table::{TaskIndex, TaskTable},
};

/// A set of categories.
#[derive(Clone, Copy, Default)]
struct Marks(u16);

impl Marks {
    fn set(&mut self, category: Category) {
        self.0 |= 1 << category as u16;
    }

    fn clear(&mut self, category: Category) {
        self.0 &= !(1 << category as u16);
    }

    fn has(self, category: Category) -> bool {
        self.0 & (1 << category as u16) != 0
    }
}

/// Which statuses were ever told of a task.
#[derive(Clone, Copy, Default)]
struct Told {
    done: bool,
    failed: bool,
    unknown: bool,
    pending_runnable: bool,
    pending_not_runnable: bool,
}

pub(super) fn sort_out(tasks: &TaskTable, history: &History, worker_id: &str) -> Summary {
    let mut order = Vec::with_capacity(tasks.len());
    let mut marks = direct(tasks, history, &mut order);
    let mut listed = vec![false; tasks.len()];
    for index in &order {
        listed[index.as_usize()] = true;
    }
    let mut others = Vec::new();
    for (worker, task_ids) in history.others() {
        let known: Vec<TaskIndex> = task_ids.iter().filter_map(|id| tasks.find(id)).collect();
        if worker == worker_id || known.is_empty() {
            continue;
        }
        for index in &known {
            marks[index.as_usize()].set(Category::RunByOtherWorker);
            if !std::mem::replace(&mut listed[index.as_usize()], true) {
                order.push(*index);
            }
        }
        others.push((worker.clone(), known.len()));
    }
    mark_done_elsewhere(tasks, &order, &mut marks);
    for index in &order {
        if marks[index.as_usize()].has(Category::StillPendingNotExt) {
            search_upstream(tasks, *index, &mut marks);
        }
    }
    let sets = Category::ALL.map(|category| {
        let members = order
            .iter()
            .filter(|index| marks[index.as_usize()].has(category));
        members.map(|index| tasks.task(*index).clone()).collect()
    });
    Summary { sets, others }
}

/// The categories that follow from what was told of the task itself.
fn direct(tasks: &TaskTable, history: &History, order: &mut Vec<TaskIndex>) -> Vec<Marks> {
    let mut told = vec![None::<Told>; tasks.len()];
    for report in history.told() {
        let slot = &mut told[report.index.as_usize()];
        if slot.is_none() {
            order.push(report.index);
        }
        let told = slot.get_or_insert_default();
        match report.status {
            Status::Done => told.done = true,
            Status::Failed => told.failed = true,
            Status::Unknown => told.unknown = true,
            Status::Pending if report.runnable => told.pending_runnable = true,
            Status::Pending => told.pending_not_runnable = true,
            Status::Running | Status::BatchRunning | Status::Disabled => {}
        }
    }
    told.into_iter()
        .map(|told| judge(told.unwrap_or_default()))
        .collect()
}

fn judge(told: Told) -> Marks {
    let ever_pending = told.pending_runnable || told.pending_not_runnable;
    let completed = told.done && ever_pending;
    let still_pending = !told.failed && !completed;
    let mut marks = Marks::default();
    for (holds, category) in [
        (completed, Category::Completed),
        (told.done && !ever_pending, Category::AlreadyDone),
        (told.failed, Category::EverFailed),
        (told.failed && !completed, Category::Failed),
        (told.unknown, Category::SchedulingError),
        (
            told.pending_not_runnable && still_pending,
            Category::StillPendingExt,
        ),
        (
            told.pending_runnable && still_pending,
            Category::StillPendingNotExt,
        ),
    ] {
        if holds {
            marks.set(category);
        }
    }
    marks
}

/// What a task depends on was done before the task ran, here or elsewhere, though another worker may
/// have done it so quickly that nobody heard of it here. Luigi says of such a dependency that it was
/// not granted run permission.
fn mark_done_elsewhere(tasks: &TaskTable, order: &[TaskIndex], marks: &mut [Marks]) {
    let has_run = |index: &TaskIndex| {
        let mark = marks[index.as_usize()];
        mark.has(Category::Completed) || mark.has(Category::RunByOtherWorker)
    };
    let mut run: Vec<TaskIndex> = order.iter().copied().filter(has_run).collect();
    while let Some(index) = run.pop() {
        for &dep in tasks.entry(index).deps.as_deref().unwrap_or_default() {
            let mark = &mut marks[dep.as_usize()];
            if mark.has(Category::StillPendingNotExt) && !mark.has(Category::RunByOtherWorker) {
                mark.clear(Category::StillPendingNotExt);
                mark.set(Category::AlreadyDone);
                run.push(dep);
            }
        }
    }
}

/// Why tasks are still pending: depth first, dependencies before what needs them. Only pending
/// tasks are looked into; what is known of them is passed on, except a failed scheduling, which
/// Luigi shows for direct dependencies only.
fn search_upstream(tasks: &TaskTable, root: TaskIndex, marks: &mut [Marks]) {
    // `NotRun` and the upstream marks are set when a task is left; a task is entered only once.
    let mut path = Vec::new();
    enter(root, marks, &mut path);
    while let Some((index, next)) = path.last_mut() {
        let index = *index;
        let deps = tasks.entry(index).deps.as_deref().unwrap_or_default();
        if let Some(&dep) = deps.get(*next) {
            *next += 1;
            enter(dep, marks, &mut path);
        } else {
            path.pop();
            leave(index, deps, marks);
        }
    }
}

/// Marks that a task was visited; no category has this bit.
const VISITED: u16 = 1 << 15;

fn enter(index: TaskIndex, marks: &mut [Marks], path: &mut Vec<(TaskIndex, usize)>) {
    let mark = &mut marks[index.as_usize()];
    if mark.0 & VISITED == 0 && mark.has(Category::StillPendingNotExt) {
        mark.0 |= VISITED;
        path.push((index, 0));
    }
}

fn leave(index: TaskIndex, deps: &[TaskIndex], marks: &mut [Marks]) {
    let mut mark = marks[index.as_usize()];
    let mut explained = mark.has(Category::RunByOtherWorker);
    for dep in deps {
        let dep = marks[dep.as_usize()];
        for (sources, category) in [
            (
                [Category::EverFailed, Category::UpstreamFailure],
                Category::UpstreamFailure,
            ),
            (
                [
                    Category::StillPendingExt,
                    Category::UpstreamMissingDependency,
                ],
                Category::UpstreamMissingDependency,
            ),
            (
                [
                    Category::RunByOtherWorker,
                    Category::UpstreamRunByOtherWorker,
                ],
                Category::UpstreamRunByOtherWorker,
            ),
            (
                [Category::SchedulingError, Category::SchedulingError],
                Category::UpstreamSchedulingError,
            ),
        ] {
            if sources.into_iter().any(|source| dep.has(source)) {
                mark.set(category);
                explained = true;
            }
        }
    }
    if !explained {
        mark.set(Category::NotRun);
    }
    marks[index.as_usize()] = mark;
}
