//! The methods that Luigi lacks.

use condotta_scheduler::{CancelAnswer, Now, Scheduler, Status};
use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    convert,
    convert::Mismatch,
    decode_task,
    dispatch::Reply,
    encode_why,
    error::RpcError,
    json::{Json, Object},
};

/// The most tasks in one `add_tasks`, so that nobody waits long behind it.
const MOST_TASKS: usize = 1_000;

/// Several `add_task` in one request. One that is refused keeps none of the others.
pub(crate) fn add_tasks(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let worker = arguments.optional("worker", convert::text)?;
    let tasks = arguments.required("tasks", tasks)?;
    let mut refused = Vec::new();
    for (index, task) in tasks.into_iter().enumerate() {
        if let Err(error) = add(scheduler, now, worker.as_deref(), task) {
            refused.push(json!({ "index": index, "error": error.to_string() }));
        }
    }
    Ok(json!({ "refused": refused }))
}

fn tasks(value: Json) -> Result<Vec<Json>, Mismatch> {
    match value {
        Json::List(tasks) if tasks.len() <= MOST_TASKS => Ok(tasks),
        Json::List(tasks) => Err(Mismatch {
            path: String::new(),
            given: format!("a list of {}", tasks.len()),
            expected: "at most 1000 tasks",
        }),
        other => Err(Mismatch::new(&other, "a list of tasks")),
    }
}

/// A task that does not say whose it is belongs to the worker that sends them all.
fn add(
    scheduler: &mut Scheduler,
    now: Now,
    worker: Option<&str>,
    task: Json,
) -> Result<(), RpcError> {
    let Json::Object(task) = task else {
        let mismatch = Mismatch::new(&task, "the arguments of add_task");
        return Err(RpcError::bad_argument("add_tasks", "tasks", mismatch));
    };
    let mut entries = task.into_entries();
    if let Some(worker) = worker
        && !entries
            .iter()
            .any(|(name, value)| name == "worker" && *value != Json::Null)
    {
        entries.retain(|(name, _)| name != "worker");
        entries.push(("worker".to_owned(), Json::Text(worker.to_owned())));
    }
    let mut arguments = Arguments::new("add_task", Object::new(entries));
    let request = decode_task::add_task(&mut arguments)?;
    Ok(scheduler.add_task(now, request)?)
}

/// What a worker makes of being asked to end a run.
pub(crate) fn answer_cancel(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    let task_id = arguments.text("task_id")?;
    let attempt = arguments.optional("attempt", convert::amount)?;
    let text = arguments.text("answer")?;
    let refused = arguments.flag("refused", false)?;
    let answer = CancelAnswer { text, refused };
    scheduler.answer_cancel(now, &worker, &task_id, attempt, answer)?;
    Ok(Value::Null)
}

/// A worker goes in good order.
pub(crate) fn release_worker(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    scheduler.release_worker(now, &worker);
    Ok(Value::Null)
}

/// Keeps a task from being run until it is enabled; answers as `forgive_failures` does.
pub(crate) fn disable_task(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let status = scheduler.disable_task(now, &task_id)?;
    Ok(json!({ "task_id": task_id, "status": status.map(Status::name) }))
}

/// What holds a task up, in words and as facts; null when nothing is known of the task.
pub(crate) fn why(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let task_id = arguments.text("task_id")?;
    let why = scheduler.why(now, &task_id);
    Ok(why.map_or(Value::Null, |why| encode_why::why(&why)))
}
