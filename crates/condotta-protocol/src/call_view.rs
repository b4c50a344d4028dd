//! The methods that look. Those that Luigi prunes in first do so here too.

use condotta_scheduler::{Now, Scheduler};
use serde_json::{Value, json};

use crate::{arguments::Arguments, decode_view, dispatch::Reply, encode_task, encode_worker};

pub(crate) fn task_list(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let request = decode_view::task_list(arguments)?;
    scheduler.prune(now);
    Ok(encode_task::task_list(scheduler.task_list(&request)))
}

pub(crate) fn task_search(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let task_str = arguments.text("task_str")?;
    scheduler.prune(now);
    Ok(encode_task::task_search(scheduler.task_search(&task_str)))
}

pub(crate) fn graph(scheduler: &mut Scheduler, now: Now, _arguments: &mut Arguments) -> Reply {
    scheduler.prune(now);
    Ok(encode_task::graph(scheduler.graph()))
}

pub(crate) fn dep_graph(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let (task_id, include_done) = graph_arguments(arguments)?;
    scheduler.prune(now);
    let nodes = scheduler.dep_graph(&task_id, include_done);
    Ok(encode_task::graph(nodes))
}

pub(crate) fn inverse_dep_graph(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let (task_id, include_done) = graph_arguments(arguments)?;
    scheduler.prune(now);
    let nodes = scheduler.inverse_dep_graph(&task_id, include_done);
    Ok(encode_task::graph(nodes))
}

fn graph_arguments(arguments: &mut Arguments) -> Result<(String, bool), crate::RpcError> {
    Ok((
        arguments.text("task_id")?,
        arguments.flag("include_done", true)?,
    ))
}

pub(crate) fn worker_list(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let include_running = arguments.flag("include_running", true)?;
    scheduler.prune(now);
    Ok(encode_worker::worker_list(
        scheduler.worker_list(include_running),
    ))
}

pub(crate) fn resource_list(
    scheduler: &mut Scheduler,
    now: Now,
    _arguments: &mut Arguments,
) -> Reply {
    scheduler.prune(now);
    Ok(encode_worker::resource_list(scheduler.resource_list()))
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
