//! `await_work`: a worker waits until there may be something for it.
//!
//! To wait is the business of whoever has the clock and the connections, so only the arguments are
//! read here.

use crate::{arguments::Arguments, convert, error::RpcError, json::Object};

/// The name of the method.
pub const AWAIT_WORK: &str = "await_work";

/// For how long a worker waits if it does not say, in seconds.
const DEFAULT_SECS: f64 = 30.0;

/// The arguments of `await_work`: the worker's id, and for how many seconds it wants to wait (a
/// finite number, at least zero).
///
/// # Errors
///
/// When the worker is missing, or one of them is of the wrong kind.
pub fn await_work(arguments: Object) -> Result<(String, f64), RpcError> {
    let mut arguments = Arguments::new(AWAIT_WORK, arguments);
    let worker = arguments.text("worker")?;
    let secs = arguments.optional("seconds", convert::number)?;
    let secs = secs.unwrap_or(DEFAULT_SECS);
    // Neither NaN nor infinity is a time; both mean "as long as possible".
    let secs = if secs.is_finite() {
        secs.max(0.0)
    } else {
        f64::MAX
    };
    Ok((worker, secs))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<(String, f64), RpcError> {
        let serde_json::Value::Object(map) = value else {
            panic!("no object");
        };
        await_work(map.into())
    }

    #[test]
    fn arguments_are_read_and_bounded() {
        let worker = |secs| Ok(("x".to_owned(), secs));
        assert_eq!(read(json!({ "worker": "x", "seconds": 5 })), worker(5.0));
        assert_eq!(read(json!({ "worker": "x", "seconds": -5 })), worker(0.0));
        assert_eq!(read(json!({ "worker": "x" })), worker(DEFAULT_SECS));
    }

    #[test]
    fn a_worker_has_to_be_named() {
        let error = read(json!({})).expect_err("there is no worker");
        assert_eq!(error.to_string(), "await_work needs the argument `worker`");
    }
}
