//! What operators' remote procedure calls are in the audit trail.

use condotta_protocol::{Json, Object, dispatch};
use condotta_scheduler::{Now, Scheduler, Status, WorkerState};
use serde_json::{Value, json};

use crate::{
    audit::{Deed, Operation},
    driver::{CallError, Handle, Reply},
};

/// What a call does, if it is not refused; nothing for a call that is no operator's, or changes nothing.
pub(super) fn deed(method: &str, arguments: &Object) -> Option<Deed> {
    use Operation::{
        Disable, DisableWorker, Done, Forgive, Pause, Prune, ReEnable, SendMessage, SetLimit,
        SetProcesses, Unpause,
    };
    let (operation, on, told) = match method {
        "forgive_failures" => (Forgive, Some("task_id"), None),
        "re_enable_task" => (ReEnable, Some("task_id"), None),
        "mark_as_done" => (Done, Some("task_id"), None),
        "disable_task" => (Disable, Some("task_id"), None),
        "disable_worker" => (DisableWorker, Some("worker"), None),
        "set_worker_processes" => (SetProcesses, Some("worker"), Some(("n", "n"))),
        "send_scheduler_message" => (SendMessage, Some("task"), Some(("worker", "worker"))),
        "update_resource" => (SetLimit, Some("resource"), Some(("amount", "limit"))),
        "update_resources" => (SetLimit, None, None),
        "pause" => (Pause, None, None),
        "unpause" => (Unpause, None, None),
        "prune" => (Prune, None, None),
        _ => return None,
    };
    let value = |name: &str| arguments.get(name).map(shown);
    let mut deed = Deed::new(operation);
    if let Some(on) = on.and_then(value) {
        deed = deed.on(on.as_str().map_or_else(|| on.to_string(), str::to_owned));
    }
    if method == "update_resources" {
        // Its arguments are the limits by name.
        let limits = shown(&Json::Object(arguments.clone()));
        deed = deed.with(json!({ "limits": limits }));
    } else if let Some((name, shown)) = told {
        deed = deed.with(json!({ shown: value(name) }));
    }
    Some(deed)
}

/// A value as JSON has it; what JSON lacks, as text.
fn shown(value: &Json) -> Value {
    let text = value.to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Puts the call to the scheduler. What it did, unless it was refused: if that is nothing, the deed says so.
///
/// # Errors
///
/// See [`CallError`].
pub(super) async fn put(
    handle: &Handle,
    method: &str,
    arguments: Object,
    deed: Deed,
) -> Result<(Reply, Option<Deed>), CallError> {
    let name = deed.operation().name();
    let method = method.to_owned();
    // Those of `update_resources` are names of resources.
    let names = arguments.clone().into_entries().into_iter();
    let names: Vec<String> = names.map(|(name, _)| name).collect();
    let (told, hear) = std::sync::mpsc::channel();
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let before = Standing::of(scheduler, &deed, &names);
        let answer = dispatch(scheduler, now, &method, arguments)?;
        if is_done(&answer) {
            let after = Standing::of(scheduler, &deed, &names);
            let is_unsent = answer.get("message_id") == Some(&Value::Null);
            let note = match (before, after) {
                _ if is_unsent => Some("messages are switched off".to_owned()),
                (Some(before), Some(after)) if before == after => Some(after.in_words()),
                _ => None,
            };
            let _ = told.send(deed.unless_unchanged(note.as_deref()));
        }
        Ok(answer)
    };
    let answer = handle.act(name, act).await?;
    Ok((Reply::Value(answer), hear.try_recv().ok()))
}

/// Whether the answer says that anything was done.
fn is_done(answer: &Value) -> bool {
    match answer {
        // There is no such task.
        Value::Object(answer) => answer.get("status") != Some(&Value::Null),
        // That is no limit.
        answer => *answer != Value::Bool(false),
    }
}

/// How it stands with that to which something is done.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Task(Option<Status>),
    Worker(Option<WorkerState>),
    Paused { paused: bool, can_be: bool },
    Limits(Vec<Option<u64>>),
}

impl Standing {
    /// Nothing where the deed is a change each time.
    fn of(scheduler: &Scheduler, deed: &Deed, names: &[String]) -> Option<Self> {
        let limit = |name: &str| {
            let known = scheduler.resource(name).filter(|known| known.is_said);
            known.map(|known| known.limit)
        };
        Some(match deed.operation() {
            Operation::Forgive | Operation::ReEnable | Operation::Done | Operation::Disable => {
                let task = scheduler.shown_task(deed.to()?);
                Self::Task(task.map(|task| task.status()))
            }
            Operation::DisableWorker => {
                let worker = scheduler.shown_worker(deed.to()?);
                Self::Worker(worker.map(|worker| worker.view().state))
            }
            Operation::Pause | Operation::Unpause => Self::Paused {
                paused: scheduler.is_paused(),
                can_be: scheduler.is_pause_enabled(),
            },
            Operation::SetLimit => Self::Limits(match deed.to() {
                Some(name) => vec![limit(name)],
                None => names.iter().map(|name| limit(name)).collect(),
            }),
            _ => return None,
        })
    }

    /// Why nothing changed.
    fn in_words(&self) -> String {
        match self {
            Self::Task(Some(status)) => format!("it is {}", status.name()),
            Self::Task(None) => "there is no such task".to_owned(),
            Self::Worker(_) => "it is disabled already".to_owned(),
            Self::Paused { can_be: false, .. } => "pausing is switched off".to_owned(),
            Self::Paused { paused: true, .. } => "it is paused already".to_owned(),
            Self::Paused { paused: false, .. } => "it is not paused".to_owned(),
            Self::Limits(_) => "that is the limit already".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use condotta_protocol::{extensions, methods, needed_role};

    use super::*;
    use crate::access::Role;

    #[test]
    fn every_change_of_an_operator_is_a_deed() {
        for method in methods().chain(extensions()) {
            let is_operators = needed_role(method) == Some(Role::Operator);
            let is_change = is_operators && method != "get_scheduler_message_response";
            let deed = deed(method, &Object::default());
            assert_eq!(deed.is_some(), is_change, "{method}");
        }
    }
}
