//! One remote procedure call: its name and keyword arguments in, the scheduler asked, its answer out.
//!
//! Arguments are converted before the scheduler hears of the request, so a refused one changes nothing.
//! The views prune first where Luigi's do.

use condotta_scheduler::{Now, Scheduler};
use serde_json::Value;

use crate::{
    arguments::Arguments, call_operator, call_view, call_worker, error::RpcError, json::Object,
};

/// What a method replies.
pub(crate) type Reply = Result<Value, RpcError>;

/// One method: takes its arguments, asks the scheduler, gives the reply.
type Method = fn(&mut Scheduler, Now, &mut Arguments) -> Reply;

/// Luigi's remote methods.
const METHODS: [(&str, Method); 39] = [
    (
        "add_scheduler_message_response",
        call_worker::add_scheduler_message_response,
    ),
    ("add_task", call_worker::add_task),
    ("add_task_batcher", call_worker::add_task_batcher),
    ("add_worker", call_worker::add_worker),
    (
        "announce_scheduling_failure",
        call_worker::announce_scheduling_failure,
    ),
    ("count_pending", call_worker::count_pending),
    (
        "decrease_running_task_resources",
        call_worker::decrease_running_task_resources,
    ),
    ("dep_graph", call_view::dep_graph),
    ("disable_worker", call_operator::disable_worker),
    ("fetch_error", call_view::fetch_error),
    ("forgive_failures", call_operator::forgive_failures),
    (
        "get_running_task_resources",
        call_view::get_running_task_resources,
    ),
    (
        "get_scheduler_message_response",
        call_operator::get_scheduler_message_response,
    ),
    (
        "get_task_progress_percentage",
        call_view::get_task_progress_percentage,
    ),
    (
        "get_task_status_message",
        call_view::get_task_status_message,
    ),
    ("get_work", call_worker::get_work),
    ("graph", call_view::graph),
    ("has_task_history", call_view::has_task_history),
    ("inverse_dep_graph", call_view::inverse_dep_graph),
    ("is_pause_enabled", call_view::is_pause_enabled),
    ("is_paused", call_view::is_paused),
    ("mark_as_done", call_operator::mark_as_done),
    ("pause", call_operator::pause),
    ("ping", call_worker::ping),
    ("prune", call_operator::prune),
    ("re_enable_task", call_operator::re_enable_task),
    (
        "report_task_statistics",
        call_worker::report_task_statistics,
    ),
    ("resource_list", call_view::resource_list),
    (
        "send_scheduler_message",
        call_operator::send_scheduler_message,
    ),
    (
        "set_task_progress_percentage",
        call_worker::set_task_progress_percentage,
    ),
    (
        "set_task_status_message",
        call_worker::set_task_status_message,
    ),
    ("set_worker_processes", call_operator::set_worker_processes),
    ("task_list", call_view::task_list),
    ("task_search", call_view::task_search),
    ("unpause", call_operator::unpause),
    (
        "update_metrics_task_started",
        call_worker::update_metrics_task_started,
    ),
    ("update_resource", call_operator::update_resource),
    ("update_resources", call_operator::update_resources),
    ("worker_list", call_view::worker_list),
];

/// The names of all methods, in order.
pub fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|&(name, _)| name)
}

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
    let found = METHODS.binary_search_by(|(name, _)| name.cmp(&method));
    let Ok(index) = found else {
        return Err(RpcError::UnknownMethod {
            method: method.to_owned(),
        });
    };
    let (name, call) = METHODS[index];
    call(scheduler, now, &mut Arguments::new(name, arguments.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_in_the_order_that_the_search_needs() {
        assert!(METHODS.is_sorted_by_key(|&(name, _)| name));
    }
}
