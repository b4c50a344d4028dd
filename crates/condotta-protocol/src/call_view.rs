//! The methods that look. Those that Luigi prunes in first do so here too.

use condotta_scheduler::{Now, Scheduler};
use serde_json::{Value, json};

use crate::{
    arguments::Arguments, dispatch::Reply, encode_task, long_read::at_once, read_tasks,
    read_workers,
};

pub(crate) fn task_list(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    at_once(scheduler, now, arguments, read_tasks::task_list)
}

pub(crate) fn task_search(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    at_once(scheduler, now, arguments, read_tasks::task_search)
}

pub(crate) fn graph(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    at_once(scheduler, now, arguments, read_tasks::graph)
}

pub(crate) fn dep_graph(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    at_once(scheduler, now, arguments, read_tasks::dep_graph)
}

pub(crate) fn inverse_dep_graph(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    at_once(scheduler, now, arguments, read_tasks::inverse_dep_graph)
}

pub(crate) fn worker_list(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    at_once(scheduler, now, arguments, read_workers::worker_list)
}

pub(crate) fn resource_list(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    at_once(scheduler, now, arguments, read_workers::resource_list)
}

pub(crate) fn fetch_error(
    scheduler: &mut Scheduler,
    _now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    Ok(encode_task::error(
        &task_id,
        scheduler.fetch_error(&task_id),
    ))
}

pub(crate) fn get_task_status_message(
    scheduler: &mut Scheduler,
    _now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let message = match scheduler.task_status_message(&task_id) {
        Some(message) => Value::from(message),
        None => "".into(),
    };
    Ok(json!({ "taskId": task_id, "statusMessage": message }))
}

pub(crate) fn get_task_progress_percentage(
    scheduler: &mut Scheduler,
    _now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let percentage = scheduler.task_progress_percentage(&task_id).flatten();
    Ok(json!({ "taskId": task_id, "progressPercentage": percentage.map(encode_task::number) }))
}

pub(crate) fn get_running_task_resources(
    scheduler: &mut Scheduler,
    _now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let running = scheduler.running_task_resources(&task_id);
    Ok(encode_task::running_resources(&task_id, running))
}

pub(crate) fn is_paused(scheduler: &mut Scheduler, _now: Now, _arguments: &mut Arguments) -> Reply {
    Ok(json!({ "paused": scheduler.is_paused() }))
}

pub(crate) fn is_pause_enabled(
    scheduler: &mut Scheduler,
    _now: Now,
    _arguments: &mut Arguments,
) -> Reply {
    Ok(json!({ "enabled": scheduler.is_pause_enabled() }))
}

pub(crate) fn has_task_history(
    scheduler: &mut Scheduler,
    _now: Now,
    _arguments: &mut Arguments,
) -> Reply {
    Ok(scheduler.config().record_task_history.into())
}
