//! What an operator can set, under the names and with the defaults of Luigi's `[scheduler]` section.

use crate::RetryPolicy;

/// The scheduler's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Seconds for which a failed task waits before it is pending again; negative is for ever.
    pub retry_delay: f64,
    /// Seconds after which a task that no connected worker has a stake in is dropped.
    pub remove_delay: f64,
    /// Seconds of silence after which a worker counts as lost.
    pub worker_disconnect_delay: f64,
    /// Seconds for which a failure counts.
    pub disable_window: f64,
    /// This many failures within the window disable a task.
    pub retry_count: u64,
    /// A failure this many seconds or more after the first one disables a task.
    pub disable_hard_timeout: f64,
    /// Seconds for which a task that failed too often stays disabled.
    pub disable_persist: f64,
    /// The most tasks in a list.
    pub max_shown_tasks: u64,
    /// The most nodes in a graph.
    pub max_graph_nodes: u64,
    /// Whether each `get_work` prunes first. The scheduler inside a worker's process does.
    pub prune_on_get_work: bool,
    /// Whether `pause` works.
    pub pause_enabled: bool,
    /// Whether people can send messages to running tasks.
    pub send_messages: bool,
    /// Seconds for which a finished task can't be announced as pending again.
    pub stable_done_cooldown_secs: f64,
    /// Whether history records leave as [`Event::History`](crate::Event::History).
    pub record_task_history: bool,
    /// Whether any events are kept for [`poll_event`](crate::Scheduler::poll_event). Who turns
    /// this off gets none; who leaves it on has to fetch them.
    pub keep_events: bool,
    /// Whether it is noted who may have got something to do, for
    /// [`take_wakeups`](crate::Scheduler::take_wakeups).
    pub keep_wakeups: bool,
    /// Whether it is kept for [`take_changes`](crate::Scheduler::take_changes) what requests
    /// changed. Who turns this on has to fetch it.
    pub keep_changes: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            retry_delay: 900.0,
            remove_delay: 600.0,
            worker_disconnect_delay: 60.0,
            disable_window: 3600.0,
            retry_count: 999_999_999,
            disable_hard_timeout: 999_999_999.0,
            disable_persist: 86400.0,
            max_shown_tasks: 100_000,
            max_graph_nodes: 100_000,
            prune_on_get_work: false,
            pause_enabled: true,
            send_messages: true,
            stable_done_cooldown_secs: 10.0,
            record_task_history: false,
            keep_events: false,
            keep_wakeups: false,
            keep_changes: false,
        }
    }
}

impl Config {
    /// The task's own policy where it says something, else the configured one.
    pub(crate) fn retry_policy(&self, own: &RetryPolicy) -> Policy {
        Policy {
            retry_count: own.retry_count.unwrap_or(self.retry_count),
            disable_hard_timeout: own
                .disable_hard_timeout
                .unwrap_or(self.disable_hard_timeout),
            disable_window: own.disable_window.unwrap_or(self.disable_window),
        }
    }
}

/// A retry policy with nothing left open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) retry_count: u64,
    pub(crate) disable_hard_timeout: f64,
    pub(crate) disable_window: f64,
}

impl Policy {
    /// What tells policies apart. Their numbers are numbers, as is checked.
    fn key(&self) -> (u64, u64, u64) {
        (
            self.retry_count,
            self.disable_hard_timeout.to_bits(),
            self.disable_window.to_bits(),
        )
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Policy {}

impl core::hash::Hash for Policy {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
