//! The answer in sentences, as a row of words: whoever shows them says how a moment looks, and may
//! make tasks and workers into links.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use super::{
    Absence, Candidate, Cause, Disabled, DisabledBy, Failed, Hold, Lacking, NoWorker, Path, Run,
    TaskName, Waiting, Why,
};
use crate::{RetryPolicy, Timestamp};

/// A piece of the answer's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Plain text, with the spaces around it.
    Text(String),
    /// A task.
    Task(TaskName),
    /// A worker, by its id.
    Worker(String),
    /// A moment (wall clock), which is to be written as people read it.
    Time(Timestamp),
}

/// Luigi's default of `retry_count`: so many failures do not happen.
const NEVER_DISABLED: u64 = 999_999_999;

impl Why {
    /// The answer in one or a few sentences.
    #[must_use]
    pub fn words(&self) -> Vec<Word> {
        let mut words = Words::default();
        words.hold(&self.task, &self.hold);
        let is_free = !matches!(
            self.hold,
            Hold::Done { .. } | Hold::Running(_) | Hold::Paused
        );
        if self.paused && is_free {
            words.text(" Besides, the scheduler is paused.");
        }
        words.words
    }

    /// The same as one text, with moments written by `time`.
    pub fn text(&self, time: impl Fn(Timestamp) -> String) -> String {
        let words = self.words().into_iter().map(|word| match word {
            Word::Text(text) | Word::Worker(text) => text,
            Word::Task(task) => task.name,
            Word::Time(at) => time(at),
        });
        words.collect()
    }
}

/// Moments are written as seconds since the epoch.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(|at| at.0.to_string()))
    }
}

#[derive(Default)]
struct Words {
    words: Vec<Word>,
}

impl Words {
    fn text(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        match self.words.last_mut() {
            Some(Word::Text(before)) => before.push_str(text),
            _ => self.words.push(Word::Text(text.to_owned())),
        }
    }

    fn task(&mut self, task: &TaskName) {
        self.words.push(Word::Task(task.clone()));
    }

    fn worker(&mut self, worker: &str) {
        self.words.push(Word::Worker(worker.to_owned()));
    }

    fn time(&mut self, before: &str, at: Timestamp) {
        self.text(before);
        self.words.push(Word::Time(at));
    }

    /// A list with commas, and "and" before the last.
    fn list<T>(&mut self, items: &[T], mut word: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                let is_last = at + 1 == items.len();
                self.text(if is_last { " and " } else { ", " });
            }
            word(self, item);
        }
    }

    /// The sentence that says what holds `task` up, and those that explain it.
    fn hold(&mut self, task: &TaskName, hold: &Hold) {
        if let Hold::Dependencies(waiting) = hold {
            return self.waiting(task, waiting);
        }
        if let Hold::NoWorker(no_worker) = hold {
            return self.no_worker(task, no_worker);
        }
        if let Hold::NotAnnounced { planning } = hold {
            return self.not_announced(task, planning);
        }
        self.task(task);
        match hold {
            Hold::Done { since } => self.time(" is done, since ", *since),
            Hold::Running(run) => self.run(run),
            Hold::Cycle { path } => {
                self.text(" can never run: it waits for itself, along ");
                self.path(path);
            }
            Hold::NeedAboveLimit {
                resource,
                amount,
                limit,
            } => self.text(format!(
                " can never run as things are: it needs {amount} of resource {resource}, of which there is {limit}"
            )),
            Hold::Unknown { since } => {
                self.time(" is UNKNOWN since ", *since);
                self.text(
                    ": a worker could not tell whether it is complete, so it is given to nobody \
                     until a worker announces it anew",
                );
            }
            Hold::Disabled(disabled) => self.disabled(disabled),
            Hold::Failed(failed) => self.failed(failed),
            Hold::Paused => self.text(" is ready, but the scheduler is paused"),
            Hold::Resources { lacking } => self.lacking(lacking),
            Hold::Reserved {
                resources,
                kept_for,
            } => {
                self.text(format!(
                    " is ready, but what is free of resource {} is kept for tasks that rank higher",
                    resources.join(", ")
                ));
                self.text(if kept_for.is_empty() { "" } else { ": " });
                self.list(kept_for, |words, task| words.task(task));
            }
            Hold::Behind {
                ahead,
                is_exact,
                workers,
            } => {
                let more = if *is_exact { "" } else { "more than " };
                let tasks = if *ahead == 1 { "task that ranks" } else { "tasks that rank" };
                self.text(format!(
                    " is ready, and comes after {more}{ahead} ready {tasks} higher; "
                ));
                self.candidates(workers, "its workers get these first");
            }
            Hold::Ready { workers } => {
                self.text(" is ready and next; ");
                self.candidates(workers, "it is given to the first of these workers that asks");
            }
            Hold::Dependencies(_) | Hold::NoWorker(_) | Hold::NotAnnounced { .. } => {}
        }
        self.text(".");
    }

    fn run(&mut self, run: &Run) {
        self.text(" runs");
        if let Some(worker) = &run.worker {
            self.text(" on worker ");
            self.worker(worker);
        }
        if let Some(batch_id) = &run.batch_id {
            self.text(format!(" in batch {batch_id}"));
        }
        if let Some(since) = run.since {
            self.time(", since ", since);
        }
        if run.attempt > 1 {
            self.text(format!(" (attempt {})", run.attempt));
        }
    }

    fn not_announced(&mut self, task: &TaskName, planning: &[String]) {
        if planning.is_empty() {
            self.text("Nobody announced ");
            self.task(task);
            self.text(", or it was removed: it can never run unless a worker announces it.");
        } else {
            self.task(task);
            self.text(" is not announced yet: ");
            self.text(if planning.len() == 1 {
                "worker "
            } else {
                "workers "
            });
            self.list(planning, |words, worker| words.worker(worker));
            self.text(if planning.len() == 1 { " is" } else { " are" });
            self.text(" still looking for tasks.");
        }
    }

    fn waiting(&mut self, task: &TaskName, waiting: &Waiting) {
        self.task(task);
        let (unmet, all) = (waiting.unmet, waiting.dependencies);
        let of = match all {
            1 => "its only dependency".to_owned(),
            _ if unmet == all => format!("its {all} dependencies"),
            _ => format!("{unmet} of its {all} dependencies"),
        };
        self.text(format!(" waits for {of}. "));
        let mut causes = waiting.causes.iter();
        let Some(first) = causes.next() else {
            self.text("What these wait for is too far away to be looked at.");
            return;
        };
        self.cause(first);
        for cause in causes {
            let kind = kind_of_many(&cause.hold, cause.count);
            self.text(format!(" Besides, it waits for {} {kind}", cause.count));
            if let Some(root) = cause.path.tasks.last() {
                self.text(if cause.count == 1 { ": " } else { ", such as " });
                self.task(root);
            }
            self.text(".");
        }
        if !waiting.is_exact {
            self.text(" There is more upstream than was looked at.");
        }
    }

    fn cause(&mut self, cause: &Cause) {
        let Some((root, way)) = cause.path.tasks.split_last() else {
            return;
        };
        self.hold(root, &cause.hold);
        if cause.count > 1 {
            let more = cause.count - 1;
            let kind = kind_of_many(&cause.hold, more);
            self.text(format!(" So it is with {more} more {kind}."));
        }
        if !way.is_empty() {
            self.text(" The way there: ");
            self.path(&cause.path);
            self.text(".");
        }
    }

    fn path(&mut self, path: &Path) {
        for (at, task) in path.tasks.iter().enumerate() {
            if at > 0 {
                self.text(" -> ");
            }
            if path.omitted > 0 && at == path.tasks.len() / 2 {
                self.text(format!("({} more) -> ", path.omitted));
            }
            self.task(task);
        }
    }

    fn no_worker(&mut self, task: &TaskName, no_worker: &NoWorker) {
        self.text("No worker can run ");
        self.task(task);
        if !no_worker.runnable {
            self.text(
                ": it is an external task, whose output has to come from elsewhere, and no worker \
                 has found it complete so far.",
            );
            return;
        }
        self.text(if no_worker.workers.is_empty() {
            ": none is there that announced it"
        } else {
            ": "
        });
        self.list(&no_worker.workers, |words, (worker, absence)| {
            words.text("worker ");
            words.worker(worker);
            match absence {
                Absence::Silent { since } => words.time(" is gone, silent since ", *since),
                Absence::Left { since } => words.time(" left at ", *since),
                Absence::Disabled => words.text(" was disabled by an operator"),
                Absence::CannotRun => words.text(" announced it, but cannot run it"),
            }
        });
        if !no_worker.other_assistants.is_empty() {
            let code = no_worker.module.as_deref().unwrap_or("its code");
            self.text("; of the assistants (");
            self.list(&no_worker.other_assistants, |words, worker| {
                words.worker(worker);
            });
            self.text(format!(") none has {code}"));
        }
        self.text(".");
    }

    fn failed(&mut self, failed: &Failed) {
        self.time(" failed at ", failed.since);
        if let Some(worker) = &failed.worker {
            self.text(if failed.is_lost {
                ", since worker "
            } else {
                " on worker "
            });
            self.worker(worker);
            let lost = ", which ran it, was silent for too long and is taken for dead";
            self.text(if failed.is_lost { lost } else { "" });
        }
        self.failures(failed.failures, &failed.policy);
        match failed.retry_at {
            Some(at) => self.time(", and is tried again at ", at),
            None => self.text(", and is not tried again before somebody forgives it"),
        }
    }

    /// How many there were, and how many are too many.
    fn failures(&mut self, failures: u64, policy: &RetryPolicy) {
        let failed = if failures == 1 { "failure" } else { "failures" };
        let count = policy.retry_count.unwrap_or(NEVER_DISABLED);
        if count >= NEVER_DISABLED {
            self.text(format!(" ({failures} {failed})"));
        } else {
            let window = policy.disable_window.unwrap_or_default();
            self.text(format!(
                " ({failures} {failed}; {count} within {window} s disable it)"
            ));
        }
    }

    fn disabled(&mut self, disabled: &Disabled) {
        self.time(" is disabled since ", disabled.since);
        match disabled.by {
            DisabledBy::Failures => self.text(", because it failed too often"),
            DisabledBy::Operator if disabled.cancelled_by.is_some() => {
                let by = disabled.cancelled_by.as_deref().unwrap_or_default();
                return self.text(format!(
                    ", because its run was cancelled by {by}, until somebody enables it"
                ));
            }
            DisabledBy::Operator => {
                return self.text(" by an operator, until somebody enables it");
            }
            DisabledBy::Worker => {
                return self.text(
                    ": a worker announced it so, and it stays so until one announces it otherwise",
                );
            }
        }
        self.failures(disabled.failures, &disabled.policy);
        match disabled.until {
            Some(until) => self.time(", until ", until),
            None => self.text(", until somebody enables it"),
        }
    }

    fn lacking(&mut self, lacking: &[Lacking]) {
        self.text(" waits for ");
        self.list(lacking, |words, lack| {
            let Lacking {
                resource,
                amount,
                used,
                limit,
                users,
            } = lack;
            words.text(format!(
                "resource {resource}: it needs {amount}, and {used} of {limit} are in use"
            ));
            words.text(if users.is_empty() { "" } else { ", by " });
            words.list(users, |words, (task, _)| words.task(task));
            let named: u64 = users.iter().map(|(_, amount)| *amount).sum();
            words.text(if named < *used { " and others" } else { "" });
        });
    }

    fn candidates(&mut self, workers: &[Candidate], otherwise: &str) {
        if workers.iter().all(Candidate::is_busy) {
            self.text("all that may run it are busy: ");
        } else {
            self.text(otherwise);
            self.text(": ");
        }
        self.list(workers, |words, candidate| {
            words.worker(&candidate.worker);
            if candidate.is_busy() {
                words.text(format!(
                    " (runs {} of {})",
                    candidate.running, candidate.processes
                ));
            }
        });
    }
}

/// Tasks of a kind, as in "3 tasks that failed".
fn kind_of_many(hold: &Hold, count: usize) -> String {
    let (one, many) = match hold {
        Hold::Done { .. } | Hold::Dependencies(_) => ("that waits", "that wait"),
        Hold::Running(_) => ("that runs", "that run"),
        Hold::NotAnnounced { .. } => ("that nobody announced", "that nobody announced"),
        Hold::Cycle { .. } => ("that waits for itself", "that wait for themselves"),
        Hold::NeedAboveLimit { .. } => (
            "that needs more of a resource than there is",
            "that need more of a resource than there is",
        ),
        Hold::Unknown { .. } => ("that is UNKNOWN", "that are UNKNOWN"),
        Hold::Disabled(_) => ("that is disabled", "that are disabled"),
        Hold::Failed(_) => ("that failed", "that failed"),
        Hold::NoWorker(_) => ("that no worker can run", "that no worker can run"),
        Hold::Paused => ("that is ready", "that are ready"),
        Hold::Resources { .. } => ("that waits for resources", "that wait for resources"),
        Hold::Reserved { .. } | Hold::Behind { .. } | Hold::Ready { .. } => {
            ("that is ready", "that are ready")
        }
    };
    if count == 1 {
        format!("task {one}")
    } else {
        format!("tasks {many}")
    }
}
