//! The arguments of `task_list`.

use condotta_scheduler::TaskListQuery;

use crate::{
    arguments::Arguments,
    convert::{self, Mismatch},
    error::RpcError,
    json::Json,
};

/// The arguments of `task_list`; an empty status is none.
pub(crate) fn task_list(arguments: &mut Arguments) -> Result<TaskListQuery, RpcError> {
    Ok(TaskListQuery {
        status: arguments.or("status", None, unless_empty(convert::status))?,
        upstream_status: arguments
            .or("upstream_status", None, unless_empty(upstream_status))?
            .unwrap_or_default(),
        limit: arguments.flag("limit", true)?,
        search: arguments.optional("search", convert::text)?,
        max_shown_tasks: arguments.optional("max_shown_tasks", convert::amount)?,
    })
}

/// `None` for an empty text or null, else what `convert` makes of it.
fn unless_empty<T>(
    convert: fn(Json) -> Result<T, Mismatch>,
) -> impl FnOnce(Json) -> Result<Option<T>, Mismatch> {
    move |value| match value {
        Json::Null => Ok(None),
        Json::Text(text) if text.is_empty() => Ok(None),
        other => convert(other).map(Some),
    }
}

/// The upstream statuses, from the mildest.
const UPSTREAM: [&str; 4] = [
    "UPSTREAM_RUNNING",
    "UPSTREAM_MISSING_INPUT",
    "UPSTREAM_FAILED",
    "UPSTREAM_DISABLED",
];

fn upstream_status(value: Json) -> Result<String, Mismatch> {
    let name = convert::text(value)?;
    if UPSTREAM.contains(&name.as_str()) {
        Ok(name)
    } else {
        let expected = "an upstream status such as \"UPSTREAM_FAILED\"";
        Err(Mismatch::new(&Json::Text(name), expected))
    }
}
