//! Finds the task or the worker that somebody means.

use serde_json::{Map, Value, json};

use super::{
    connection::{Scheduler, escaped},
    harmless::harmless,
    view::Task,
};
use crate::error::{Failure, Kind};

/// So many are named when it is not clear which one is meant.
const NAMED: usize = 10;
/// More than so many are not counted.
const MANY: usize = 1000;
/// So many tasks are asked for at once.
const PAGE: &str = "1000";
/// Longer names are cut in the API's lists, in bytes.
const LONGEST_NAME: usize = 250;

/// The task of this id, or the only one whose id begins so, or whose name is this.
pub(crate) fn task(scheduler: &Scheduler, said: &str) -> Result<Task, Failure> {
    not_empty("task", said)?;
    let found = match at_ours(scheduler, said)? {
        Some(found) => found,
        None => at_luigid(scheduler, said)?,
    };
    if found.is_empty() {
        let said = harmless(said);
        return Err(Failure::new(
            Kind::NotFound,
            format!(
                "there is no task {said}: give its id, the beginning of its id, or its name as \
                 condotta tasks --search shows it"
            ),
        ));
    }
    only(found, said)
}

/// All ids begin with nothing at all, and where there is one task or worker only, it would be the one that is meant.
fn not_empty(what: &str, said: &str) -> Result<(), Failure> {
    if said.trim().is_empty() {
        let text = format!("which {what} is meant? What was given is empty");
        return Err(Failure::new(Kind::Usage, text));
    }
    Ok(())
}

/// Those that may be meant, as our API finds them, up to a few more than are named; `None` where there is
/// no such API, or where the name is longer than it shows.
fn at_ours(scheduler: &Scheduler, said: &str) -> Result<Option<Vec<Task>>, Failure> {
    if said.len() > LONGEST_NAME {
        return Ok(None);
    }
    match scheduler.get(&format!("tasks/{}", escaped(said)), &[]) {
        Ok(Some(detail)) => return Ok(Some(vec![Task::of_row(&detail["task"])])),
        Ok(None) => return Ok(None),
        // It is no id, then.
        Err(failure) if failure.kind() == Kind::NotFound => {}
        Err(failure) => return Err(failure),
    }
    let (mut begins, mut named) = (Vec::new(), Vec::new());
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("search", said), ("sort", "id"), ("limit", PAGE)];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let Some(page) = scheduler.get("tasks", &query)? else {
            return Ok(None);
        };
        let rows = page["items"].as_array().into_iter().flatten();
        for task in rows.map(Task::of_row) {
            if task.id.starts_with(said) {
                begins.push(task);
            } else if task.name == said {
                named.push(task);
            }
        }
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() || begins.len() > MANY || named.len() > MANY {
            return Ok(Some(if begins.is_empty() { named } else { begins }));
        }
    }
}

/// Those that may be meant, as Luigi's methods find them.
fn at_luigid(scheduler: &Scheduler, said: &str) -> Result<Vec<Task>, Failure> {
    let by_id = scheduler.call("task_search", &json!({ "task_str": said }))?;
    let by_status = by_id.as_object().into_iter().flat_map(Map::values);
    let found = by_status.filter_map(Value::as_object).flatten();
    let begins = found.filter(|(id, _)| id.starts_with(said));
    let begins: Vec<Task> = begins.map(|(id, task)| Task::new(id, task)).collect();
    if let Some(exact) = begins.iter().find(|task| task.id == said) {
        return Ok(vec![exact.clone()]);
    }
    if !begins.is_empty() {
        return Ok(begins);
    }
    let by_name = json!({ "search": said, "limit": false });
    let by_name = scheduler.call("task_list", &by_name)?;
    let by_name = by_name.as_object().into_iter().flatten();
    let by_name = by_name.map(|(id, task)| Task::new(id, task));
    Ok(by_name.filter(|task| task.name == said).collect())
}

fn only(mut found: Vec<Task>, said: &str) -> Result<Task, Failure> {
    match found.pop() {
        Some(task) if found.is_empty() => Ok(task),
        last => {
            found.extend(last);
            let ids = found.into_iter().map(|task| task.id).collect();
            Err(ambiguous("tasks", ids, said))
        }
    }
}

/// The worker of this id, or the only one whose id begins so.
pub(crate) fn worker(scheduler: &Scheduler, said: &str) -> Result<String, Failure> {
    not_empty("worker", said)?;
    let workers = scheduler.call("worker_list", &json!({ "include_running": false }))?;
    let workers = workers.as_array().into_iter().flatten();
    let ids = workers.filter_map(|worker| worker["name"].as_str());
    let mut begins: Vec<String> = ids
        .filter(|id| id.starts_with(said))
        .map(str::to_owned)
        .collect();
    if begins.iter().any(|id| id == said) {
        return Ok(said.to_owned());
    }
    match begins.pop() {
        None => {
            let said = harmless(said);
            let text = format!("there is no worker {said}: condotta workers shows them");
            Err(Failure::new(Kind::NotFound, text))
        }
        Some(worker) if begins.is_empty() => Ok(worker),
        Some(worker) => {
            begins.push(worker);
            Err(ambiguous("workers", begins, said))
        }
    }
}

fn ambiguous(what: &str, mut ids: Vec<String>, said: &str) -> Failure {
    ids.sort_unstable();
    let count = ids.len();
    let named: Vec<String> = ids.iter().take(NAMED).map(|id| harmless(id)).collect();
    let more = match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let count = match count {
        count if count > MANY => format!("more than {MANY}"),
        count => count.to_string(),
    };
    let text = format!(
        "{count} {what} begin with or are named {}: say more of the id\n  {}{more}",
        harmless(said),
        named.join("\n  ")
    );
    Failure::new(Kind::NotFound, text)
}
