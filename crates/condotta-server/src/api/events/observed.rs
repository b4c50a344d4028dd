//! What the scheduler tells, made into what the stream tells. Runs on the scheduler's thread: it copies
//! a few short texts, and waits for nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
    mpsc::{SyncSender, TrySendError},
};

use condotta_scheduler::{Event, Scheduler, ShownTask, Status, Timestamp};

use super::told::{Told, Trouble, What, WorkerChange};
use crate::{names::Names, observer::Observer};

/// How much of a reason is told, in characters.
const LONGEST_REASON: usize = 1000;

/// What the observer and its thread share.
#[derive(Default)]
pub(super) struct Notes {
    /// Somebody reads, or did lately; otherwise nothing is passed on.
    pub(super) is_wanted: AtomicBool,
    /// How many events could not be passed on.
    pub(super) dropped: AtomicU64,
    /// The number of tasks of each status.
    pub(super) counts: [AtomicU64; Status::ALL.len()],
}

/// Passes on what happens.
pub(super) struct Listener {
    pub(super) notes: Arc<Notes>,
    pub(super) passed_on: SyncSender<Told>,
    pub(super) names: Names,
}

impl Observer for Listener {
    fn observe(&mut self, event: &Event, scheduler: &Scheduler) {
        if !self.notes.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        if let Event::StatusChanged { .. } = event {
            for (counter, status) in self.notes.counts.iter().zip(Status::ALL) {
                counter.store(scheduler.task_count_of(status) as u64, Ordering::Relaxed);
            }
        }
        if let Some(told) = told(event, scheduler, &mut self.names) {
            self.pass_on(told);
        }
    }

    fn begin_anew(&mut self, _: &Scheduler) {
        let reason = "the scheduler read its stored state anew";
        self.pass_on(Told {
            task: None,
            what: What::Reset { reason },
        });
    }
}

impl Listener {
    fn pass_on(&self, told: Told) {
        if let Err(TrySendError::Full(_)) = self.passed_on.try_send(told) {
            self.notes.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What is said of a task, which may be gone.
fn about(task_id: &str, task: Option<ShownTask<'_>>, what: What, names: &mut Names) -> Told {
    let family = task.map(|task| names.get(task.family()));
    Told {
        task: Some((task_id.into(), family)),
        what,
    }
}

/// What is said of an event, if anything is.
fn told(event: &Event, scheduler: &Scheduler, names: &mut Names) -> Option<Told> {
    let worker = |at: &Timestamp, worker: &str, change| Told {
        task: None,
        what: What::Worker {
            at: at.0,
            worker: worker.to_owned(),
            change,
        },
    };
    let plain = |what| Told { task: None, what };
    Some(match event {
        Event::StatusChanged {
            at,
            task_id,
            from,
            to,
            worker,
            attempt,
        } => {
            let task = scheduler.shown_task(task_id);
            let started = task.and_then(|task| task.time_running());
            let worker = worker.as_deref().map(|worker| names.get(worker));
            let what = What::Status {
                at: at.0,
                from: from.map(Into::into),
                to: to.map(Into::into),
                worker,
                attempt: *attempt,
                started: started.map(|time| time.0),
            };
            about(task_id, task, what, names)
        }
        Event::Progress {
            at,
            task_id,
            percentage,
            message,
        } => about(
            task_id,
            scheduler.shown_task(task_id),
            What::Progress {
                at: at.0,
                progress: *percentage,
                status_message: message.clone(),
            },
            names,
        ),
        Event::DisabledByFailures { at, task_id, .. } => about(
            task_id,
            scheduler.shown_task(task_id),
            What::Trouble {
                at: at.0,
                trouble: Trouble::Disabled,
                reason: "it failed too often".to_owned(),
            },
            names,
        ),
        Event::DeadEnd {
            at,
            task_id,
            reason,
        } => about(
            task_id,
            scheduler.shown_task(task_id),
            What::Trouble {
                at: at.0,
                trouble: Trouble::DeadEnd,
                reason: reason.to_string().chars().take(LONGEST_REASON).collect(),
            },
            names,
        ),
        Event::CancelRefused {
            at,
            task_id,
            answer,
            ..
        } => about(
            task_id,
            scheduler.shown_task(task_id),
            What::Trouble {
                at: at.0,
                trouble: Trouble::CancelRefused,
                reason: answer.chars().take(LONGEST_REASON).collect(),
            },
            names,
        ),
        Event::WorkerLost { at, worker: id, .. } => worker(at, id, WorkerChange::Lost),
        Event::WorkerReleased { at, worker: id } => worker(at, id, WorkerChange::Released),
        Event::WorkerAttached { at, worker: id } => worker(at, id, WorkerChange::Attached),
        Event::WorkerDisabled { at, worker: id } => worker(at, id, WorkerChange::Disabled),
        Event::LimitChanged {
            at,
            resource,
            limit,
        } => plain(What::Limit {
            at: at.0,
            resource: resource.clone(),
            limit: *limit,
        }),
        Event::Paused { at, paused } => plain(What::Paused {
            at: at.0,
            paused: *paused,
        }),
        _ => return None,
    })
}
