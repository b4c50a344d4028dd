//! `workers`: who is connected, and what each of them runs and waits for.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use condotta_scheduler::{InfoValue, Now, Scheduler, ShownWorker, WorkerListRead, WorkerState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Name, Query},
    page,
    shapes::{TaskRow, cut, cut_to, finite},
};
use crate::{
    driver::Steps,
    http::{Server, error::HttpError},
};

/// How many running tasks of a worker are shown.
const MOST_RUNNING: usize = 1000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(workers))
        .routes(routes!(worker))
}

/// Which page.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct WorkersQuery {
    /// The most workers in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// How many workers are left out before those.
    #[param(maximum = 10_000_000)]
    offset: Option<u64>,
}

/// A page of workers.
#[derive(Serialize, ToSchema)]
struct WorkerPage {
    /// The workers on this page, the latest first.
    items: Vec<WorkerRow>,
    /// How many workers are connected.
    total: usize,
}

/// A worker.
#[derive(Serialize, ToSchema)]
pub(super) struct WorkerRow {
    /// Its id.
    id: String,
    /// Whether it gets work.
    state: WorkerActivity,
    /// When it was first heard of.
    started: f64,
    /// When it was last heard of.
    last_active: f64,
    /// How many tasks it runs.
    running: usize,
    /// How many pending tasks it can run.
    pending: u64,
    /// How many of them nobody else can run.
    unique: u64,
    /// How many messages to it it has not fetched.
    unread_messages: u64,
    /// The display name of the first task that it announced; empty if that is not known.
    first_task: String,
    /// What it says of itself, such as `host`, `pid`, `username` and `workers`, its processes.
    #[schema(value_type = BTreeMap<String, Value>)]
    info: BTreeMap<String, Value>,
}

/// Whether a worker gets work.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WorkerActivity {
    /// It does.
    Active,
    /// An operator disabled it: it finishes what it runs and goes.
    Disabled,
}

impl WorkerRow {
    pub(super) fn new(worker: ShownWorker<'_>) -> Self {
        let view = worker.view();
        let (pending, unique) = worker.pending();
        let info = view.info.into_iter();
        Self {
            id: view.name,
            state: match view.state {
                WorkerState::Active => WorkerActivity::Active,
                WorkerState::Disabled => WorkerActivity::Disabled,
            },
            started: view.started.0,
            last_active: view.last_active.0,
            running: worker.running_count(),
            pending,
            unique,
            unread_messages: view.num_unread_rpc_messages,
            first_task: cut(&view.first_task_display_name).into_owned(),
            info: info
                .take(100)
                .map(|(key, value)| (key, shown(value)))
                .collect(),
        }
    }
}

fn shown(value: InfoValue) -> Value {
    match value {
        InfoValue::Null => Value::Null,
        InfoValue::Bool(flag) => flag.into(),
        InfoValue::Int(number) => number.into(),
        InfoValue::Float(number) => finite(number).into(),
        InfoValue::Text(text) | InfoValue::Json(text) => cut(&text).into(),
    }
}

/// The connected workers.
#[utoipa::path(get, path = "/workers", tag = "workers", params(WorkersQuery), responses((status = 200, body = WorkerPage)))]
async fn workers(
    State(server): State<Server>,
    Query(query): Query<WorkersQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let (limit, offset) = (page::limit(query.limit)?, page::offset(query.offset)?);
    let read = Read {
        walk: WorkerListRead::new(),
        found: Vec::new(),
    };
    let mut found = server.handle.read(read).await?.found;
    let page = move || {
        found.sort_by(|one, other| {
            let latest = other.started.total_cmp(&one.started);
            latest.then_with(|| one.id.cmp(&other.id))
        });
        WorkerPage {
            total: found.len(),
            items: found.into_iter().skip(offset).take(limit).collect(),
        }
    };
    Ok(answerer.made(page).await)
}

struct Read {
    walk: WorkerListRead,
    found: Vec<WorkerRow>,
}

impl Steps for Read {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let found = &mut self.found;
        self.walk.step(scheduler, tasks, &mut |worker| {
            found.push(WorkerRow::new(worker))
        })
    }
}

/// A worker, with what it runs.
#[derive(Serialize, ToSchema)]
struct WorkerDetail {
    /// What lists show of it.
    worker: WorkerRow,
    /// The tasks that it runs, at most 1000 of them.
    running: Vec<TaskRow>,
}

/// A worker and what it runs.
#[utoipa::path(
    get, path = "/workers/{id}", tag = "workers",
    params(("id" = String, Path, description = "The worker's id")),
    responses((status = 200, body = WorkerDetail))
)]
async fn worker(
    State(server): State<Server>,
    Name(id): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let name = id.clone();
    let look = move |scheduler: &Scheduler, now: Now| {
        let worker = scheduler.shown_worker(&name)?;
        let running = worker.running().into_iter().take(MOST_RUNNING);
        Some(WorkerDetail {
            worker: WorkerRow::new(worker),
            running: running.map(|task| TaskRow::new(task, None, now)).collect(),
        })
    };
    let found = server.handle.look(look).await?;
    let detail = found.ok_or_else(|| no_worker(&id))?;
    Ok(answerer.large(detail).await)
}

/// There is no such worker.
pub(super) fn no_worker(id: &str) -> HttpError {
    let id = cut_to(id, 100);
    HttpError::not_found(format!("there is no connected worker `{id}`"))
}
