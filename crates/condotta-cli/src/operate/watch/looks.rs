//! A live view made of looks: what is there is compared with what was there a moment ago.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{GoesOn, Log, status_text};
use crate::{
    error::{Failure, Kind},
    operate::{
        arguments::{StatusName, WatchArguments},
        connection::{Scheduler, now},
        tasks::{Counts, counts},
        view::Task,
    },
};

/// The statuses whose tasks are told one by one, when they are not too many.
const TOLD: [StatusName; 3] = [
    StatusName::Running,
    StatusName::Failed,
    StatusName::Disabled,
];
/// So many of a status are compared one by one.
const COMPARED: u64 = 1000;

/// What a look saw.
#[derive(PartialEq)]
struct Seen {
    counts: Counts,
    /// Tasks of the statuses that are told, by id.
    tasks: BTreeMap<String, Told>,
}

#[derive(Clone, PartialEq)]
struct Told {
    status: String,
    worker: Option<String>,
    /// When it got there: a task may have come and gone between two looks.
    updated: f64,
}

/// Looks until nobody wants to know any more.
pub(super) fn follow(
    scheduler: &Scheduler,
    arguments: &WatchArguments,
    log: &mut Log,
) -> Result<(), Failure> {
    let interval = Duration::try_from_secs_f64(arguments.interval).map_err(|_| {
        let text = format!("--interval {}: write seconds", arguments.interval);
        Failure::new(Kind::Usage, text)
    })?;
    let mut before: Option<Seen> = None;
    loop {
        let begin = Instant::now();
        let seen = match before {
            Some(_) => scheduler.patiently(|| look(scheduler))?,
            None => look(scheduler)?,
        };
        if !tell(before.as_ref(), &seen, log)? {
            return Ok(());
        }
        before = Some(seen);
        thread::sleep(interval.saturating_sub(begin.elapsed()));
    }
}

fn look(scheduler: &Scheduler) -> Result<Seen, Failure> {
    let counts = counts(scheduler)?;
    let mut tasks = BTreeMap::new();
    for status in TOLD {
        let count = counts.get(&status).copied().unwrap_or_default();
        if !(1..=COMPARED).contains(&count) {
            continue;
        }
        let query = json!({ "status": status.name(), "max_shown_tasks": COMPARED });
        let answer = scheduler.call("task_list", &query)?;
        // When they are too many by now there is but one entry, their number.
        let answer = answer.as_object().into_iter().flatten();
        for (id, task) in answer.filter(|(_, task)| task.is_object()) {
            let task = Task::new(id, task);
            let told = Told {
                status: task.status,
                worker: task.worker,
                updated: task.updated,
            };
            tasks.insert(task.id, told);
        }
    }
    Ok(Seen { counts, tasks })
}

/// The changes since the look before, and the new numbers. At the first look all would be new.
fn tell(before: Option<&Seen>, seen: &Seen, log: &mut Log) -> Result<GoesOn, Failure> {
    if let Some(before) = before {
        for (id, told) in &seen.tasks {
            if before.tasks.get(id) == Some(told) {
                continue;
            }
            let worker = told.worker.as_deref();
            let facts = json!({
                "event": "status",
                "at": now(),
                "task_id": id,
                "to": told.status,
                "worker": worker,
            });
            if !log.tell(&facts, &status_text(&told.status, id, worker))? {
                return Ok(false);
            }
        }
    }
    if before.is_some_and(|before| before.counts == seen.counts) {
        return Ok(true);
    }
    log.counts(&seen.counts)
}
