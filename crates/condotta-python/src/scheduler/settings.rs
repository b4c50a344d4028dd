//! The settings of a scheduler, from the attributes of Luigi's configuration class.

use condotta_scheduler::{Config, Resources};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

use super::arguments;

/// The settings; what the object lacks has Luigi's default.
///
/// `prune_on_get_work` is left to Python, which prunes through the method that a subclass may
/// replace, and so are e-mails.
pub(super) fn config(given: &Bound<'_, PyAny>) -> PyResult<Config> {
    let default = Config::default();
    let number = |name: &str, default: f64| number(given, name, default);
    let count = |name: &str, default: u64| -> PyResult<u64> {
        #[expect(clippy::cast_precision_loss, reason = "defaults are far below 2^53")]
        let value = number(name, default as f64)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, which is what is meant"
        )]
        let count = value.ceil() as u64;
        Ok(count)
    };
    let flag = |name: &str, default: bool| -> PyResult<bool> {
        let value = given.getattr_opt(name)?;
        value.map_or(Ok(default), |value| value.is_truthy())
    };
    Ok(Config {
        retry_delay: number("retry_delay", default.retry_delay)?,
        remove_delay: number("remove_delay", default.remove_delay)?,
        worker_disconnect_delay: number(
            "worker_disconnect_delay",
            default.worker_disconnect_delay,
        )?,
        disable_window: number("disable_window", default.disable_window)?,
        retry_count: count("retry_count", default.retry_count)?,
        disable_hard_timeout: number("disable_hard_timeout", default.disable_hard_timeout)?,
        disable_persist: number("disable_persist", default.disable_persist)?,
        max_shown_tasks: count("max_shown_tasks", default.max_shown_tasks)?,
        max_graph_nodes: count("max_graph_nodes", default.max_graph_nodes)?,
        pause_enabled: flag("pause_enabled", default.pause_enabled)?,
        send_messages: flag("send_messages", default.send_messages)?,
        stable_done_cooldown_secs: number(
            "stable_done_cooldown_secs",
            default.stable_done_cooldown_secs,
        )?,
        record_task_history: flag("record_task_history", default.record_task_history)?,
        keep_events: true,
        ..default
    })
}

fn number(given: &Bound<'_, PyAny>, name: &str, default: f64) -> PyResult<f64> {
    let Some(value) = given.getattr_opt(name)? else {
        return Ok(default);
    };
    let number: f64 = value.extract()?;
    if number.is_nan() {
        let text = format!("the scheduler's {name} is not a number");
        return Err(PyValueError::new_err(text));
    }
    Ok(number)
}

/// Limits of resources by name. Less than nothing is nothing.
pub(super) fn limits(resources: &Bound<'_, PyDict>) -> PyResult<Resources> {
    arguments::amounts(resources, |name, value| {
        let amount: Result<i64, _> = value.extract();
        match amount {
            Ok(amount) => Ok(u64::try_from(amount).unwrap_or(0)),
            Err(_) => arguments::amount(name, value),
        }
    })
}
