//! The methods that workers call.

use condotta_scheduler::{Now, Scheduler};
use serde_json::Value;

use crate::{
    arguments::Arguments, convert, decode_task, decode_worker, dispatch::Reply, encode_work,
};

pub(crate) fn add_task(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let request = decode_task::add_task(arguments)?;
    scheduler.add_task(now, request)?;
    Ok(Value::Null)
}

pub(crate) fn add_task_batcher(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let request = decode_task::add_task_batcher(arguments)?;
    scheduler.add_task_batcher(now, request)?;
    Ok(Value::Null)
}

pub(crate) fn add_worker(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let request = decode_worker::add_worker(arguments)?;
    scheduler.add_worker(now, request)?;
    Ok(Value::Null)
}

/// With the keyword `attempts` the reply also names the attempt, for workers that send it back.
pub(crate) fn get_work(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let attempts = arguments.flag("attempts", false)?;
    let request = decode_worker::get_work(arguments)?;
    Ok(encode_work::work(
        scheduler.get_work(now, request)?,
        attempts,
    ))
}

pub(crate) fn count_pending(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    Ok(encode_work::counts(scheduler.count_pending(now, &worker)?))
}

pub(crate) fn ping(scheduler: &mut Scheduler, now: Now, arguments: &mut Arguments) -> Reply {
    let worker = arguments.text("worker")?;
    Ok(encode_work::messages(scheduler.ping(now, &worker)?))
}

pub(crate) fn announce_scheduling_failure(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let failure = decode_worker::scheduling_failure(arguments)?;
    scheduler.announce_scheduling_failure(now, failure)?;
    Ok(Value::Null)
}

pub(crate) fn set_task_status_message(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let message = arguments.optional("status_message", |value| Ok(convert::shown_text(value)))?;
    scheduler.set_task_status_message(now, &task_id, message)?;
    Ok(Value::Null)
}

pub(crate) fn set_task_progress_percentage(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let percentage = arguments.optional("progress_percentage", convert::number)?;
    scheduler.set_task_progress_percentage(now, &task_id, percentage)?;
    Ok(Value::Null)
}

pub(crate) fn decrease_running_task_resources(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let decrease = arguments.required("decrease_resources", convert::decrease)?;
    scheduler.decrease_running_task_resources(now, &task_id, decrease)?;
    Ok(Value::Null)
}

pub(crate) fn add_scheduler_message_response(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let message_id = arguments.text("message_id")?;
    // No answer reads like one of null.
    let response = arguments.optional("response", |value| Ok(convert::shown_text(value)))?;
    if let Some(response) = response {
        scheduler.add_scheduler_message_response(now, &task_id, &message_id, response)?;
    }
    Ok(Value::Null)
}

pub(crate) fn report_task_statistics(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let statistics = arguments.required("statistics", |value| Ok(value.to_string()))?;
    scheduler.report_task_statistics(now, &task_id, statistics)?;
    Ok(Value::Null)
}

/// Luigi's own scheduler calls this in process to feed metrics; the events here do that already.
pub(crate) fn update_metrics_task_started(
    _scheduler: &mut Scheduler,
    _now: Now,
    arguments: &mut Arguments,
) -> Reply {
    arguments.required("task", Ok)?;
    Ok(Value::Null)
}
