//! All tasks, or some by id, come by one after the other, in steps.
//!
//! What is done with a task is the caller's business; the upstream status, which may take a long
//! walk of its own to find, is found only for tasks that the caller wants it of.

use alloc::{string::String, vec, vec::Vec};

use crate::{
    Scheduler, ShownTask,
    read::{Budget, Place},
    task::Slot,
    upstream::{UpstreamStatus, UpstreamWalk},
};

/// What became of a task that was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was looked at; its texts that were looked through have so many bytes.
    Looked(usize),
    /// It was copied, with so many other names.
    Copied(usize),
    /// Its upstream status is wanted first: it is to be seen again, with that.
    NeedsUpstream,
}

/// A walk along tasks, in steps, between which the scheduler may change.
///
/// What is there all the time is come by once, as it is then.
pub struct TaskWalk {
    /// The next slot, where it is along all tasks.
    next: Slot,
    /// The ids that are left, where it is along some.
    listed: Option<vec::IntoIter<String>>,
    waiting: Option<Place>,
    upstream: UpstreamWalk,
}

/// Bytes that are looked through in the time that a look at a task takes.
const BYTES_PER_LOOK: usize = 64;

impl TaskWalk {
    /// A walk along all tasks, in no particular order.
    #[must_use]
    pub fn all() -> Self {
        Self {
            next: 0,
            listed: None,
            waiting: None,
            upstream: UpstreamWalk::default(),
        }
    }

    /// A walk along these tasks, in this order. Those that are not known are left out.
    #[must_use]
    pub fn along(task_ids: Vec<String>) -> Self {
        Self {
            listed: Some(task_ids.into_iter()),
            ..Self::all()
        }
    }

    /// Looks at as many tasks as it takes to show about `tasks` of them, passes each to `see` with
    /// its upstream status if that is known, and says whether that was all.
    ///
    /// The upstream status is empty for nothing of note.
    pub fn step(
        &mut self,
        scheduler: &Scheduler,
        tasks: usize,
        see: &mut dyn FnMut(ShownTask<'_>, Option<&'static str>) -> Seen,
    ) -> bool {
        let mut budget = Budget::of(tasks);
        while !budget.is_spent() {
            if let Some(place) = self.waiting {
                if !self.look_upstream(scheduler, place, &mut budget, see) {
                    return false;
                }
                self.waiting = None;
                continue;
            }
            let Some(place) = self.next(scheduler) else {
                return true;
            };
            budget.look();
            let Some(place) = place else {
                continue;
            };
            match see(ShownTask::new(scheduler, place.0), None) {
                Seen::NeedsUpstream => self.waiting = Some(place),
                seen => spend(&mut budget, seen),
            }
        }
        false
    }

    /// Whether the task was seen with its upstream status, or is gone.
    fn look_upstream(
        &mut self,
        scheduler: &Scheduler,
        place: Place,
        budget: &mut Budget,
        see: &mut dyn FnMut(ShownTask<'_>, Option<&'static str>) -> Seen,
    ) -> bool {
        if scheduler.place(place.0) != Some(place) {
            return true;
        }
        let Some(found) = self.upstream.status_of(scheduler, place.0, budget) else {
            return false;
        };
        let name = found.map_or("", UpstreamStatus::name);
        let seen = see(ShownTask::new(scheduler, place.0), Some(name));
        spend(budget, seen);
        true
    }

    /// The next place, which may be empty, until there is none.
    fn next(&mut self, scheduler: &Scheduler) -> Option<Option<Place>> {
        if let Some(listed) = &mut self.listed {
            let slot = scheduler.tasks.find_task(&listed.next()?);
            return Some(slot.and_then(|slot| scheduler.place(slot)));
        }
        let slot = self.next;
        self.next = slot.checked_add(1)?;
        (slot < scheduler.tasks.places()).then(|| scheduler.place(slot))
    }
}

fn spend(budget: &mut Budget, seen: Seen) {
    match seen {
        Seen::Looked(bytes) => budget.spend(bytes / BYTES_PER_LOOK),
        Seen::Copied(names) => budget.show(names),
        Seen::NeedsUpstream => {}
    }
}
