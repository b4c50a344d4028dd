//! Tells the history what happens to attempts, and how things stand.
//!
//! Runs on the scheduler's thread, so it copies what is to be kept and hands it over; what there is
//! no room for is left out and counted.

use condotta_history::{AttemptId, Began, Ended, Entry, Outcome, Sender, Standing};
use condotta_scheduler::{
    AttemptEnd, Event, Scheduler, ShownTask, Status, TaskListQuery, TaskListRead, Timestamp,
};

use crate::{names::Names, observer::Observer};

/// The longest error that is handed over, in bytes; how much of it is kept is the history's affair.
const LONGEST_ERROR: usize = 64 << 10;
/// How long before its last change a stopped scheduler may have told what was not written.
const UNWRITTEN_SECS: f64 = 600.0;
/// The most attempts that are looked at anew after a start.
const MOST_UNWRITTEN: usize = 50_000;

/// Tells the history what happens.
#[derive(Debug)]
pub(crate) struct Telling {
    sender: Sender,
    names: Names,
}

impl Telling {
    pub(crate) fn new(sender: Sender) -> Self {
        Self {
            sender,
            names: Names::default(),
        }
    }
}

impl Observer for Telling {
    fn start(&mut self, scheduler: &Scheduler) {
        self.begin_anew(scheduler);
    }

    fn begin_anew(&mut self, scheduler: &Scheduler) {
        self.sender.send_standing(Box::new(Standing {
            running: running(scheduler, &mut self.names),
            ended: lately_ended(scheduler, &mut self.names),
        }));
    }

    fn observe(&mut self, event: &Event, scheduler: &Scheduler) {
        if let Some(entry) = entry(event, scheduler, &mut self.names) {
            self.sender.send(entry);
            if self.sender.wants_standing() {
                self.sender.send_standing(Box::new(Standing {
                    running: running(scheduler, &mut self.names),
                    ended: Vec::new(),
                }));
            }
        }
    }
}

fn entry(event: &Event, scheduler: &Scheduler, names: &mut Names) -> Option<Entry> {
    match event {
        Event::AttemptBegan {
            at,
            task_id,
            attempt,
            worker,
            host,
            batch_id,
            ready,
        } => Some(Entry::Began(Box::new(Began {
            attempt: *attempt,
            began: *at,
            worker: worker.as_deref().map(|worker| names.get(worker)),
            host: host.as_deref().map(|host| names.get(host)),
            batch_id: batch_id.clone(),
            ready: *ready,
            ..task(task_id, scheduler.shown_task(task_id), names)
        }))),
        Event::AttemptToldAgain {
            at,
            task_id,
            attempt,
            began,
        } => Some(Entry::Renamed {
            from: AttemptId::new(task_id, *attempt, *began),
            to: AttemptId::new(task_id, *attempt, *at),
        }),
        Event::AttemptEnded {
            at,
            task_id,
            attempt,
            began,
            end,
            expl,
        } => {
            let error = expl.as_deref().map(decoded);
            Some(Entry::Ended(Ended {
                id: AttemptId::new(task_id, *attempt, *began),
                ended: Some(*at),
                outcome: Outcome::of(*end, error.as_deref()),
                error,
            }))
        }
        Event::Statistics {
            task_id,
            statistics,
            ..
        } => {
            let task = scheduler.shown_task(task_id)?;
            Some(Entry::Statistics {
                id: AttemptId::new(task_id, task.attempt(), task.time_running()?),
                statistics: beginning(statistics).to_owned(),
            })
        }
        _ => None,
    }
}

/// What is known of the task itself.
fn task(task_id: &str, shown: Option<ShownTask<'_>>, names: &mut Names) -> Began {
    let Some(task) = shown else {
        // It is gone already. Luigi guesses so, too.
        let family = task_id.split('_').next().unwrap_or_default();
        return Began {
            task_id: task_id.to_owned(),
            family: names.get(family),
            ..Began::default()
        };
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Began {
        task_id: task_id.to_owned(),
        family: names.get(task.family()),
        module: task.module().map(|module| names.get(module)),
        params: task.params().map(owned).collect(),
        hidden_params: task.hidden_params().map(owned).collect(),
        scheduled: Some(task.start_time()),
        priority: task.priority(),
        resources: task.resources_running().unwrap_or_default(),
        ..Began::default()
    }
}

/// The attempt that the scheduler has of a task.
fn attempt(shown: ShownTask<'_>, began: Timestamp, names: &mut Names) -> Began {
    Began {
        attempt: shown.attempt(),
        began,
        worker: shown.worker_running().map(|worker| names.get(worker)),
        host: shown.host_running().map(|host| names.get(host)),
        batch_id: shown.batch_id().map(ToOwned::to_owned),
        ..task(shown.id(), Some(shown), names)
    }
}

fn running(scheduler: &Scheduler, names: &mut Names) -> Vec<Began> {
    let mut running = Vec::new();
    for status in [Status::Running, Status::BatchRunning] {
        each_task(scheduler, Some(status), |shown| {
            running.extend(
                shown
                    .time_running()
                    .map(|began| attempt(shown, began, names)),
            );
        });
    }
    running
}

/// What ended so short a time before the scheduler stopped that it may not be written.
fn lately_ended(scheduler: &Scheduler, names: &mut Names) -> Vec<(Began, Ended)> {
    let mut last = 0.0_f64;
    each_task(scheduler, None, |shown| {
        last = last.max(shown.last_updated().0)
    });
    let mut ended = Vec::new();
    each_task(scheduler, None, |shown| {
        let is_late = shown.last_updated().0 >= last - UNWRITTEN_SECS;
        if is_late && ended.len() < MOST_UNWRITTEN {
            ended.extend(last_attempt(shown, names));
        }
    });
    ended
}

/// The task's last attempt, if it ended as the task's status says.
fn last_attempt(shown: ShownTask<'_>, names: &mut Names) -> Option<(Began, Ended)> {
    let end = match shown.status() {
        Status::Done => AttemptEnd::Done,
        Status::Failed | Status::Disabled => AttemptEnd::Failed,
        _ => return None,
    };
    let began = attempt(shown, shown.time_running()?, names);
    let error = shown.expl().filter(|_| end == AttemptEnd::Failed);
    let error = error.map(decoded);
    let ended = Ended {
        id: began.id(),
        ended: Some(shown.last_updated()),
        outcome: Outcome::of(end, error.as_deref()),
        error,
    };
    Some((began, ended))
}

fn each_task(scheduler: &Scheduler, status: Option<Status>, mut act: impl FnMut(ShownTask<'_>)) {
    let query = TaskListQuery {
        status,
        limit: false,
        ..TaskListQuery::default()
    };
    TaskListRead::new(query).step(scheduler, usize::MAX, &mut act);
}

/// What a worker said, which it sends as a JSON text.
fn decoded(expl: &str) -> String {
    if expl.len() > LONGEST_ERROR {
        return beginning(expl).to_owned();
    }
    serde_json::from_str(expl).unwrap_or_else(|_| expl.to_owned())
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_ERROR)]
}
