//! Which task belongs to which category.
//!
//! Tasks are places in a list; who has the list says what was told of them and what they depend on.

use std::convert::Infallible;

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

/// Sorts a worker's tasks into categories.
pub struct Sorting {
    /// Tasks of which something was told, in the order in which that was.
    order: Vec<usize>,
    marks: Vec<Marks>,
    listed: Vec<bool>,
}

impl Sorting {
    /// Takes what was told of tasks: the place of the task, its status, and whether the worker could
    /// run it.
    pub fn new(tasks: usize, told: impl IntoIterator<Item = (usize, Status, bool)>) -> Self {
        let mut order = Vec::with_capacity(tasks);
        let mut all = vec![None::<Told>; tasks];
        for (place, status, runnable) in told {
            let slot = &mut all[place];
            if slot.is_none() {
                order.push(place);
            }
            let told = slot.get_or_insert_default();
            match status {
                Status::Done => told.done = true,
                Status::Failed => told.failed = true,
                Status::Unknown => told.unknown = true,
                Status::Pending if runnable => told.pending_runnable = true,
                Status::Pending => told.pending_not_runnable = true,
                Status::Running | Status::BatchRunning | Status::Disabled => {}
            }
        }
        let listed = all.iter().map(Option::is_some).collect();
        let marks = all.into_iter().map(|told| judge(told.unwrap_or_default()));
        Self {
            order,
            marks: marks.collect(),
            listed,
        }
    }

    /// Another worker runs the task, or did.
    pub fn run_by_other(&mut self, place: usize) {
        self.marks[place].set(Category::RunByOtherWorker);
        if !std::mem::replace(&mut self.listed[place], true) {
            self.order.push(place);
        }
    }

    /// What a task depends on was done before the task ran, here or elsewhere, though another worker
    /// may have done it so quickly that nobody heard of it here. Luigi says of such a dependency that
    /// it was not granted run permission.
    fn mark_done_elsewhere<'a>(&mut self, deps: impl Fn(usize) -> &'a [TaskIndex]) {
        let has_run = |place: &usize| {
            let mark = self.marks[*place];
            mark.has(Category::Completed) || mark.has(Category::RunByOtherWorker)
        };
        let mut run: Vec<usize> = self.order.iter().copied().filter(has_run).collect();
        while let Some(place) = run.pop() {
            for dep in deps(place) {
                let mark = &mut self.marks[dep.as_usize()];
                if mark.has(Category::StillPendingNotExt) && !mark.has(Category::RunByOtherWorker) {
                    mark.clear(Category::StillPendingNotExt);
                    mark.set(Category::AlreadyDone);
                    run.push(dep.as_usize());
                }
            }
        }
    }

    /// Finds out why tasks are still pending. `deps` gives the places of what a task depends on; of
    /// what has no place in the list nothing is known.
    ///
    /// Depth first, dependencies before what needs them. Only pending tasks are looked into; what is
    /// known of them is passed on, except a failed scheduling, which Luigi shows for direct
    /// dependencies only.
    ///
    /// # Errors
    ///
    /// Those of `deps`.
    pub fn find_reasons<E>(
        &mut self,
        mut deps: impl FnMut(usize) -> Result<Vec<usize>, E>,
    ) -> Result<(), E> {
        // `NotRun` and the upstream marks are set when a task is left; a task is entered only once.
        let mut visited = vec![false; self.marks.len()];
        let mut path: Vec<(usize, Vec<usize>, usize)> = Vec::new();
        for root in 0..self.order.len() {
            let mut next = Some(self.order[root]);
            loop {
                if let Some(place) = next.take()
                    && self.marks[place].has(Category::StillPendingNotExt)
                    && !std::mem::replace(&mut visited[place], true)
                {
                    let mut known = deps(place)?;
                    known.retain(|&dep| dep < visited.len());
                    path.push((place, known, 0));
                }
                let Some((place, known, looked)) = path.last_mut() else {
                    break;
                };
                next = known.get(*looked).copied();
                *looked += 1;
                if next.is_none() {
                    leave(*place, known, &mut self.marks);
                    path.pop();
                }
            }
        }
        Ok(())
    }

    /// The places of the tasks in a category.
    pub fn members(&self, category: Category) -> impl Iterator<Item = usize> {
        let order = self.order.iter().copied();
        order.filter(move |&place| self.marks[place].has(category))
    }
}

pub(super) fn sort_out(tasks: &TaskTable, history: &History, worker_id: &str) -> Summary {
    let told = history.told().iter();
    let told = told.map(|told| (told.index.as_usize(), told.status, told.runnable));
    let mut sorting = Sorting::new(tasks.len(), told);
    let mut others = Vec::new();
    for (worker, task_ids) in history.others() {
        let known: Vec<TaskIndex> = task_ids.iter().filter_map(|id| tasks.find(id)).collect();
        if worker == worker_id || known.is_empty() {
            continue;
        }
        for index in &known {
            sorting.run_by_other(index.as_usize());
        }
        others.push((worker.clone(), known.len()));
    }
    let deps = |place| tasks.at(place).deps.as_deref().unwrap_or_default();
    sorting.mark_done_elsewhere(deps);
    let places = |place| deps(place).iter().map(|dep| dep.as_usize()).collect();
    let Ok(()) = sorting.find_reasons(|place| Ok::<_, Infallible>(places(place)));
    let sets = Category::ALL.map(|category| {
        let members = sorting.members(category);
        members.map(|place| tasks.at(place).task.clone()).collect()
    });
    Summary { sets, others }
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

/// All that the task depends on was looked at.
fn leave(place: usize, deps: &[usize], marks: &mut [Marks]) {
    let mut mark = marks[place];
    let mut explained = mark.has(Category::RunByOtherWorker);
    for dep in deps {
        let dep = marks[*dep];
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
    marks[place] = mark;
}
