//! `graph`: a task with what it depends on, what depends on it, or both, breadth first and bounded.

use std::collections::{HashMap, VecDeque};

use axum::{extract::State, response::Response};
use condotta_scheduler::{Neighbour, Now, Scheduler, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::Query,
    shapes::{TaskStatus, cut, display_name, namespace},
    tasks::no_task,
};
use crate::{
    driver::Steps,
    http::{Server, error::HttpError},
};

/// The nodes of a graph, if nobody says how many.
const USUAL_NODES: u64 = 1000;
/// The most nodes of a graph.
const MOST_NODES: u64 = 10_000;
/// How many neighbours of one task are looked at to one side.
const MOST_NEIGHBOURS: usize = 20_000;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(graph))
}

/// Which part of the graph.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GraphQuery {
    /// The id of the task to begin with.
    task: String,
    /// Which way to go from there; `up` if it is not said.
    #[serde(default)]
    direction: Direction,
    /// How many steps to go; to the end if it is not said.
    depth: Option<u64>,
    /// Whether to leave out what is done, and what is only reached through that.
    #[serde(default)]
    hide_done: bool,
    /// The most nodes; 1000 if it is not said.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u64>,
}

/// Which way to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    /// To what the task depends on.
    #[default]
    Up,
    /// To what depends on the task.
    Down,
    /// Both ways.
    Both,
}

/// A part of the graph of tasks.
#[derive(Default, Serialize, ToSchema)]
struct Graph {
    /// The tasks, nearest first; the first is the one that was asked for.
    nodes: Vec<Node>,
    /// Which of them depend on which: pairs of places in `nodes`, of which the first depends on the
    /// second.
    edges: Vec<[usize; 2]>,
    /// Whether there is more that fits what was asked for, but for the number of nodes.
    cut: bool,
}

/// A task in a graph.
#[derive(Serialize, ToSchema)]
struct Node {
    /// Its id.
    id: String,
    /// Its family; empty if that is not known.
    family: String,
    /// The namespace of that.
    namespace: String,
    /// Its display name, cut where it is long.
    display_name: String,
    /// Its status; nothing if it was dropped.
    status: Option<TaskStatus>,
    /// Its distance from the first: below 0 for what that depends on, above for what depends on it.
    depth: i64,
    /// When it was last handed out.
    started: Option<f64>,
    /// When its status changed last.
    updated: Option<f64>,
    /// How far its run is, in percent.
    progress: Option<f64>,
    /// Whether it depends on tasks that may not be shown.
    more_up: bool,
    /// Whether tasks depend on it that may not be shown.
    more_down: bool,
}

/// A task with what it depends on, what depends on it, or both.
#[utoipa::path(get, path = "/graph", tag = "tasks", params(GraphQuery), responses(
    (status = 200, body = Graph),
    (status = 404, description = "There is no such task", body = super::openapi::Error),
))]
async fn graph(
    State(server): State<Server>,
    Query(query): Query<GraphQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let limit = query.limit.unwrap_or(USUAL_NODES);
    if !(1..=MOST_NODES).contains(&limit) {
        let message =
            format!("the parameter `limit` is {limit}: give a whole number from 1 to {MOST_NODES}");
        return Err(HttpError::bad_request("bad_parameter", message));
    }
    let root = query.task.clone();
    let read = Read {
        limit: usize::try_from(limit).expect("at most 10000"),
        query,
        queue: VecDeque::new(),
        places: HashMap::new(),
        graph: Graph::default(),
    };
    let graph = server.handle.read(read).await?.graph;
    if graph.nodes.is_empty() {
        return Err(no_task(&root));
    }
    Ok(answerer.made(|| graph.sorted()).await)
}

struct Read {
    query: GraphQuery,
    limit: usize,
    /// Places of nodes whose neighbours are still to be looked at.
    queue: VecDeque<usize>,
    places: HashMap<Box<str>, usize>,
    graph: Graph,
}

impl Steps for Read {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        if self.graph.nodes.is_empty() {
            let Some(task) = scheduler.shown_task(&self.query.task) else {
                return true;
            };
            let id = self.query.task.clone();
            let root = Neighbour {
                id: &id,
                task: Some(task),
            };
            self.add(root, 0);
        }
        let mut left = tasks;
        while left > 0 {
            let Some(place) = self.queue.pop_front() else {
                return true;
            };
            left = left.saturating_sub(1 + self.expand(scheduler, place) / 4);
        }
        false
    }
}

impl Read {
    fn add(&mut self, neighbour: Neighbour<'_>, depth: i64) {
        let place = self.graph.nodes.len();
        self.graph.nodes.push(Node::new(neighbour, depth));
        self.places.insert(neighbour.id.into(), place);
        self.queue.push_back(place);
    }

    /// Looks at the neighbours of a node; how many there are.
    fn expand(&mut self, scheduler: &Scheduler, place: usize) -> usize {
        let node = &self.graph.nodes[place];
        let depth = node.depth;
        let Some(task) = scheduler.shown_task(&node.id) else {
            return 0;
        };
        let is_up = depth <= 0 && self.query.direction != Direction::Down;
        let is_down = depth >= 0 && self.query.direction != Direction::Up;
        let (deps, dependants) = (task.dep_count(), task.dependant_count());
        let mut looked = 0;
        if is_up {
            let neighbours = task.first_deps(MOST_NEIGHBOURS);
            looked += neighbours.len();
            let has_more = self.go(place, depth - 1, neighbours);
            self.graph.nodes[place].more_up = has_more || deps > MOST_NEIGHBOURS;
        } else {
            self.graph.nodes[place].more_up = deps > usize::from(depth > 0);
        }
        if is_down {
            let neighbours = task.first_dependants(MOST_NEIGHBOURS);
            looked += neighbours.len();
            let has_more = self.go(place, depth + 1, neighbours);
            self.graph.nodes[place].more_down = has_more || dependants > MOST_NEIGHBOURS;
        } else {
            self.graph.nodes[place].more_down = dependants > usize::from(depth < 0);
        }
        looked
    }

    /// Adds the neighbours to one side, as far as they are wanted; whether some were left out.
    fn go(&mut self, from: usize, depth: i64, neighbours: Vec<Neighbour<'_>>) -> bool {
        let farthest = self.query.depth.unwrap_or(u64::MAX);
        let mut has_more = false;
        for neighbour in neighbours {
            let status = neighbour.task.map(|task| task.status());
            if self.query.hide_done && status == Some(Status::Done) {
                has_more = true;
                continue;
            }
            let to = match self.places.get(neighbour.id) {
                Some(&place) => place,
                None if depth.unsigned_abs() > farthest => {
                    has_more = true;
                    continue;
                }
                None if self.graph.nodes.len() >= self.limit => {
                    self.graph.cut = true;
                    has_more = true;
                    continue;
                }
                None => {
                    self.add(neighbour, depth);
                    self.graph.nodes.len() - 1
                }
            };
            self.graph
                .edges
                .push(if depth < self.graph.nodes[from].depth {
                    [from, to]
                } else {
                    [to, from]
                });
        }
        has_more
    }
}

impl Graph {
    /// Each edge once, in order.
    fn sorted(mut self) -> Self {
        self.edges.sort_unstable();
        self.edges.dedup();
        self
    }
}

impl Node {
    fn new(neighbour: Neighbour<'_>, depth: i64) -> Self {
        let task = neighbour.task;
        let family = task.map_or("", |task| task.family());
        let name = task.map(display_name);
        Self {
            id: neighbour.id.to_owned(),
            family: family.to_owned(),
            namespace: namespace(family).to_owned(),
            display_name: name.unwrap_or_else(|| cut(neighbour.id).into_owned()),
            status: task.map(|task| task.status().into()),
            depth,
            started: task.and_then(|task| task.time_running()).map(|time| time.0),
            updated: task.map(|task| task.last_updated().0),
            progress: task.and_then(|task| task.progress_percentage()),
            more_up: false,
            more_down: false,
        }
    }
}
