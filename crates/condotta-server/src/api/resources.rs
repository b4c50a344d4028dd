//! `resources`: how much there is of each, who takes it, who waits for it; and new limits.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use condotta_scheduler::{Now, Scheduler, Seen, ShownTask, Status, TaskWalk};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Json, Name},
    near::near,
    shapes::display_name,
};
use crate::{
    access::Operator,
    audit::{Deed, Operation},
    driver::Steps,
    http::{Server, error::HttpError},
};

/// The most resources that are shown.
const MOST_RESOURCES: usize = 1000;
/// How many tasks are named of those that take a resource, and of those that wait for it.
const MOST_TASKS: usize = 100;
/// The greatest limit.
const GREATEST_LIMIT: u64 = i64::MAX.unsigned_abs();

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(resources))
        .routes(routes!(set_limit))
}

/// All resources.
#[derive(Serialize, ToSchema)]
struct Resources {
    /// Those that have a limit or that a task needs, by name.
    items: Vec<Resource>,
    /// Whether there are more than are shown.
    cut: bool,
}

/// A resource.
#[derive(Serialize, ToSchema)]
struct Resource {
    /// Its name.
    name: String,
    /// How much there is of it.
    limit: u64,
    /// Whether somebody said that limit; otherwise it is 1.
    limit_is_said: bool,
    /// How much of it runs take.
    used: u64,
    /// How many tasks take some of it.
    takers: u64,
    /// Tasks that take some of it, at most 100.
    running: Vec<Share>,
    /// How many tasks need some of it, and are ready but for resources and workers.
    waiters: u64,
    /// Such tasks, at most 100.
    waiting: Vec<Share>,
}

/// What a task takes or needs of a resource.
#[derive(Serialize, ToSchema)]
struct Share {
    /// The task.
    task_id: String,
    /// Its display name, cut where it is long.
    display_name: String,
    /// How much.
    amount: u64,
}

/// Resources, who takes of them and who waits for them.
#[utoipa::path(get, path = "/resources", tag = "resources", responses((status = 200, body = Resources)))]
async fn resources(
    State(server): State<Server>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let found = server.handle.read(Read::default()).await?.found;
    let cut = found.len() > MOST_RESOURCES;
    let items = found.into_values().take(MOST_RESOURCES).collect();
    Ok(answerer.large(Resources { items, cut }).await)
}

#[derive(Default)]
struct Read {
    walk: Option<TaskWalk>,
    found: BTreeMap<String, Resource>,
}

impl Steps for Read {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let found = &mut self.found;
        let walk = self.walk.get_or_insert_with(TaskWalk::all);
        let is_over = walk.step(scheduler, tasks, &mut |task, _| see(found, task));
        if is_over {
            for name in scheduler.limited_resources() {
                found.entry(name).or_insert_with_key(Resource::new);
            }
            for (name, resource) in found {
                if let Some(known) = scheduler.resource(name) {
                    resource.limit = known.limit;
                    resource.limit_is_said = known.is_said;
                    resource.used = known.used;
                }
            }
        }
        is_over
    }
}

fn see(found: &mut BTreeMap<String, Resource>, task: ShownTask<'_>) -> Seen {
    let is_running = task.status() == Status::Running;
    let needs = if is_running {
        task.resources_running().unwrap_or_else(|| task.resources())
    } else if task.status() == Status::Pending && !task.is_waiting() {
        task.resources()
    } else {
        return Seen::Looked(0);
    };
    let count = needs.len();
    for (name, amount) in needs {
        if found.len() > MOST_RESOURCES && !found.contains_key(&name) {
            continue;
        }
        let resource = found.entry(name).or_insert_with_key(Resource::new);
        let (number, tasks) = if is_running {
            (&mut resource.takers, &mut resource.running)
        } else {
            (&mut resource.waiters, &mut resource.waiting)
        };
        *number += 1;
        if tasks.len() < MOST_TASKS {
            tasks.push(Share {
                task_id: task.id().to_owned(),
                display_name: display_name(task),
                amount,
            });
        }
    }
    if count > 0 {
        Seen::Copied(count)
    } else {
        Seen::Looked(0)
    }
}

impl Resource {
    #[expect(clippy::ptr_arg, reason = "it is made for the keys of a map")]
    fn new(name: &String) -> Self {
        Self {
            name: name.clone(),
            limit: 1,
            limit_is_said: false,
            used: 0,
            takers: 0,
            running: Vec::new(),
            waiters: 0,
            waiting: Vec::new(),
        }
    }
}

/// How much there is to be of a resource.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLimit {
    /// The limit; 0 for none of it.
    #[schema(maximum = 9_223_372_036_854_775_807_u64)]
    limit: u64,
}

/// What a new limit changed.
#[derive(Serialize, ToSchema)]
struct LimitSet {
    /// The resource.
    resource: String,
    /// Its limit before; nothing if nobody had said one.
    before: Option<u64>,
    /// Its limit now.
    limit: u64,
    /// Whether that changed anything.
    changed: bool,
    /// Whether a task needs it, or it had a limit. Otherwise the name may be misspelt.
    known: bool,
    /// Of one that is not known, resources of nearly the same name.
    near: Vec<String>,
}

/// Sets the limit of a resource; it outlives a restart. For operators.
///
/// What runs goes on, also when it takes more than there is now.
#[utoipa::path(
    post, path = "/resources/{name}", tag = "resources",
    params(("name" = String, Path, description = "The resource")),
    request_body = NewLimit,
    responses((status = 200, body = LimitSet))
)]
async fn set_limit(
    State(server): State<Server>,
    operator: Operator,
    Name(name): Name,
    answerer: Answerer,
    Json(NewLimit { limit }): Json<NewLimit>,
) -> Result<Response, HttpError> {
    if limit > GREATEST_LIMIT {
        let message = format!("the limit is {limit}: give a whole number up to {GREATEST_LIMIT}");
        return Err(HttpError::bad_request("bad_body", message));
    }
    let deed = Deed::new(Operation::SetLimit).on(&name);
    let act = move |scheduler: &mut Scheduler, now: Now| {
        let found = scheduler.resource(&name);
        let known = found.is_some();
        let before = found.filter(|known| known.is_said);
        let before = before.map(|known| known.limit);
        let near = if known {
            Vec::new()
        } else {
            near(&name, scheduler.known_resources())
        };
        scheduler.update_resource(now, &name, limit)?;
        let changed = before != Some(limit);
        Ok(json!({
            "resource": name, "before": before, "limit": limit, "changed": changed,
            "known": known, "near": near,
        }))
    };
    let done = server.handle.act("setting a limit", act).await?;
    let details = json!({"before": done["before"], "limit": limit});
    let changed = done["changed"] == true;
    let deed = deed
        .with(details)
        .unless_unchanged((!changed).then_some("that is its limit already"));
    operator.did(&server, deed).await;
    Ok(answerer.small(&done))
}
