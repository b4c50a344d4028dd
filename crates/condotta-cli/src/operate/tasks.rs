//! `condotta tasks`: how many there are, and those that match.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    answer::{Answer, table},
    arguments::{StatusName, TasksArguments},
    connection::{Scheduler, now},
    find,
    time::relative,
    view::Task,
};
use crate::error::Failure;

/// How many tasks have each status.
pub(crate) type Counts = BTreeMap<StatusName, u64>;

pub(super) fn run(arguments: &TasksArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let counts = counts(&scheduler)?;
    let mut found = Vec::new();
    let mut is_cut = false;
    for status in wanted(arguments) {
        let room = room(arguments, found.len());
        if room == 0 {
            is_cut |= counts.get(&status).is_some_and(|count| *count > 0);
        } else if counts.get(&status).is_some_and(|count| *count > 0) {
            let mut tasks = list(&scheduler, status, arguments, room)?;
            is_cut |= tasks.len() > room;
            tasks.truncate(room);
            found.append(&mut tasks);
        }
    }
    let json = json!({
        "counts": counts_json(&counts),
        "tasks": found.iter().map(Task::json).collect::<Vec<_>>(),
        "is_cut": is_cut,
    });
    let mut text = format!("{}\n", counts_text(&counts));
    if !found.is_empty() {
        text += &format!("\n{}", shown(&found));
    }
    if is_cut {
        text += &format!(
            "\nThese are the first {}. See more with --limit, others with --status, --family, \
             --search or --worker.\n",
            found.len()
        );
    }
    Ok(Answer { text, json })
}

/// How many more are listed.
fn room(arguments: &TasksArguments, found: usize) -> usize {
    match arguments.limit {
        0 => usize::MAX,
        limit => limit.saturating_sub(found),
    }
}

/// The statuses to list, those that need a look first.
fn wanted(arguments: &TasksArguments) -> Vec<StatusName> {
    let is_wanted =
        |status: &StatusName| arguments.status.is_empty() || arguments.status.contains(status);
    StatusName::ALL.into_iter().filter(is_wanted).collect()
}

/// How many there are of each status, at little cost: of many only the number is asked for.
pub(crate) fn counts(scheduler: &Scheduler) -> Result<Counts, Failure> {
    let mut counts = Counts::new();
    for status in StatusName::ALL {
        let query = json!({ "status": status.name(), "max_shown_tasks": 1 });
        let answer = scheduler.call("task_list", &query)?;
        let many = answer["num_tasks"].as_u64();
        let few = answer.as_object().map_or(0, |tasks| tasks.len() as u64);
        counts.insert(status, many.unwrap_or(few));
    }
    Ok(counts)
}

pub(crate) fn counts_json(counts: &Counts) -> Value {
    let counts = counts.iter();
    counts
        .map(|(status, count)| (status.name().to_owned(), json!(count)))
        .collect()
}

/// As in `2 FAILED, 3 RUNNING, 100 PENDING`.
pub(crate) fn counts_text(counts: &Counts) -> String {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    let some: Vec<String> = some
        .map(|(status, count)| format!("{count} {}", status.name()))
        .collect();
    if some.is_empty() {
        "no tasks".to_owned()
    } else {
        some.join(", ")
    }
}

/// The tasks of a status that match: those that run and those that wait in the order in which they
/// began or are to begin, others beginning with what changed last. Where there are more than `room`,
/// one more is enough.
fn list(
    scheduler: &Scheduler,
    status: StatusName,
    arguments: &TasksArguments,
    room: usize,
) -> Result<Vec<Task>, Failure> {
    match pages(scheduler, status, arguments, room)? {
        Some(tasks) => Ok(tasks),
        None => list_all(scheduler, status, arguments),
    }
}

/// The longest page that the API has.
const PAGE: usize = 1000;

/// The first `room` tasks and one more, page by page; `None` where nobody has pages.
fn pages(
    scheduler: &Scheduler,
    status: StatusName,
    arguments: &TasksArguments,
    room: usize,
) -> Result<Option<Vec<Task>>, Failure> {
    let sort = match status {
        StatusName::Pending => "-priority",
        StatusName::Running | StatusName::BatchRunning => "started",
        _ => "-updated",
    };
    let worker = match &arguments.worker {
        Some(worker) => find::worker(scheduler, worker).unwrap_or_else(|_| worker.clone()),
        None => String::new(),
    };
    let wanted = [
        ("family", arguments.family.as_deref()),
        ("search", arguments.search.as_deref()),
        ("worker", Some(worker.as_str()).filter(|it| !it.is_empty())),
    ];
    let wanted = wanted
        .into_iter()
        .filter_map(|(name, it)| Some((name, it?)));
    let wanted: Vec<(&str, &str)> = wanted.collect();
    let mut tasks = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let missing = room.saturating_add(1).saturating_sub(tasks.len());
        let limit = missing.min(PAGE).to_string();
        let mut query = vec![("status", status.name()), ("sort", sort), ("limit", &limit)];
        query.extend(&wanted);
        query.extend(after.as_deref().map(|after| ("after", after)));
        let Some(page) = scheduler.get("tasks", &query)? else {
            return Ok(None);
        };
        tasks.extend(
            page["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(Task::of_row),
        );
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() || tasks.len() > room {
            return Ok(Some(tasks));
        }
    }
}

/// All of them, from a scheduler that has no pages.
fn list_all(
    scheduler: &Scheduler,
    status: StatusName,
    arguments: &TasksArguments,
) -> Result<Vec<Task>, Failure> {
    let words = [&arguments.search, &arguments.family];
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    let mut query = json!({ "status": status.name(), "limit": false });
    if !words.is_empty() {
        query["search"] = words.join(" ").into();
    }
    let answer = scheduler.call("task_list", &query)?;
    let tasks = answer.as_object().into_iter().flatten();
    let tasks = tasks.map(|(id, task)| Task::new(id, task));
    let mut tasks: Vec<Task> = tasks.filter(|task| is_asked_for(task, arguments)).collect();
    match status {
        StatusName::Pending => tasks.sort_by(|a, b| {
            let by_priority = b.priority().total_cmp(&a.priority());
            by_priority.then_with(|| a.id.cmp(&b.id))
        }),
        StatusName::Running | StatusName::BatchRunning => {
            tasks.sort_by(|a, b| a.updated.total_cmp(&b.updated));
        }
        _ => tasks.sort_by(|a, b| b.updated.total_cmp(&a.updated)),
    }
    Ok(tasks)
}

fn is_asked_for(task: &Task, arguments: &TasksArguments) -> bool {
    let is_family = arguments
        .family
        .as_deref()
        .is_none_or(|family| task.family() == family);
    let is_worker = arguments.worker.as_deref().is_none_or(|worker| {
        let running = task.worker.as_deref();
        running
            .into_iter()
            .chain(task.workers())
            .any(|known| known.starts_with(worker))
    });
    is_family && is_worker
}

/// The tasks as a table.
pub(crate) fn shown(tasks: &[Task]) -> String {
    let now = now();
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .map(|task| {
            vec![
                task.status.clone(),
                relative(task.updated, now),
                task.worker.clone().unwrap_or_default(),
                task.id.clone(),
                task.name.clone(),
            ]
        })
        .collect();
    table(&["STATUS", "SINCE", "WORKER", "TASK ID", "TASK"], &rows)
}
