//! One remote procedure call: its name and keyword arguments in, the scheduler asked, its answer out.
//!
//! Arguments are converted before the scheduler hears of the request, so a refused one changes nothing.
//! The views prune first where Luigi's do.

use condotta_scheduler::{Now, Scheduler};
use serde_json::Value;

use crate::{arguments::Arguments, error::RpcError, json::Object, methods};

/// What a method replies.
pub(crate) type Reply = Result<Value, RpcError>;

/// Puts the request `method` with its keyword arguments to `scheduler` and gives the reply in Luigi's shape.
///
/// Keywords that the method does not know are ignored.
///
/// # Errors
///
/// When there is no such method, an argument is missing or of the wrong kind, or the scheduler refuses.
/// Nothing has changed then.
pub fn dispatch(
    scheduler: &mut Scheduler,
    now: Now,
    method: &str,
    arguments: impl Into<Object>,
) -> Result<Value, RpcError> {
    let found = methods::find(method).ok_or_else(|| RpcError::UnknownMethod {
        method: method.to_owned(),
    })?;
    let mut arguments = Arguments::new(found.name, arguments.into());
    (found.call)(scheduler, now, &mut arguments)
}
