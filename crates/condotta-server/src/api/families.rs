//! `families` and `counts`: how many tasks there are, of which kinds and statuses.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use condotta_scheduler::{Now, Scheduler, Seen, TaskWalk};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    shapes::{Counts, namespace},
};
use crate::{
    driver::Steps,
    http::{Server, error::HttpError},
};

/// The most families that are told apart.
const MOST_FAMILIES: usize = 10_000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(families))
        .routes(routes!(counts))
}

/// All families.
#[derive(Serialize, ToSchema)]
struct Families {
    /// The namespaces, by name.
    namespaces: Vec<Namespace>,
    /// Whether there are more families than are told apart: then those found later are missing.
    cut: bool,
}

/// The families of a namespace.
#[derive(Serialize, ToSchema)]
struct Namespace {
    /// The namespace; empty for families in none.
    namespace: String,
    /// Its tasks by status.
    counts: Counts,
    /// How many tasks those are.
    total: u64,
    /// Its families, by name.
    families: Vec<Family>,
}

/// A family.
#[derive(Serialize, ToSchema)]
struct Family {
    /// The family, with the namespace in front.
    family: String,
    /// Its tasks by status.
    counts: Counts,
    /// How many tasks those are.
    total: u64,
}

/// Families, grouped by namespace, with the numbers of their tasks.
#[utoipa::path(get, path = "/families", tag = "tasks", responses((status = 200, body = Families)))]
async fn families(State(server): State<Server>, answerer: Answerer) -> Result<Response, HttpError> {
    let read = server.handle.read(Read::default()).await?;
    Ok(answerer.made(|| read.grouped()).await)
}

#[derive(Default)]
struct Read {
    walk: Option<TaskWalk>,
    found: BTreeMap<Box<str>, Counts>,
    is_cut: bool,
}

impl Steps for Read {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let (found, is_cut) = (&mut self.found, &mut self.is_cut);
        let walk = self.walk.get_or_insert_with(TaskWalk::all);
        walk.step(scheduler, tasks, &mut |task, _| {
            let family = task.family();
            if let Some(counts) = found.get_mut(family) {
                counts.add(task.status(), 1);
            } else if found.len() < MOST_FAMILIES {
                let counts = found.entry(family.into()).or_default();
                counts.add(task.status(), 1);
            } else {
                *is_cut = true;
            }
            Seen::Looked(0)
        })
    }
}

impl Read {
    fn grouped(self) -> Families {
        let mut namespaces: BTreeMap<String, Vec<Family>> = BTreeMap::new();
        for (family, counts) in self.found {
            let group = namespaces.entry(namespace(&family).to_owned()).or_default();
            group.push(Family {
                family: family.into(),
                counts,
                total: counts.total(),
            });
        }
        let namespaces = namespaces.into_iter().map(|(namespace, families)| {
            let mut counts = Counts::default();
            for family in &families {
                counts.add_all(family.counts);
            }
            Namespace {
                namespace,
                counts,
                total: counts.total(),
                families,
            }
        });
        Families {
            namespaces: namespaces.collect(),
            cut: self.is_cut,
        }
    }
}

/// How things stand, in numbers.
#[derive(Serialize, ToSchema)]
struct Totals {
    /// Tasks by status.
    counts: Counts,
    /// How many tasks those are.
    total: u64,
    /// How many workers are connected.
    workers: usize,
    /// How many tasks can never run as things are.
    dead_ends: usize,
    /// Whether nothing is handed out.
    paused: bool,
}

/// How many tasks there are of each status, and how things stand besides.
#[utoipa::path(get, path = "/counts", tag = "tasks", responses((status = 200, body = Totals)))]
async fn counts(State(server): State<Server>, answerer: Answerer) -> Result<Response, HttpError> {
    let look = |scheduler: &Scheduler, _| {
        let counts = Counts::of(scheduler);
        Totals {
            counts,
            total: counts.total(),
            workers: scheduler.worker_count(),
            dead_ends: scheduler.dead_end_count(),
            paused: scheduler.is_paused(),
        }
    };
    Ok(answerer.small(&server.handle.look(look).await?))
}
