//! `condotta forgive`, `done`, `enable` and `disable`: tasks get another status.
//!
//! The scheduler changes what it may change and says what the status is then; here that is compared
//! with what was wanted.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    answer::Answer,
    arguments::{ReleasedTasks, SomeTasks},
    connection::Scheduler,
    find,
    harmless::harmless,
    view::Task,
};
use crate::error::{Failure, Kind};

/// So many tasks are changed with one request.
const PORTION: usize = 200;

/// What is wanted of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Forgive,
    Done,
    Enable,
    Disable,
}

/// What became of a task.
struct Outcome {
    /// Its status now.
    status: String,
    /// Whether it was the change that brought it there.
    is_changed: bool,
}

/// Changes tasks that are named.
pub(super) fn run(change: Change, arguments: &SomeTasks) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let tasks = named(&scheduler, &arguments.tasks)?;
    apply_all(change, &scheduler, &tasks, arguments.common.json)
}

/// Changes tasks that are named, or all that match.
pub(super) fn release(change: Change, arguments: &ReleasedTasks) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let tasks = if arguments.tasks.is_empty() {
        matching(change, &scheduler, arguments)?
    } else {
        named(&scheduler, &arguments.tasks)?
    };
    if tasks.is_empty() {
        let text = format!(
            "no task that is meant is {}: condotta tasks shows what there is",
            change.releases()
        );
        return Err(Failure::new(Kind::NotFound, text));
    }
    apply_all(change, &scheduler, &tasks, arguments.common.json)
}

/// All are found before anything changes.
fn named(scheduler: &Scheduler, said: &[String]) -> Result<Vec<Task>, Failure> {
    let tasks = said.iter().map(|said| find::task(scheduler, said));
    tasks.collect()
}

fn matching(
    change: Change,
    scheduler: &Scheduler,
    arguments: &ReleasedTasks,
) -> Result<Vec<Task>, Failure> {
    let words = [&arguments.search, &arguments.family];
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    let mut query = json!({ "status": change.releases(), "limit": false });
    if !words.is_empty() {
        query["search"] = words.join(" ").into();
    }
    let tasks = scheduler.call("task_list", &query)?;
    let tasks = tasks.as_object().into_iter().flatten();
    let tasks = tasks.map(|(id, task)| Task::new(id, task));
    let family = arguments.family.as_deref();
    Ok(tasks
        .filter(|task| family.is_none_or(|family| task.family() == family))
        .collect())
}

fn apply_all(
    change: Change,
    scheduler: &Scheduler,
    tasks: &[Task],
    as_json: bool,
) -> Result<Answer, Failure> {
    let outcomes = match at_once(change, scheduler, tasks)? {
        Some(outcomes) => outcomes,
        None => one_by_one(change, scheduler, tasks)?,
    };
    let mut changed = Vec::new();
    let mut text = String::new();
    let mut refused = Vec::new();
    for (task, Outcome { status, is_changed }) in tasks.iter().zip(outcomes) {
        let id = harmless(&task.id);
        if change.reached(&status) {
            let since = if is_changed { "now" } else { "already" };
            text += &format!("{id} is {} {since}\n", harmless(&status));
        } else {
            refused.push(format!(
                "{id} is {}: {}",
                harmless(&status),
                change.applies_to(&status)
            ));
        }
        changed.push(json!({ "task_id": task.id, "status": status, "changed": is_changed }));
    }
    let answer = Answer {
        text,
        json: json!({ "tasks": changed }),
    };
    if refused.is_empty() {
        return Ok(answer);
    }
    answer.print(as_json)?;
    Err(Failure::new(Kind::Refused, refused.join("\n")))
}

/// Asks for many changes with each request; what became of each task. `None` where that cannot be asked.
fn at_once(
    change: Change,
    scheduler: &Scheduler,
    tasks: &[Task],
) -> Result<Option<Vec<Outcome>>, Failure> {
    let mut all = Vec::new();
    for portion in tasks.chunks(PORTION) {
        let ids: Vec<&str> = portion.iter().map(|task| task.id.as_str()).collect();
        let body = json!({ "action": change.action(), "tasks": ids });
        let Some(done) = scheduler.post("tasks/actions", &body)? else {
            return Ok(None);
        };
        let outcomes = done["outcomes"].as_array().into_iter().flatten();
        let known: HashMap<&str, &Value> = outcomes
            .filter_map(|outcome| Some((outcome["task_id"].as_str()?, outcome)))
            .collect();
        // What went meanwhile is as it was.
        let outcome = |task: &Task| {
            let known = known.get(task.id.as_str());
            let status = known.and_then(|outcome| outcome["after"].as_str());
            Outcome {
                status: status.unwrap_or(&task.status).to_owned(),
                is_changed: known.is_some_and(|outcome| outcome["changed"] == true),
            }
        };
        all.extend(portion.iter().map(outcome));
    }
    Ok(Some(all))
}

fn one_by_one(
    change: Change,
    scheduler: &Scheduler,
    tasks: &[Task],
) -> Result<Vec<Outcome>, Failure> {
    let outcomes = tasks.iter().map(|task| apply(change, scheduler, task));
    outcomes.collect()
}

/// Asks for the change.
fn apply(change: Change, scheduler: &Scheduler, task: &Task) -> Result<Outcome, Failure> {
    let arguments = json!({ "task_id": task.id });
    let answer = match change {
        Change::Forgive if task.status == "FAILED" => {
            scheduler.call("forgive_failures", &arguments)?
        }
        Change::Done => scheduler.call("mark_as_done", &arguments)?,
        Change::Enable => scheduler.call("re_enable_task", &arguments)?,
        Change::Disable => return Err(scheduler.only_ours("disables no task on request")),
        Change::Forgive => Value::Null,
    };
    let status = answer["status"].as_str().unwrap_or(&task.status);
    Ok(Outcome {
        status: status.to_owned(),
        // Another status than the one that was wanted came by itself.
        is_changed: status != task.status && change.reached(status),
    })
}

impl Change {
    /// Its name in the API.
    fn action(self) -> &'static str {
        match self {
            Self::Forgive => "forgive",
            Self::Done => "done",
            Self::Enable => "re-enable",
            Self::Disable => "disable",
        }
    }

    /// The status of the tasks that it releases.
    fn releases(self) -> &'static str {
        match self {
            Self::Enable => "DISABLED",
            _ => "FAILED",
        }
    }

    /// Whether a task of this status is what was wanted.
    fn reached(self, status: &str) -> bool {
        match self {
            Self::Forgive => status == "PENDING",
            Self::Done => status == "DONE",
            Self::Enable => status != "DISABLED",
            Self::Disable => status == "DISABLED",
        }
    }

    fn applies_to(self, status: &str) -> &'static str {
        match self {
            Self::Forgive if status == "DISABLED" => {
                "only failed tasks can be forgiven; condotta enable lets this one be tried again"
            }
            Self::Forgive => "only failed tasks can be forgiven",
            Self::Done => "only running, failed and disabled tasks can be taken for done",
            Self::Enable => "a worker announced it as disabled, and only a worker can change that",
            Self::Disable => "what runs or is done cannot be disabled",
        }
    }
}
