//! What only a close look at one task shows: neighbours, failures, retries, what a run was told.
//!
//! Times that the scheduler decides by are monotonic; who shows them to people makes wall-clock
//! times of them.

use alloc::vec::Vec;

use crate::{
    RetryPolicy, Scheduler, ShownTask, Status, Timestamp, Visibility, names::Name, task::Slot,
};

/// A task that another one depends on, or that depends on it.
#[derive(Clone, Copy)]
pub struct Neighbour<'a> {
    /// Its id.
    pub id: &'a str,
    /// The task, unless it is not known any more.
    pub task: Option<ShownTask<'a>>,
}

impl<'a> Neighbour<'a> {
    pub(crate) fn new(scheduler: &'a Scheduler, slot: Slot) -> Self {
        let task = &scheduler.tasks[slot];
        Self {
            id: &task.id,
            task: (!task.ghost).then(|| ShownTask::new(scheduler, slot)),
        }
    }
}

impl<'a> ShownTask<'a> {
    /// Whether it is pending and waits for a dependency.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        self.task().status == Status::Pending && self.task().unmet > 0
    }

    /// Whether a worker announced it by itself; else it is only what others depend on.
    #[must_use]
    pub fn is_announced(self) -> bool {
        !self.task().is_missing()
    }

    /// How often it was handed out; the number of its current or last attempt.
    #[must_use]
    pub fn attempt(self) -> u64 {
        u64::from(self.task().attempt)
    }

    /// Whether the worker that runs it, or ran it last, said this of itself.
    #[must_use]
    pub fn worker_claims(self, what: &str) -> bool {
        let worker = self.task().worker_running;
        worker.is_some_and(|worker| self.scheduler().claims(worker, what))
    }

    /// Where its code is; see [`AddTask::module`](crate::AddTask::module).
    #[must_use]
    pub fn module(self) -> Option<&'a str> {
        let module = self.task().module;
        (module != Name::EMPTY).then(|| self.scheduler().names.text(module))
    }

    /// What its last run said of itself, as its worker encoded it.
    #[must_use]
    pub fn expl(self) -> Option<&'a str> {
        self.task().expl.as_deref()
    }

    /// The batch that it runs in, or that it is the combined task of.
    #[must_use]
    pub fn batch_id(self) -> Option<&'a str> {
        self.task().batch_id()
    }

    /// Parameters that are sent to the scheduler and not shown, in name order.
    pub fn hidden_params(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = &self.scheduler().names;
        let params = self.task().params.iter();
        params
            .filter(|param| param.2 == Visibility::Hidden)
            .map(|(name, value, _)| (names.text(name), value))
    }

    /// How many bytes its public and other parameters have.
    #[must_use]
    pub fn params_size(self) -> usize {
        let params = self.task().params.iter();
        params.map(|(_, value, _)| value.len()).sum()
    }

    /// How its failures are answered; nothing is left open.
    #[must_use]
    pub fn retry_policy(self) -> RetryPolicy {
        let policy = self.scheduler().policies.value(self.task().policy);
        RetryPolicy {
            retry_count: Some(policy.retry_count),
            disable_hard_timeout: Some(policy.disable_hard_timeout),
            disable_window: Some(policy.disable_window),
        }
    }

    /// How many of its failures count.
    #[must_use]
    pub fn failures(self) -> u64 {
        let rare = self.task().rare.as_ref();
        rare.map_or(0, |rare| rare.failures.len() as u64)
    }

    /// Failed tasks: when it is tried again (monotonic), if ever.
    #[must_use]
    pub fn retry_at(self) -> Option<Timestamp> {
        let is_retried =
            self.status() == Status::Failed && self.scheduler().config.retry_delay >= 0.0;
        let rare = self.task().rare.as_ref().filter(|_| is_retried)?;
        rare.retry
    }

    /// Tasks that were disabled because they failed too often: when it is enabled again (monotonic).
    #[must_use]
    pub fn disabled_until(self) -> Option<Timestamp> {
        let is_disabled = self.status() == Status::Disabled && !self.task().operator_disabled();
        let since = self.task().scheduler_disabled().filter(|_| is_disabled)?;
        Some(since.after(self.scheduler().config.disable_persist))
    }

    /// When it is dropped because nobody wants it (monotonic).
    #[must_use]
    pub fn removed_at(self) -> Option<Timestamp> {
        self.task().rare.as_ref()?.remove
    }

    /// The answer of a run to a message, if there is one.
    #[must_use]
    pub fn response(self, message_id: &str) -> Option<&'a str> {
        let rare = self.task().rare.as_ref()?;
        rare.responses
            .get(message_id)
            .map(alloc::string::String::as_str)
    }

    /// How many tasks it depends on.
    #[must_use]
    pub fn dep_count(self) -> usize {
        self.task().deps.len()
    }

    /// How many tasks depend on it.
    #[must_use]
    pub fn dependant_count(self) -> usize {
        self.task().dependants.len()
    }

    /// The first of what it depends on, at most so many, in no particular order.
    #[must_use]
    pub fn first_deps(self, most: usize) -> Vec<Neighbour<'a>> {
        let deps = self.task().deps.iter().copied().take(most);
        deps.map(|slot| self.neighbour(slot)).collect()
    }

    /// The first of what depends on it, at most so many, in no particular order.
    #[must_use]
    pub fn first_dependants(self, most: usize) -> Vec<Neighbour<'a>> {
        let dependants = self.task().dependants.iter().take(most);
        dependants.map(|slot| self.neighbour(slot)).collect()
    }

    fn neighbour(self, slot: Slot) -> Neighbour<'a> {
        Neighbour::new(self.scheduler(), slot)
    }
}
