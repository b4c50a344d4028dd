//! The arguments of `get_work`, `add_worker` and `announce_scheduling_failure`, and of what changes limits.

use condotta_scheduler::{AddWorker, GetWork, InfoValue, Resources, SchedulingFailure};

use crate::{
    arguments::Arguments,
    convert::{self, Mismatch},
    error::RpcError,
    json::Json,
};

/// The arguments of `get_work`.
pub(crate) fn get_work(arguments: &mut Arguments) -> Result<GetWork, RpcError> {
    Ok(GetWork {
        worker: arguments.text("worker")?,
        host: arguments.optional("host", convert::text)?,
        assistant: arguments.flag("assistant", false)?,
        current_tasks: arguments.optional("current_tasks", convert::texts)?,
    })
}

/// The arguments of `add_worker`.
pub(crate) fn add_worker(arguments: &mut Arguments) -> Result<AddWorker, RpcError> {
    Ok(AddWorker {
        worker: arguments.text("worker")?,
        info: arguments.required("info", info)?,
    })
}

/// The arguments of `announce_scheduling_failure`.
pub(crate) fn scheduling_failure(arguments: &mut Arguments) -> Result<SchedulingFailure, RpcError> {
    Ok(SchedulingFailure {
        worker: arguments.text("worker")?,
        task_name: arguments.text("task_name")?,
        family: arguments.text("family")?,
        params: arguments.required("params", scalar_texts)?,
        expl: arguments.required("expl", |value| Ok(convert::shown_text(value)))?,
        owners: arguments
            .optional("owners", convert::texts)?
            .unwrap_or_default(),
    })
}

fn scalar_texts(value: Json) -> Result<Vec<(String, String)>, Mismatch> {
    convert::entries(value)?
        .into_iter()
        .map(|(name, value)| match convert::scalar_text(value) {
            Ok(value) => Ok((name, value)),
            Err(mismatch) => Err(mismatch.at(name)),
        })
        .collect()
}

/// What a worker says of itself: an object, or a list of pairs as stock workers send it.
fn info(value: Json) -> Result<Vec<(String, InfoValue)>, Mismatch> {
    pairs(value)?
        .into_iter()
        .map(|(key, value)| {
            // The number of processes takes part in each choice of what to run.
            let converted = if key == "workers" {
                convert::amount(value)
                    .map(|count| InfoValue::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            } else {
                convert::info_value(value)
            };
            match converted {
                Ok(value) => Ok((key, value)),
                Err(mismatch) => Err(mismatch.at(key)),
            }
        })
        .collect()
}

fn pairs(value: Json) -> Result<Vec<(String, Json)>, Mismatch> {
    const EXPECTED: &str = "an object or a list of pairs";
    let items = match value {
        Json::Object(object) => return Ok(object.into_entries()),
        Json::List(items) => items,
        other => return Err(Mismatch::new(&other, EXPECTED)),
    };
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            let Json::List(pair) = item else {
                return Err(Mismatch::new(&item, "a pair").at(index));
            };
            match <[Json; 2]>::try_from(pair) {
                Ok([Json::Text(key), value]) => Ok((key, value)),
                Ok([key, _]) => Err(Mismatch::new(&key, "a text as key").at(index)),
                Err(items) => Err(Mismatch::new(&Json::List(items), "a pair").at(index)),
            }
        })
        .collect()
}

/// The arguments of `update_resources`: each of them is a resource.
pub(crate) fn update_resources(arguments: &mut Arguments) -> Result<Resources, RpcError> {
    let (method, entries) = arguments.take_all();
    entries
        .into_iter()
        .map(|(name, value)| match convert::amount(value) {
            Ok(total) => Ok((name, total)),
            Err(mismatch) => Err(RpcError::bad_argument(method, &name, mismatch)),
        })
        .collect()
}

/// The amount of `update_resource`; `None` for what the method answers with false.
///
/// JSON's booleans are whole numbers to Luigi.
pub(crate) fn new_limit(value: Json) -> Option<u64> {
    match value {
        Json::Int(whole) => u64::try_from(whole).ok(),
        Json::Bool(flag) => Some(u64::from(flag)),
        _ => None,
    }
}
