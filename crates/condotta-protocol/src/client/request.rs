//! The keyword arguments of each method that a worker calls.

use condotta_scheduler::{
    AddTask, AddTaskBatcher, AddWorker, GetWork, InfoValue, Param, Resources, RetryPolicy,
    SchedulingFailure, Visibility,
};

use super::keywords::{Keywords, flag, list, number, object, text, whole};
use crate::json_reader::read_json;

/// Announces a task or reports on it.
///
/// An attempt of 0 is none: that is what a scheduler gave which counts no attempts.
#[must_use]
pub fn add_task(request: &AddTask) -> String {
    let visibilities = request.params.as_ref().filter(|params| !params.is_empty());
    let keywords = Keywords::new()
        .text("task_id", &request.task_id)
        .text("status", request.status.name())
        .optional("runnable", request.runnable, flag)
        .optional("deps", request.deps.as_deref(), texts)
        .optional("new_deps", request.new_deps.as_deref(), texts)
        .optional("expl", request.expl.as_deref(), text)
        .optional("resources", request.resources.as_ref(), resources)
        .number("priority", request.priority)
        .text("family", &request.family)
        .optional("module", request.module.as_deref(), text)
        .optional("params", request.params.as_deref(), params)
        .optional("param_visibilities", visibilities, |out, params| {
            visibilities_of(out, params);
        })
        .optional("accepts_messages", request.accepts_messages, flag)
        .flag("assistant", request.assistant)
        .optional("tracking_url", request.tracking_url.as_deref(), text)
        .text("worker", &request.worker)
        .optional("batchable", request.batchable, flag)
        .optional("batch_id", request.batch_id.as_deref(), text)
        .value("retry_policy_dict", |out| {
            retry_policy(out, &request.retry_policy);
        })
        .texts("owners", &request.owners);
    match request.attempt {
        None | Some(0) => keywords,
        Some(attempt) => keywords.value("attempt", |out| whole(out, attempt)),
    }
    .finish()
}

/// Announces many tasks at once, each of them written by [`add_task`]; no method of Luigi's.
#[must_use]
pub fn add_tasks(worker: &str, tasks: &[String]) -> String {
    Keywords::new()
        .text("worker", worker)
        .value("tasks", |out| {
            list(out, tasks, |out, task| out.push_str(task));
        })
        .finish()
}

/// Says which tasks may run together.
#[must_use]
pub fn add_task_batcher(request: &AddTaskBatcher) -> String {
    Keywords::new()
        .text("worker", &request.worker)
        .text("task_family", &request.task_family)
        .texts("batched_args", &request.batched_args)
        .value("max_batch_size", |out| match request.max_batch_size {
            Some(most) => whole(out, most),
            None => number(out, f64::INFINITY),
        })
        .finish()
}

/// Says what kind of worker this is: in a list of pairs, as stock workers do.
#[must_use]
pub fn add_worker(request: &AddWorker) -> String {
    Keywords::new()
        .text("worker", &request.worker)
        .value("info", |out| {
            list(out, &request.info, |out, (name, value)| {
                out.push('[');
                text(out, name);
                out.push_str(", ");
                info_value(out, value);
                out.push(']');
            });
        })
        .finish()
}

/// Asks for something to run, and for the number of the run, which Luigi does not give.
#[must_use]
pub fn get_work(request: &GetWork) -> String {
    Keywords::new()
        .text("worker", &request.worker)
        .optional("host", request.host.as_deref(), text)
        .flag("assistant", request.assistant)
        .optional("current_tasks", request.current_tasks.as_deref(), texts)
        .flag("attempts", true)
        .finish()
}

/// For methods that only need to know the worker: `count_pending`, `ping`, `release_worker`.
#[must_use]
pub fn worker(worker: &str) -> String {
    Keywords::new().text("worker", worker).finish()
}

/// For methods that only need to know the task: `fetch_error`.
#[must_use]
pub fn task(task_id: &str) -> String {
    Keywords::new().text("task_id", task_id).finish()
}

/// Waits until there may be something to run; no method of Luigi's.
#[must_use]
pub fn await_work(worker: &str, seconds: f64) -> String {
    Keywords::new()
        .text("worker", worker)
        .number("seconds", seconds)
        .finish()
}

/// Says what is made of being asked to end a run; no method of Luigi's.
#[must_use]
pub fn answer_cancel(worker: &str, task_id: &str, attempt: u64, answer: &str) -> String {
    Keywords::new()
        .text("worker", worker)
        .text("task_id", task_id)
        .value("attempt", |out| whole(out, attempt))
        .text("answer", answer)
        .finish()
}

/// Says that a task could not be scheduled.
#[must_use]
pub fn announce_scheduling_failure(failure: &SchedulingFailure) -> String {
    Keywords::new()
        .text("worker", &failure.worker)
        .text("task_name", &failure.task_name)
        .text("family", &failure.family)
        .value("params", |out| {
            let params = failure.params.iter();
            let params = params.map(|(name, value)| (name.as_str(), value.as_str()));
            object(out, params, text);
        })
        .text("expl", &failure.expl)
        .texts("owners", &failure.owners)
        .finish()
}

/// Shows what a run says.
#[must_use]
pub fn set_task_status_message(task_id: &str, message: &str) -> String {
    Keywords::new()
        .text("task_id", task_id)
        .text("status_message", message)
        .finish()
}

/// Shows how far a run is.
#[must_use]
pub fn set_task_progress_percentage(task_id: &str, percentage: f64) -> String {
    Keywords::new()
        .text("task_id", task_id)
        .number("progress_percentage", percentage)
        .finish()
}

/// Gives back a part of what a run takes.
#[must_use]
pub fn decrease_running_task_resources(task_id: &str, decrease: &Resources) -> String {
    Keywords::new()
        .text("task_id", task_id)
        .value("decrease_resources", |out| resources(out, decrease))
        .finish()
}

/// Answers a message.
#[must_use]
pub fn add_scheduler_message_response(task_id: &str, message_id: &str, response: &str) -> String {
    Keywords::new()
        .text("task_id", task_id)
        .text("message_id", message_id)
        .text("response", response)
        .finish()
}

fn texts(out: &mut String, values: &[String]) {
    list(out, values, |out, value| text(out, value));
}

fn resources(out: &mut String, resources: &Resources) {
    let entries = resources.iter();
    object(
        out,
        entries.map(|(name, amount)| (name.as_str(), amount)),
        whole,
    );
}

fn params(out: &mut String, params: &[Param]) {
    let entries = params.iter();
    let entries = entries.map(|param| (param.name.as_str(), param.value.as_str()));
    object(out, entries, text);
}

fn visibilities_of(out: &mut String, params: &[Param]) {
    let entries = params.iter().map(|param| {
        let number = match param.visibility {
            Visibility::Public => 0,
            Visibility::Hidden => 1,
            Visibility::Private => 2,
        };
        (param.name.as_str(), number)
    });
    object(out, entries, whole);
}

fn retry_policy(out: &mut String, policy: &RetryPolicy) {
    *out += &Keywords::new()
        .optional("retry_count", policy.retry_count, whole)
        .optional("disable_hard_timeout", policy.disable_hard_timeout, number)
        .optional("disable_window", policy.disable_window, number)
        .finish();
}

fn info_value(out: &mut String, value: &InfoValue) {
    match value {
        InfoValue::Null => out.push_str("null"),
        InfoValue::Bool(value) => flag(out, *value),
        InfoValue::Int(value) => whole(out, value),
        InfoValue::Float(value) => number(out, *value),
        InfoValue::Text(value) => text(out, value),
        InfoValue::Json(value) if read_json(value).is_ok() => out.push_str(value),
        InfoValue::Json(value) => text(out, value),
    }
}
