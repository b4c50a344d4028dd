//! The observer: puts what happened, with what is told of it, into a channel. It runs on the scheduler's
//! thread and waits for nothing: what does not fit is counted and dropped.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError},
    },
};

use condotta_mail::What;
use condotta_scheduler::{Event, Scheduler, SchedulingFailure, Status, Timestamp};

use super::notice::{Entry, Notice, NoticeKind, TaskFacts, Told, end, error_text};
use crate::{attempt_id::AttemptId, observer::Observer, seldom::Seldom};

/// What somebody wants to be told of.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// By a webhook.
    pub(super) kinds: BTreeSet<NoticeKind>,
    /// By batch mails.
    pub(super) batch: bool,
    /// By a mail at once.
    pub(super) disabled: bool,
}

pub(super) struct Watch {
    told: SyncSender<Told>,
    wanted: Wanted,
    dropped: Arc<AtomicU64>,
    complaints: Seldom,
}

impl Watch {
    pub(super) fn new(told: SyncSender<Told>, wanted: Wanted, dropped: Arc<AtomicU64>) -> Self {
        Self {
            told,
            wanted,
            dropped,
            complaints: Seldom::default(),
        }
    }

    fn tell(&self, told: Told) {
        match self.told.try_send(told) {
            // It ends last.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                let dropped = 1 + self.dropped.fetch_add(1, Ordering::Relaxed);
                if self.complaints.is_due() {
                    tracing::warn!(
                        "too much happens at once: mails and webhooks leave out some of it ({dropped} so far)"
                    );
                }
            }
        }
    }

    fn wants(&self, kind: NoticeKind) -> bool {
        self.wanted.kinds.contains(&kind)
    }

    fn notice(&self, notice: Notice) {
        if self.wants(notice.kind) {
            self.tell(Told::Notice(notice));
        }
    }

    fn failed(&self, ended: Ended<'_>, scheduler: &Scheduler) {
        if !self.wants(NoticeKind::Failed) {
            return;
        }
        let Some(task) = facts(scheduler, ended.task_id, ended.attempt) else {
            return;
        };
        // A worker that reports has the run till then; one that was lost has nothing.
        let was_lost = ended.ran && ended.worker.is_none();
        let (message, error) = if was_lost {
            let why = "the worker that ran it was silent for too long";
            (format!("{} failed: {why}", task.name), None)
        } else {
            let found = scheduler.fetch_error(ended.task_id);
            let expl = found.and_then(|found| found.expl);
            let error = error_text(expl.as_deref());
            (format!("{} failed", task.name), error)
        };
        self.notice(Notice {
            kind: NoticeKind::Failed,
            at: ended.at,
            task: Some(task),
            worker: ended.worker.map(ToOwned::to_owned),
            message,
            error,
        });
    }

    fn task_notice(
        &self,
        kind: NoticeKind,
        at: Timestamp,
        task: Option<TaskFacts>,
        what: impl FnOnce(&str) -> String,
    ) {
        if let Some(task) = task {
            self.notice(Notice {
                kind,
                at,
                message: what(&task.name),
                task: Some(task),
                worker: None,
                error: None,
            });
        }
    }

    fn scheduling_failed(&self, at: Timestamp, failure: &SchedulingFailure, scheduler: &Scheduler) {
        let error = end(&failure.expl, super::notice::MOST_ERROR);
        if self.wanted.batch {
            let params = unbatched(
                scheduler,
                &failure.worker,
                &failure.family,
                failure.params.clone(),
            );
            self.tell(Told::Entry(Entry {
                what: What::SchedulingFailed,
                name: failure.task_name.clone(),
                family: failure.family.clone(),
                unbatched_params: params,
                error: error.to_owned(),
                owners: failure.owners.clone(),
            }));
        }
        if self.wants(NoticeKind::SchedulingFailed) {
            self.notice(Notice {
                kind: NoticeKind::SchedulingFailed,
                at,
                message: format!("{} could not be scheduled", failure.task_name),
                // Its worker says which parameters are significant, and not which are public.
                task: Some(TaskFacts {
                    id: String::new(),
                    name: failure.task_name.clone(),
                    family: failure.family.clone(),
                    params: Vec::new(),
                    attempt: None,
                }),
                worker: Some(failure.worker.clone()),
                error: (!error.is_empty()).then(|| error.to_owned()),
            });
        }
    }
}

/// A run that ended.
struct Ended<'a> {
    at: Timestamp,
    task_id: &'a str,
    attempt: u64,
    worker: Option<&'a str>,
    /// Whether it was running at all.
    ran: bool,
}

impl Observer for Watch {
    fn observe(&mut self, event: &Event, scheduler: &Scheduler) {
        match event {
            Event::StatusChanged {
                at,
                task_id,
                from: Some(from),
                to: Some(to),
                worker,
                attempt,
                ..
            } => {
                let ran = matches!(from, Status::Running | Status::BatchRunning);
                let failed = match to {
                    // A task that is enabled again is pending a retry, and has not failed anew.
                    Status::Failed => *from != Status::Disabled,
                    Status::Disabled => ran,
                    _ => false,
                };
                if failed {
                    let ended = Ended {
                        at: *at,
                        task_id,
                        attempt: *attempt,
                        worker: worker.as_deref(),
                        ran,
                    };
                    self.failed(ended, scheduler);
                } else if *to == Status::Done && self.wants(NoticeKind::Done) {
                    let facts = facts(scheduler, task_id, *attempt);
                    self.task_notice(NoticeKind::Done, *at, facts, |name| {
                        format!("{name} is done")
                    });
                }
            }
            Event::Failure {
                task_id,
                worker,
                expl,
                owners,
                disabled,
                ..
            } if self.wanted.batch => {
                let Some(task) = facts(scheduler, task_id, 0) else {
                    return;
                };
                let params = unbatched(scheduler, worker, &task.family, task.params);
                let entry = Entry {
                    what: What::Failed,
                    name: task.name,
                    family: task.family,
                    unbatched_params: params,
                    error: error_text(expl.as_deref()).unwrap_or_default(),
                    owners: owners.clone(),
                };
                if *disabled {
                    let what = What::Disabled;
                    self.tell(Told::Entry(entry.clone()));
                    self.tell(Told::Entry(Entry { what, ..entry }));
                } else {
                    self.tell(Told::Entry(entry));
                }
            }
            Event::DisabledByFailures {
                at,
                task_id,
                retry_count,
                disable_window,
                disable_persist,
            } => {
                if self.wanted.disabled {
                    self.tell(Told::Disabled {
                        task_id: task_id.clone(),
                        failures: *retry_count,
                        window: *disable_window,
                        persist: *disable_persist,
                    });
                }
                if self.wants(NoticeKind::Disabled) {
                    let facts = facts(scheduler, task_id, 0);
                    self.task_notice(NoticeKind::Disabled, *at, facts, |name| {
                        format!(
                            "{name} failed too often and is disabled for {disable_persist} seconds"
                        )
                    });
                }
            }
            Event::SchedulingFailure { at, failure } => {
                self.scheduling_failed(*at, failure, scheduler);
            }
            // Stock workers take no leave: each is lost a minute after its end.
            Event::WorkerLost { runs: 0, .. } => {}
            Event::WorkerLost { at, worker, .. } => self.notice(Notice {
                kind: NoticeKind::WorkerLost,
                at: *at,
                task: None,
                message: format!("worker {worker} was silent for too long: what it ran has failed"),
                worker: Some(worker.clone()),
                error: None,
            }),
            Event::DeadEnd {
                at,
                task_id,
                reason,
            } if self.wants(NoticeKind::DeadEnd) => {
                let facts = facts(scheduler, task_id, 0);
                let facts = facts.unwrap_or_else(|| unannounced(task_id));
                self.task_notice(NoticeKind::DeadEnd, *at, Some(facts), |name| {
                    format!("{name} can never run: {reason}")
                });
            }
            Event::CancelRefused {
                at,
                task_id,
                attempt,
                worker,
                answer,
            } if self.wants(NoticeKind::CancelRefused) => {
                let Some(task) = facts(scheduler, task_id, *attempt) else {
                    return;
                };
                self.notice(Notice {
                    kind: NoticeKind::CancelRefused,
                    at: *at,
                    message: format!(
                        "the run of {} cannot be ended and goes on: {answer}",
                        task.name
                    ),
                    task: Some(task),
                    worker: Some(worker.clone()),
                    error: None,
                });
            }
            _ => {}
        }
    }
}

/// What is told of a task; the attempt of this number, if there was one.
fn facts(scheduler: &Scheduler, task_id: &str, attempt: u64) -> Option<TaskFacts> {
    let task = scheduler.shown_task(task_id)?;
    let params = task.params();
    let began = task.time_running().filter(|_| attempt > 0);
    Some(TaskFacts {
        id: task_id.to_owned(),
        name: task.display_name().to_string(),
        family: task.family().to_owned(),
        params: params
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        attempt: began.map(|began| AttemptId::new(task_id, attempt, began)),
    })
}

/// Something that others depend on and nobody announced: all that is known is its id.
fn unannounced(task_id: &str) -> TaskFacts {
    TaskFacts {
        id: task_id.to_owned(),
        name: task_id.to_owned(),
        family: String::new(),
        params: Vec::new(),
        attempt: None,
    }
}

/// Without the parameters that may differ within a batch of this worker.
fn unbatched(
    scheduler: &Scheduler,
    worker: &str,
    family: &str,
    mut params: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let batched: Vec<&str> = scheduler.batched_args(worker, family).collect();
    params.retain(|(name, _)| !batched.contains(&name.as_str()));
    params
}
