//! The methods that operators call and that change something.

use condotta_scheduler::{Now, Scheduler};
use serde_json::{Value, json};

use crate::{arguments::Arguments, convert, decode_worker, dispatch::Reply, encode_task};

pub(crate) fn forgive_failures(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.optional("task_id", convert::text)?;
    let status = match &task_id {
        Some(task_id) => scheduler.forgive_failures(now, task_id)?,
        None => None,
    };
    Ok(encode_task::status_reply(task_id, status))
}

pub(crate) fn mark_as_done(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.optional("task_id", convert::text)?;
    let status = match &task_id {
        Some(task_id) => scheduler.mark_as_done(now, task_id)?,
        None => None,
    };
    Ok(encode_task::status_reply(task_id, status))
}

pub(crate) fn re_enable_task(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let is_enabled = scheduler.re_enable_task(now, &task_id)?.is_some();
    let task = scheduler.shown_task(&task_id).filter(|_| is_enabled);
    Ok(task.map_or_else(|| json!({}), encode_task::task_value))
}

pub(crate) fn prune(scheduler: &mut Scheduler, now: Now, _arguments: &mut Arguments) -> Reply {
    scheduler.prune(now);
    Ok(Value::Null)
}

pub(crate) fn pause(scheduler: &mut Scheduler, now: Now, _arguments: &mut Arguments) -> Reply {
    scheduler.pause(now)?;
    Ok(Value::Null)
}

pub(crate) fn unpause(scheduler: &mut Scheduler, now: Now, _arguments: &mut Arguments) -> Reply {
    scheduler.unpause(now)?;
    Ok(Value::Null)
}

pub(crate) fn disable_worker(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    scheduler.disable_worker(now, &worker)?;
    Ok(Value::Null)
}

pub(crate) fn set_worker_processes(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    let n = arguments.required("n", convert::amount)?;
    scheduler.set_worker_processes(now, &worker, n)?;
    Ok(Value::Null)
}

pub(crate) fn send_scheduler_message(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let worker = arguments.text("worker")?;
    let task_id = arguments.text("task")?;
    let content = arguments.required("content", convert::scalar_text)?;
    let message_id = scheduler.send_scheduler_message(now, &worker, &task_id, content)?;
    Ok(json!({ "message_id": message_id }))
}

pub(crate) fn get_scheduler_message_response(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let task_id = arguments.text("task_id")?;
    let message_id = arguments.text("message_id")?;
    let response = scheduler.get_scheduler_message_response(now, &task_id, &message_id)?;
    Ok(json!({ "response": response }))
}

pub(crate) fn update_resources(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let limits = decode_worker::update_resources(arguments)?;
    scheduler.update_resources(now, limits)?;
    Ok(Value::Null)
}

/// An amount that is no whole number of zero or more is answered with false, as in Luigi.
pub(crate) fn update_resource(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
) -> Reply {
    let resource = arguments.text("resource")?;
    let amount = arguments.given("amount", |value| Ok(decode_worker::new_limit(value)))?;
    if let Some(amount) = amount {
        scheduler.update_resource(now, &resource, amount)?;
    }
    Ok(amount.is_some().into())
}
