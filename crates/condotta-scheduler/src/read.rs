//! Lists of tasks, read in steps.
//!
//! Between steps requests change the scheduler. A read goes along the places of the tasks, so it
//! shows each task that is there all the time, and shows each as it is when it is come by. A task
//! that is removed and announced again may be shown twice.

use alloc::{
    string::{String, ToString as _},
    vec::{self, Vec},
};

use crate::{Scheduler, ShownTask, Status, TaskListQuery, task::Slot, upstream::UpstreamWalk};

/// How much of a step is left. What is shown costs as much as many that are only looked at.
pub(crate) struct Budget(usize);

/// The cost of a task that is shown, where one that is only looked at costs one.
const SHOWN: usize = 16;

impl Budget {
    /// Enough to show about so many tasks, one at least.
    pub(crate) fn of(tasks: usize) -> Self {
        Self(tasks.max(1).saturating_mul(SHOWN))
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Something is looked at.
    pub(crate) fn look(&mut self) {
        self.spend(1);
    }

    /// A task is shown, with so many other names.
    pub(crate) fn show(&mut self, parts: usize) {
        self.spend(SHOWN + parts);
    }

    pub(crate) fn spend(&mut self, cost: usize) {
        self.0 = self.0.saturating_sub(cost);
    }
}

/// A task at its place: another one may take the place later.
pub(crate) type Place = (Slot, u64);

impl Scheduler {
    /// The place of the task in this slot, if there is one.
    pub(crate) fn place(&self, slot: Slot) -> Option<Place> {
        let task = self.tasks.get(slot).filter(|task| !task.ghost)?;
        Some((slot, task.age))
    }
}

/// `task_list`, in steps.
pub struct TaskListRead {
    query: TaskListQuery,
    /// Words to be found, in lower case.
    terms: Vec<String>,
    most: u64,
    has_begun: bool,
    /// Where the tasks are, if they are few among many.
    listed: Option<vec::IntoIter<Place>>,
    /// Else the next slot to look at.
    next: Slot,
    /// The task whose upstream is being looked at.
    waiting: Option<Place>,
    upstream: UpstreamWalk,
    matching: u64,
    too_many: Option<Option<u64>>,
}

impl TaskListRead {
    /// Begins to read.
    #[must_use]
    pub fn new(query: TaskListQuery) -> Self {
        let search = query.search.as_deref().unwrap_or_default();
        Self {
            terms: search.split_whitespace().map(str::to_lowercase).collect(),
            query,
            most: 0,
            has_begun: false,
            listed: None,
            next: 0,
            waiting: None,
            upstream: UpstreamWalk::default(),
            matching: 0,
            too_many: None,
        }
    }

    /// Looks at about `tasks` tasks, passes those asked for to `show`, and says whether that was all.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        show: &mut dyn FnMut(ShownTask<'_>),
    ) -> bool {
        let mut budget = Budget::of(tasks);
        if !self.has_begun && self.begin(scheduler, tasks, &mut budget) {
            return true;
        }
        while !budget.is_spent() {
            let next = match self.waiting.take() {
                Some(place) => Some(Some(place)),
                None => self.next(scheduler),
            };
            let Some(place) = next else {
                if self.query.limit && self.matching > self.most {
                    self.too_many = Some(Some(self.matching));
                }
                return true;
            };
            budget.look();
            if let Some(place) = place
                && !self.look_at(scheduler, place, &mut budget, show)
            {
                self.waiting = Some(place);
            }
        }
        false
    }

    /// After the last step: whether there are too many to show, and how many, unless a filter would
    /// have had to look at each of them. What was shown by then does not count.
    #[must_use]
    pub fn too_many(&self) -> Option<Option<u64>> {
        self.too_many
    }

    /// Whether that was all.
    fn begin(&mut self, scheduler: &Scheduler, tasks: usize, budget: &mut Budget) -> bool {
        self.has_begun = true;
        let most = self.query.max_shown_tasks.filter(|&most| most > 0);
        self.most = most.unwrap_or(scheduler.config.max_shown_tasks);
        let all = &scheduler.tasks;
        let status = self.query.status;
        let count = status.map_or(all.len(), |status| all.count(status));
        let searches = self.query.search.as_ref().is_some_and(|it| !it.is_empty());
        if !searches && self.query.limit && count as u64 > self.most {
            let counted = self.query.upstream_status.is_empty();
            self.too_many = Some(counted.then_some(count as u64));
            return true;
        }
        if let Some(status) = status
            && count / SHOWN <= tasks
        {
            let slots = all.with_status(status);
            let mut places: Vec<Place> = slots.filter_map(|slot| scheduler.place(slot)).collect();
            places.sort_unstable();
            budget.spend(places.len());
            self.listed = Some(places.into_iter());
        }
        false
    }

    /// The next place, which may be empty, until there is none.
    fn next(&mut self, scheduler: &Scheduler) -> Option<Option<Place>> {
        if let Some(listed) = &mut self.listed {
            return listed.next().map(Some);
        }
        let slot = self.next;
        self.next = slot.checked_add(1)?;
        (slot < scheduler.tasks.places()).then(|| scheduler.place(slot))
    }

    /// Whether the task was looked at to the end.
    fn look_at(
        &mut self,
        scheduler: &Scheduler,
        place: Place,
        budget: &mut Budget,
        show: &mut dyn FnMut(ShownTask<'_>),
    ) -> bool {
        if scheduler.place(place.0) != Some(place) {
            return true;
        }
        let task = ShownTask::new(scheduler, place.0);
        let status = task.status();
        if self.query.status.is_some_and(|wanted| wanted != status) {
            return true;
        }
        if !self.terms.is_empty() {
            budget.spend(SHOWN / 2);
            let name = task.display_name().to_string().to_lowercase();
            if !self.terms.iter().all(|term| name.contains(term.as_str())) {
                return true;
            }
        }
        if !self.query.upstream_status.is_empty() && status == Status::Pending {
            let Some(upstream) = self.upstream.status_of(scheduler, place.0, budget) else {
                return false;
            };
            if upstream.is_none_or(|upstream| upstream.name() != self.query.upstream_status) {
                return true;
            }
        }
        self.matching += 1;
        if !self.query.limit || self.matching <= self.most {
            budget.show(task.parts());
            show(task);
        }
        true
    }
}

/// `task_search`, in steps: the tasks whose id contains a text.
pub struct TaskSearchRead {
    text: String,
    next: Slot,
}

impl TaskSearchRead {
    /// Begins to read.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self { text, next: 0 }
    }

    /// Looks at about `tasks` tasks, passes those asked for to `show`, and says whether that was all.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        show: &mut dyn FnMut(ShownTask<'_>),
    ) -> bool {
        let mut budget = Budget::of(tasks);
        while !budget.is_spent() {
            if self.next >= scheduler.tasks.places() {
                return true;
            }
            let place = scheduler.place(self.next);
            self.next += 1;
            budget.look();
            if let Some((slot, _)) = place {
                let task = ShownTask::new(scheduler, slot);
                if task.id().contains(&self.text) {
                    budget.show(task.parts());
                    show(task);
                }
            }
        }
        false
    }
}
