//! `tasks/{id}`: all that is known of one task.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use condotta_scheduler::{Neighbour, Now, Scheduler, Seen, ShownTask, TaskWalk};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::rerun;
use crate::{
    access::{Caller, Role},
    api::{
        answer::Answerer,
        input::{Name, Query},
        shapes::{TaskLink, TaskRow, cut_to, finite, wall},
    },
    driver::Steps,
    expl,
    http::{Server, error::HttpError},
};

/// How many neighbours are shown to each side; the graph has the rest.
const MOST_NEIGHBOURS: usize = 1000;
/// The longest error and status message, in characters.
const LONGEST_TEXT: usize = 1 << 20;

/// What to show of a task.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct TaskQuery {
    /// Whether to show hidden parameters, too; for operators.
    hidden: bool,
}

/// All that is known of a task.
#[derive(Serialize, ToSchema)]
struct TaskDetail {
    /// What lists show of it. Its parameters and texts may be cut there; they are whole below.
    task: TaskRow,
    /// Its public parameters.
    params: BTreeMap<String, String>,
    /// Its hidden parameters, if they were asked for.
    hidden_params: Option<BTreeMap<String, String>>,
    /// Where its code is: a Python module, or `rust:` and the name of a program.
    module: Option<String>,
    /// The command line that runs it again, with its public parameters.
    rerun_command: Option<String>,
    /// The hidden parameters that this command leaves out, by name. Nothing is known of private ones.
    rerun_leaves_out: Vec<String>,
    /// What the run said last.
    status_message: Option<String>,
    /// What went wrong in its last attempt, as its worker said it.
    error: Option<String>,
    /// Whether the error is longer than is shown.
    error_is_cut: bool,
    /// The workers that can run it.
    workers: Vec<String>,
    /// What the current or last run takes; it may give back a part as it runs.
    resources_running: Option<BTreeMap<String, u64>>,
    /// How failures are answered.
    retry: Retry,
    /// When it is dropped, because no worker wants it any more.
    removed_at: Option<f64>,
    /// The batch that it runs in.
    batch_id: Option<String>,
    /// Whether a run reads messages; nothing while it does not run, or where messages are off.
    accepts_messages: Option<bool>,
    /// Disabled tasks: whether an operator can enable it again.
    can_be_enabled: Option<bool>,
    /// What it depends on, at most 1000 of it.
    dependencies: Vec<TaskLink>,
    /// What depends on it, at most 1000 of it.
    dependants: Vec<TaskLink>,
}

/// How failures of a task are answered.
#[derive(Serialize, ToSchema)]
struct Retry {
    /// How many failures count now.
    failures: u64,
    /// This many disable the task.
    retry_count: Option<u64>,
    /// A failure this many seconds or more after the first one disables the task.
    disable_hard_timeout: Option<f64>,
    /// Seconds for which a failure counts.
    disable_window: Option<f64>,
}

/// A task with its dependencies both ways, its error, and how to run it again.
#[utoipa::path(
    get, path = "/tasks/{id}", tag = "tasks",
    params(("id" = String, Path, description = "The task's id"), TaskQuery),
    responses((status = 200, body = TaskDetail))
)]
pub(super) async fn task(
    State(server): State<Server>,
    caller: Caller,
    Name(id): Name,
    Query(query): Query<TaskQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    if query.hidden {
        caller.require(Role::Operator)?;
    }
    let read = Read {
        walk: TaskWalk::along(vec![id.clone()]),
        with_hidden: query.hidden,
        found: None,
    };
    let found = server.handle.read(read).await?.found;
    let detail = found.ok_or_else(|| no_task(&id))?;
    Ok(answerer.made(|| detail.with_error_decoded()).await)
}

/// There is no such task.
pub(crate) fn no_task(id: &str) -> HttpError {
    let id = cut_to(id, 100);
    HttpError::not_found(format!(
        "there is no task `{id}`: nobody announced it, or it was dropped because no worker wanted it any more"
    ))
}

struct Read {
    walk: TaskWalk,
    with_hidden: bool,
    found: Option<TaskDetail>,
}

impl Steps for Read {
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        let (found, with_hidden) = (&mut self.found, self.with_hidden);
        self.walk.step(scheduler, tasks, &mut |task, upstream| {
            if task.is_waiting() && upstream.is_none() {
                return Seen::NeedsUpstream;
            }
            *found = Some(TaskDetail::new(task, upstream, now, with_hidden));
            Seen::Copied(2 * MOST_NEIGHBOURS)
        })
    }
}

impl TaskDetail {
    fn new(task: ShownTask<'_>, upstream: Option<&str>, now: Now, with_hidden: bool) -> Self {
        let policy = task.retry_policy();
        let said = task.status_message();
        Self {
            params: owned(task.params()),
            hidden_params: with_hidden.then(|| owned(task.hidden_params())),
            module: task.module().map(str::to_owned),
            rerun_command: rerun::command(task),
            rerun_leaves_out: rerun::left_out(task),
            status_message: said.map(|text| cut_to(text, LONGEST_TEXT).into_owned()),
            // As the worker sent it, still.
            error: task.expl().map(str::to_owned),
            error_is_cut: false,
            workers: task.workers().map(str::to_owned).collect(),
            resources_running: task.resources_running(),
            retry: Retry {
                failures: task.failures(),
                retry_count: policy.retry_count,
                disable_hard_timeout: policy.disable_hard_timeout.map(finite),
                disable_window: policy.disable_window.map(finite),
            },
            removed_at: task.removed_at().map(|at| wall(now, at)),
            batch_id: task.batch_id().map(str::to_owned),
            accepts_messages: task.accepts_messages(),
            can_be_enabled: task.re_enable_able(),
            dependencies: links(task.first_deps(MOST_NEIGHBOURS)),
            dependants: links(task.first_dependants(MOST_NEIGHBOURS)),
            task: TaskRow::new(task, upstream, now),
        }
    }

    /// The error may be long, so this is nothing for the scheduler's thread.
    fn with_error_decoded(mut self) -> Self {
        let error = self.error.as_deref().and_then(expl::decoded);
        let shown = error.as_deref().map(|error| cut_to(error, LONGEST_TEXT));
        self.error_is_cut = matches!(shown, Some(std::borrow::Cow::Owned(_)));
        self.error = shown.map(std::borrow::Cow::into_owned);
        self
    }
}

fn owned<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    params
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// In the order of their ids.
fn links(mut neighbours: Vec<Neighbour<'_>>) -> Vec<TaskLink> {
    neighbours.sort_unstable_by_key(|neighbour| neighbour.id);
    neighbours.into_iter().map(TaskLink::new).collect()
}
