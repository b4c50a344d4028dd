//! `condotta watch`: how the numbers of tasks change, and what begins, ends and fails.
//!
//! Looks at the scheduler again and again, as any scheduler permits.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    answer::print,
    arguments::{StatusName, WatchArguments},
    connection::{Scheduler, now},
    harmless::harmless,
    tasks::{Counts, counts, counts_json, counts_text},
    view::Task,
};
use crate::error::{Failure, Kind};

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

pub(super) fn run(arguments: &WatchArguments) -> Result<(), Failure> {
    let interval = Duration::try_from_secs_f64(arguments.interval).map_err(|_| {
        let text = format!("--interval {}: write seconds", arguments.interval);
        Failure::new(Kind::Usage, text)
    })?;
    let scheduler = Scheduler::find(&arguments.common)?;
    let is_json = arguments.common.json;
    let mut before: Option<Seen> = None;
    let mut looks = 0_u64;
    loop {
        let begin = Instant::now();
        let seen = look(&scheduler)?;
        if before.as_ref() != Some(&seen) {
            let lines = told(before.as_ref(), &seen, is_json);
            if !print(&lines)? {
                return Ok(());
            }
        }
        before = Some(seen);
        looks += 1;
        if arguments.count.is_some_and(|count| looks >= count) {
            return Ok(());
        }
        thread::sleep(interval.saturating_sub(begin.elapsed()));
    }
}

fn look(scheduler: &Scheduler) -> Result<Seen, Failure> {
    let counts = counts(scheduler)?;
    let mut tasks = BTreeMap::new();
    for status in TOLD {
        let query = json!({ "status": status.name(), "max_shown_tasks": COMPARED });
        let few = counts
            .get(&status)
            .is_some_and(|count| (1..=COMPARED).contains(count));
        if !few {
            continue;
        }
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

/// The changes since the look before, each in its line, and the new numbers.
fn told(before: Option<&Seen>, seen: &Seen, is_json: bool) -> String {
    let mut lines = String::new();
    let mut line = |text: String| {
        lines.push_str(&text);
        lines.push('\n');
    };
    let clock = super::time::clock_now();
    let nothing = BTreeMap::new();
    let known = before.map_or(&nothing, |before| &before.tasks);
    // At the first look everything would be new.
    let tasks = seen.tasks.iter().filter(|_| before.is_some());
    for (id, told) in tasks.filter(|(id, told)| known.get(*id) != Some(told)) {
        let worker = told.worker.as_deref();
        if is_json {
            let change = json!({
                "at": now(), "task_id": id, "status": told.status, "worker": worker,
            });
            line(change.to_string());
        } else {
            let on = worker.map_or_else(String::new, |worker| format!(" on {}", harmless(worker)));
            line(format!("{clock}  {} {}{on}", told.status, harmless(id)));
        }
    }
    if before.is_none_or(|before| before.counts != seen.counts) {
        if is_json {
            line(json!({ "at": now(), "counts": counts_json(&seen.counts) }).to_string());
        } else {
            line(format!("{clock}  {}", counts_text(&seen.counts)));
        }
    }
    lines
}
