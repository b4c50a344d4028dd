//! Who tells people that a task went wrong.

use crate::Runnable;

/// Tells people of what goes wrong, by e-mail for instance. Methods are called from the worker's threads and must
/// return quickly.
pub trait Notifier: Send + Sync {
    /// A run failed, with this error text. Not called when `[worker] send_failure_email` says no.
    fn task_failed(&self, _task: &dyn Runnable, _error: &str) {}

    /// Asking the task's code for `method` failed, such as `complete()`, so that it will not run. Not called when
    /// `[worker] send_failure_email` says no.
    fn scheduling_failed(&self, _task: &dyn Runnable, _method: &str, _error: &str) {}

    /// Planning failed for a reason that is none of the task's own.
    fn planning_failed(&self, _task: &dyn Runnable, _error: &str) {}

    /// The scheduler sent tasks that cannot be built here.
    fn load_failed(&self, _task_ids: &[String], _error: &str) {}
}
