//! What holds a task up, as JSON: the text for people, the same as pieces, and the facts.

use condotta_scheduler::{
    Absence, Candidate, Cause, DisabledBy, Hold, Lacking, NoWorker, Path, RetryPolicy, Run, Status,
    TaskName, Timestamp, Waiting, Why, Word,
};
use jiff::{Timestamp as Moment, tz::TimeZone};
use serde_json::{Map, Value, json};

use crate::encode_task::number;

/// The answer to `why`.
pub(crate) fn why(why: &Why) -> Value {
    json!({
        "task_id": why.task.task_id,
        "name": why.task.name,
        "status": status(why.status),
        "paused": why.paused,
        "text": why.text(utc),
        "words": why.words().iter().map(word).collect::<Vec<_>>(),
        "hold": hold(&why.hold),
    })
}

/// A moment as in `2026-11-24 15:16:29 UTC`.
fn utc(at: Timestamp) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is beyond the range of moments is none"
    )]
    let moment = Moment::from_second(at.0.round() as i64);
    match moment {
        Ok(moment) => {
            let utc = moment.to_zoned_datetime(TimeZone::UTC);
            utc.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
        }
        Err(_) => format!("second {}", at.0),
    }
}

fn word(word: &Word) -> Value {
    match word {
        Word::Text(text) => text.as_str().into(),
        Word::Task(task) => task_name(task),
        Word::Worker(worker) => json!({ "worker": worker }),
        Word::Time(at) => json!({ "time": time(*at) }),
    }
}

fn hold(hold: &Hold) -> Value {
    let mut map = Map::from_iter([("kind".to_owned(), kind(hold).into())]);
    if let Value::Object(facts) = facts(hold) {
        map.extend(facts);
    }
    map.into()
}

/// The name of what holds a task up.
fn kind(hold: &Hold) -> &'static str {
    match hold {
        Hold::Done { .. } => "done",
        Hold::Running(_) => "running",
        Hold::NotAnnounced { .. } => "not_announced",
        Hold::Cycle { .. } => "cycle",
        Hold::NeedAboveLimit { .. } => "need_above_limit",
        Hold::Unknown { .. } => "unknown",
        Hold::Disabled(_) => "disabled",
        Hold::Failed(_) => "failed",
        Hold::Dependencies(_) => "dependencies",
        Hold::NoWorker(_) => "no_worker",
        Hold::Paused => "paused",
        Hold::Resources { .. } => "resources",
        Hold::Reserved { .. } => "reserved",
        Hold::Behind { .. } => "behind",
        Hold::Ready { .. } => "ready",
    }
}

fn facts(hold: &Hold) -> Value {
    match hold {
        Hold::Done { since } | Hold::Unknown { since } => json!({ "since": time(*since) }),
        Hold::Running(run) => running(run),
        Hold::NotAnnounced { planning } => json!({ "planning": planning }),
        Hold::Cycle { path: around } => json!({ "path": path(around) }),
        Hold::NeedAboveLimit {
            resource,
            amount,
            limit,
        } => json!({ "resource": resource, "amount": amount, "limit": limit }),
        Hold::Disabled(disabled) => json!({
            "since": time(disabled.since),
            "by": by(disabled.by),
            "failures": disabled.failures,
            "until": disabled.until.map(time),
            "policy": policy(&disabled.policy),
        }),
        Hold::Failed(failed) => json!({
            "since": time(failed.since),
            "failures": failed.failures,
            "retry_at": failed.retry_at.map(time),
            "policy": policy(&failed.policy),
            "worker": failed.worker,
            "is_lost": failed.is_lost,
        }),
        Hold::Dependencies(waiting) => dependencies(waiting),
        Hold::NoWorker(absent) => no_worker(absent),
        Hold::Paused => json!({}),
        Hold::Resources { lacking } => {
            json!({ "lacking": lacking.iter().map(lack).collect::<Vec<_>>() })
        }
        Hold::Reserved {
            resources,
            kept_for,
        } => json!({
            "resources": resources,
            "kept_for": kept_for.iter().map(task_name).collect::<Vec<_>>(),
        }),
        Hold::Behind {
            ahead,
            is_exact,
            workers,
        } => json!({
            "ahead": ahead,
            "is_exact": is_exact,
            "workers": candidates(workers),
        }),
        Hold::Ready { workers } => json!({ "workers": candidates(workers) }),
    }
}

fn running(run: &Run) -> Value {
    json!({
        "worker": run.worker,
        "since": run.since.map(time),
        "attempt": run.attempt,
        "batch_id": run.batch_id,
        "last_contact": run.last_contact.map(time),
        "progress_percentage": run.progress_percentage.map(number),
    })
}

fn dependencies(waiting: &Waiting) -> Value {
    json!({
        "unmet": waiting.unmet,
        "dependencies": waiting.dependencies,
        "is_exact": waiting.is_exact,
        "causes": waiting.causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn cause(cause: &Cause) -> Value {
    json!({
        "count": cause.count,
        "status": status(cause.status),
        "path": path(&cause.path),
        "hold": hold(&cause.hold),
    })
}

fn path(path: &Path) -> Value {
    json!({
        "tasks": path.tasks.iter().map(task_name).collect::<Vec<_>>(),
        "omitted": path.omitted,
    })
}

fn no_worker(no_worker: &NoWorker) -> Value {
    let workers = no_worker.workers.iter().map(|(worker, absence)| {
        let (absence, since) = match absence {
            Absence::Silent { since } => ("silent", Some(*since)),
            Absence::Left { since } => ("left", Some(*since)),
            Absence::Disabled => ("disabled", None),
            Absence::CannotRun => ("cannot_run", None),
        };
        json!({ "worker": worker, "absence": absence, "since": since.map(time) })
    });
    json!({
        "runnable": no_worker.runnable,
        "workers": workers.collect::<Vec<_>>(),
        "module": no_worker.module,
        "other_assistants": no_worker.other_assistants,
    })
}

fn lack(lacking: &Lacking) -> Value {
    let users = lacking.users.iter().map(
        |(task, amount)| json!({ "task_id": task.task_id, "name": task.name, "amount": amount }),
    );
    json!({
        "resource": lacking.resource,
        "amount": lacking.amount,
        "used": lacking.used,
        "limit": lacking.limit,
        "users": users.collect::<Vec<_>>(),
    })
}

fn candidates(workers: &[Candidate]) -> Value {
    let workers = workers.iter().map(|candidate| {
        json!({
            "worker": candidate.worker,
            "running": candidate.running,
            "processes": candidate.processes,
        })
    });
    workers.collect()
}

fn by(by: DisabledBy) -> &'static str {
    match by {
        DisabledBy::Failures => "failures",
        DisabledBy::Operator => "operator",
        DisabledBy::Worker => "worker",
    }
}

fn policy(policy: &RetryPolicy) -> Value {
    json!({
        "retry_count": policy.retry_count,
        "disable_hard_timeout": policy.disable_hard_timeout.map(number),
        "disable_window": policy.disable_window.map(number),
    })
}

fn task_name(task: &TaskName) -> Value {
    json!({ "task_id": task.task_id, "name": task.name })
}

fn status(status: Option<Status>) -> Option<&'static str> {
    status.map(Status::name)
}

fn time(at: Timestamp) -> Value {
    at.0.into()
}
