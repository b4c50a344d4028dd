//! The methods by name: those of Luigi, and our own.

use condotta_scheduler::{Now, Scheduler};

use crate::{
    AWAIT_WORK, Role, arguments::Arguments, call_extension, call_operator, call_view, call_worker,
    dispatch::Reply,
};

/// Takes a method's arguments, asks the scheduler, gives the reply.
type Call = fn(&mut Scheduler, Now, &mut Arguments) -> Reply;

/// One method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) call: Call,
    /// Who may call it. What viewers may call shows something and changes nothing, but for what time
    /// alone changes.
    needs: Role,
}

const fn reads(name: &'static str, call: Call) -> Method {
    Method {
        name,
        call,
        needs: Role::Viewer,
    }
}

const fn works(name: &'static str, call: Call) -> Method {
    Method {
        name,
        call,
        needs: Role::Worker,
    }
}

const fn operates(name: &'static str, call: Call) -> Method {
    Method {
        name,
        call,
        needs: Role::Operator,
    }
}

/// Luigi's remote methods.
const METHODS: [Method; 39] = [
    works(
        "add_scheduler_message_response",
        call_worker::add_scheduler_message_response,
    ),
    works("add_task", call_worker::add_task),
    works("add_task_batcher", call_worker::add_task_batcher),
    works("add_worker", call_worker::add_worker),
    works(
        "announce_scheduling_failure",
        call_worker::announce_scheduling_failure,
    ),
    works("count_pending", call_worker::count_pending),
    works(
        "decrease_running_task_resources",
        call_worker::decrease_running_task_resources,
    ),
    reads("dep_graph", call_view::dep_graph),
    operates("disable_worker", call_operator::disable_worker),
    reads("fetch_error", call_view::fetch_error),
    operates("forgive_failures", call_operator::forgive_failures),
    reads(
        "get_running_task_resources",
        call_view::get_running_task_resources,
    ),
    operates(
        "get_scheduler_message_response",
        call_operator::get_scheduler_message_response,
    ),
    reads(
        "get_task_progress_percentage",
        call_view::get_task_progress_percentage,
    ),
    reads(
        "get_task_status_message",
        call_view::get_task_status_message,
    ),
    works("get_work", call_worker::get_work),
    reads("graph", call_view::graph),
    reads("has_task_history", call_view::has_task_history),
    reads("inverse_dep_graph", call_view::inverse_dep_graph),
    reads("is_pause_enabled", call_view::is_pause_enabled),
    reads("is_paused", call_view::is_paused),
    operates("mark_as_done", call_operator::mark_as_done),
    operates("pause", call_operator::pause),
    works("ping", call_worker::ping),
    operates("prune", call_operator::prune),
    operates("re_enable_task", call_operator::re_enable_task),
    works(
        "report_task_statistics",
        call_worker::report_task_statistics,
    ),
    reads("resource_list", call_view::resource_list),
    operates(
        "send_scheduler_message",
        call_operator::send_scheduler_message,
    ),
    works(
        "set_task_progress_percentage",
        call_worker::set_task_progress_percentage,
    ),
    works(
        "set_task_status_message",
        call_worker::set_task_status_message,
    ),
    operates("set_worker_processes", call_operator::set_worker_processes),
    reads("task_list", call_view::task_list),
    reads("task_search", call_view::task_search),
    operates("unpause", call_operator::unpause),
    works(
        "update_metrics_task_started",
        call_worker::update_metrics_task_started,
    ),
    operates("update_resource", call_operator::update_resource),
    operates("update_resources", call_operator::update_resources),
    reads("worker_list", call_view::worker_list),
];

/// What Luigi lacks.
const EXTENSIONS: [Method; 5] = [
    works("add_tasks", call_extension::add_tasks),
    works("answer_cancel", call_extension::answer_cancel),
    operates("disable_task", call_extension::disable_task),
    works("release_worker", call_extension::release_worker),
    reads("why", call_extension::why),
];

/// The names of Luigi's methods, in order.
pub fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// The names of the methods that Luigi lacks, in order.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    EXTENSIONS.iter().map(|method| method.name)
}

/// Whether there is such a method and it only shows something.
///
/// Many of these prune first, as Luigi's do: then what is due happens a little earlier.
#[must_use]
pub fn only_reads(method: &str) -> bool {
    find(method).is_some_and(|method| method.needs == Role::Viewer)
}

/// Who may call a method; nothing if there is none of that name.
#[must_use]
pub fn needed_role(method: &str) -> Option<Role> {
    if method == AWAIT_WORK {
        return Some(Role::Worker);
    }
    find(method).map(|method| method.needs)
}

pub(crate) fn find(name: &str) -> Option<&'static Method> {
    let in_table = |table: &'static [Method]| {
        let index = table.binary_search_by(|method| method.name.cmp(name));
        index.ok().map(|index| &table[index])
    };
    in_table(&METHODS).or_else(|| in_table(&EXTENSIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_in_the_order_that_the_search_needs() {
        assert!(methods().is_sorted());
        assert!(extensions().is_sorted());
    }

    #[test]
    fn no_extension_hides_a_method_of_luigi() {
        assert!(extensions().all(|name| methods().all(|method| method != name)));
    }
}
