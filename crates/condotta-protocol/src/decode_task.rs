//! The arguments of `add_task` and `add_task_batcher`.

use std::collections::HashMap;

use condotta_scheduler::{AddTask, AddTaskBatcher, Param, RetryPolicy, Status, Visibility};

use crate::{
    arguments::Arguments,
    convert::{self, Mismatch},
    error::RpcError,
    json::Json,
};

/// The arguments of `add_task`, with Luigi's defaults.
pub(crate) fn add_task(arguments: &mut Arguments) -> Result<AddTask, RpcError> {
    Ok(AddTask {
        task_id: arguments.text("task_id")?,
        worker: arguments.text("worker")?,
        status: arguments.or("status", Status::Pending, convert::status)?,
        runnable: arguments.or("runnable", Some(true), optional_flag)?,
        deps: arguments.optional("deps", convert::texts)?,
        new_deps: arguments.optional("new_deps", convert::texts)?,
        expl: arguments.optional("expl", |value| Ok(convert::shown_text(value)))?,
        resources: arguments.optional("resources", convert::resources)?,
        priority: arguments.or("priority", 0.0, convert::number)?,
        family: arguments
            .optional("family", convert::text)?
            .unwrap_or_default(),
        module: arguments.optional("module", convert::text)?,
        params: params(arguments)?,
        // A call that says nothing leaves it, as null does: stock workers say nothing of it when
        // they report where a run can be watched.
        accepts_messages: arguments.or("accepts_messages", None, optional_flag)?,
        assistant: arguments.flag("assistant", false)?,
        tracking_url: arguments.optional("tracking_url", convert::text)?,
        batchable: arguments.or("batchable", None, optional_flag)?,
        batch_id: arguments.optional("batch_id", convert::text)?,
        retry_policy: arguments
            .optional("retry_policy_dict", retry_policy)?
            .unwrap_or_default(),
        owners: arguments
            .optional("owners", convert::texts)?
            .unwrap_or_default(),
        attempt: arguments.optional("attempt", convert::amount)?,
    })
}

/// The arguments of `add_task_batcher`.
pub(crate) fn add_task_batcher(arguments: &mut Arguments) -> Result<AddTaskBatcher, RpcError> {
    Ok(AddTaskBatcher {
        worker: arguments.text("worker")?,
        task_family: arguments.text("task_family")?,
        batched_args: arguments.required("batched_args", convert::texts)?,
        max_batch_size: arguments.or("max_batch_size", None, convert::limit)?,
    })
}

/// True, false, or null for "not said".
fn optional_flag(value: Json) -> Result<Option<bool>, Mismatch> {
    match value {
        Json::Null => Ok(None),
        other => convert::flag(other).map(Some),
    }
}

/// `params` with what `param_visibilities` says of them; a parameter that it leaves out is public.
fn params(arguments: &mut Arguments) -> Result<Option<Vec<Param>>, RpcError> {
    let visibilities = arguments
        .optional("param_visibilities", visibilities)?
        .unwrap_or_default();
    let params = arguments.optional("params", convert::entries)?;
    let Some(params) = params else {
        return Ok(None);
    };
    params
        .into_iter()
        .map(|(name, value)| {
            let value = arguments.converted(
                "params",
                convert::scalar_text(value).map_err(|mismatch| mismatch.at(&name)),
            )?;
            Ok(Param {
                visibility: visibilities.get(&name).copied().unwrap_or_default(),
                name,
                value,
            })
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn visibilities(value: Json) -> Result<HashMap<String, Visibility>, Mismatch> {
    convert::entries(value)?
        .into_iter()
        .map(|(name, value)| {
            let visibility = match value {
                Json::Int(0) => Visibility::Public,
                Json::Int(1) => Visibility::Hidden,
                Json::Int(2) => Visibility::Private,
                other => {
                    return Err(Mismatch::new(&other, "0, 1 or 2").at(name));
                }
            };
            Ok((name, visibility))
        })
        .collect()
}

/// A retry policy; what is null or left out is the scheduler's.
fn retry_policy(value: Json) -> Result<RetryPolicy, Mismatch> {
    let mut policy = RetryPolicy::default();
    for (name, value) in convert::entries(value)? {
        if value == Json::Null {
            continue;
        }
        let converted = match name.as_str() {
            "retry_count" => convert::count(value).map(|count| policy.retry_count = Some(count)),
            "disable_hard_timeout" => {
                convert::number(value).map(|secs| policy.disable_hard_timeout = Some(secs))
            }
            "disable_window" => {
                convert::number(value).map(|secs| policy.disable_window = Some(secs))
            }
            _ => Ok(()),
        };
        converted.map_err(|mismatch| mismatch.at(name))?;
    }
    Ok(policy)
}
