//! Replies to a worker, as the scheduler's own types.

use std::sync::Arc;

use condotta_scheduler::{
    Assignment, InfoValue, ParamValue, PendingCounts, Recipe, RunningTask, Work, WorkerMessage,
    WorkerState,
};
use thiserror::Error;

use crate::{
    convert::{self, Mismatch},
    json::{Json, Object},
    json_reader::{JsonError, read_json},
};

/// An answer that is none of Luigi's.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReplyError {
    /// It cannot be read at all.
    #[error("the answer is no JSON: {0}")]
    NotJson(#[from] JsonError),
    /// A part of it is missing.
    #[error("the answer lacks `{field}`")]
    Missing {
        /// The part.
        field: &'static str,
    },
    /// A part of it is of another kind.
    #[error("in the answer, `{field}` is {given}, expected {expected}")]
    Unexpected {
        /// The part, with the way into it.
        field: String,
        /// What stands there, shortened.
        given: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// The value in `{"response": value}`.
pub fn response(text: &str) -> Result<Json, ReplyError> {
    let mut fields = Fields::of(read_json(text)?, "response")?;
    fields
        .0
        .take("response")
        .ok_or(ReplyError::Missing { field: "response" })
}

/// The reply of `get_work`. A scheduler that counts no attempts gives attempt 0.
pub fn work(reply: Json) -> Result<Work, ReplyError> {
    let mut fields = Fields::of(reply, "response")?;
    let counts = pending_counts(&mut fields)?;
    let task_id = fields.optional("task_id", convert::text)?;
    let batch_id = fields.optional("batch_id", convert::text)?;
    let assignment = match (task_id, batch_id) {
        (Some(task_id), _) => Assignment::Task {
            task_id,
            attempt: fields.optional("attempt", convert::amount)?.unwrap_or(0),
            recipe: recipe(&mut fields)?,
        },
        (None, Some(batch_id)) => Assignment::Batch {
            batch_id,
            task_ids: fields.required("batch_task_ids", convert::texts)?,
            recipe: recipe(&mut fields)?,
        },
        (None, None) => Assignment::Nothing,
    };
    Ok(Work { counts, assignment })
}

/// The reply of `count_pending`.
pub fn counts(reply: Json) -> Result<PendingCounts, ReplyError> {
    pending_counts(&mut Fields::of(reply, "response")?)
}

/// The reply of `ping`. Messages that this version does not know are left out.
pub fn messages(reply: Json) -> Result<Vec<WorkerMessage>, ReplyError> {
    let mut fields = Fields::of(reply, "response")?;
    let messages = fields.optional("rpc_messages", items)?.unwrap_or_default();
    Ok(messages.into_iter().filter_map(message).collect())
}

/// The reply of `add_tasks`: which tasks were refused, and why.
pub fn refused(reply: Json) -> Result<Vec<(usize, String)>, ReplyError> {
    let refused = Fields::of(reply, "response")?.required("refused", items)?;
    refused
        .into_iter()
        .map(|item| {
            let mut fields = Fields::of(item, "refused")?;
            let index = fields.required("index", convert::amount)?;
            let error = fields.required("error", convert::text)?;
            Ok((usize::try_from(index).unwrap_or(usize::MAX), error))
        })
        .collect()
}

/// True or false in a reply, such as `ready` of `await_work`.
pub fn flag(reply: Json, field: &'static str) -> Result<bool, ReplyError> {
    Fields::of(reply, "response")?.required(field, convert::flag)
}

/// Whether the reply of `fetch_error` is about a task that the scheduler knows: it then has a name.
pub fn knows(reply: Json) -> Result<bool, ReplyError> {
    let name = Fields::of(reply, "response")?.optional("displayName", Ok)?;
    Ok(name.is_some())
}

fn pending_counts(fields: &mut Fields) -> Result<PendingCounts, ReplyError> {
    // A disabled worker is told less.
    let mut count = |field| -> Result<u64, ReplyError> {
        Ok(fields.optional(field, convert::amount)?.unwrap_or(0))
    };
    let n_pending_tasks = count("n_pending_tasks")?;
    let n_unique_pending = count("n_unique_pending")?;
    let n_pending_last_scheduled = count("n_pending_last_scheduled")?;
    let state = fields.optional("worker_state", convert::text)?;
    let running = fields.optional("running_tasks", items)?.unwrap_or_default();
    Ok(PendingCounts {
        n_pending_tasks,
        n_unique_pending,
        n_pending_last_scheduled,
        worker_state: match state.as_deref() {
            Some("disabled") => WorkerState::Disabled,
            _ => WorkerState::Active,
        },
        running_tasks: running
            .into_iter()
            .map(running_task)
            .collect::<Result<_, _>>()?,
    })
}

/// What the worker says of itself stands beside the ids.
fn running_task(item: Json) -> Result<RunningTask, ReplyError> {
    let mut task_id = None;
    let mut worker = None;
    let mut info = Vec::new();
    for (name, value) in Fields::of(item, "running_tasks")?.0.into_entries() {
        match name.as_str() {
            "task_id" => task_id = convert::text(value).ok(),
            // A worker may run what nobody runs by now.
            "worker" => worker = convert::text(value).ok(),
            _ => info.push((name, convert::info_value(value).unwrap_or(InfoValue::Null))),
        }
    }
    Ok(RunningTask {
        task_id: task_id.ok_or(ReplyError::Missing {
            field: "running_tasks.task_id",
        })?,
        worker: worker.unwrap_or_default(),
        worker_info: Arc::new(info),
    })
}

/// In the order of the names, as the scheduler itself has them.
fn recipe(fields: &mut Fields) -> Result<Recipe, ReplyError> {
    let params = fields.optional("task_params", convert::entries)?;
    let mut params = params
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Json::List(values) => values
                    .into_iter()
                    .map(convert::scalar_text)
                    .collect::<Result<_, _>>()
                    .map(ParamValue::Many),
                one => convert::scalar_text(one).map(ParamValue::One),
            };
            match value {
                Ok(value) => Ok((name, value)),
                Err(mismatch) => Err(unexpected("task_params", mismatch.at(name))),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    params.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Recipe {
        family: fields
            .optional("task_family", convert::text)?
            .unwrap_or_default(),
        module: fields.optional("task_module", convert::text)?,
        params,
    })
}

fn message(item: Json) -> Option<WorkerMessage> {
    let mut fields = Fields::of(item, "rpc_messages").ok()?;
    let name = fields.required("name", convert::text).ok()?;
    let kwargs = fields.required("kwargs", Ok).ok()?;
    let mut kwargs = Fields::of(kwargs, "kwargs").ok()?;
    match name.as_str() {
        "set_worker_processes" => Some(WorkerMessage::SetWorkerProcesses {
            n: kwargs.required("n", convert::amount).ok()?,
        }),
        "dispatch_scheduler_message" => Some(WorkerMessage::DispatchSchedulerMessage {
            task_id: kwargs.required("task_id", convert::text).ok()?,
            message_id: kwargs.required("message_id", convert::text).ok()?,
            content: kwargs
                .required("content", |value| Ok(convert::shown_text(value)))
                .ok()?,
        }),
        "cancel_task" => Some(WorkerMessage::CancelTask {
            task_id: kwargs.required("task_id", convert::text).ok()?,
            attempt: kwargs.required("attempt", convert::amount).ok()?,
            by: kwargs.required("by", convert::text).ok()?,
        }),
        _ => None,
    }
}

fn items(value: Json) -> Result<Vec<Json>, Mismatch> {
    match value {
        Json::List(items) => Ok(items),
        other => Err(Mismatch::new(&other, "a list")),
    }
}

fn unexpected(field: &'static str, mismatch: Mismatch) -> ReplyError {
    ReplyError::Unexpected {
        field: format!("{field}{}", mismatch.path),
        given: mismatch.given,
        expected: mismatch.expected,
    }
}

/// The fields of an object in a reply.
struct Fields(Object);

impl Fields {
    fn of(value: Json, field: &'static str) -> Result<Self, ReplyError> {
        match value {
            Json::Object(object) => Ok(Self(object)),
            other => Err(unexpected(field, Mismatch::new(&other, "an object"))),
        }
    }

    /// A field whose absence and null mean the same.
    fn optional<T>(
        &mut self,
        field: &'static str,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<Option<T>, ReplyError> {
        match self.0.take(field) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => match convert(value) {
                Ok(value) => Ok(Some(value)),
                Err(mismatch) => Err(unexpected(field, mismatch)),
            },
        }
    }

    fn required<T>(
        &mut self,
        field: &'static str,
        convert: impl FnOnce(Json) -> Result<T, Mismatch>,
    ) -> Result<T, ReplyError> {
        self.optional(field, convert)?
            .ok_or(ReplyError::Missing { field })
    }
}
