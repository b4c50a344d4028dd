//! `tasks`: a page of a filtered, sorted list, with how many there are.
//!
//! Two reads in steps: the first goes along all tasks and keeps the places of those on the page, the
//! second copies these. Between the two a task may change or go: then the row shows it as it is, or
//! there is a row less.

use axum::{extract::State, response::Response};
use condotta_scheduler::{Now, Scheduler, Seen, ShownTask, TaskWalk};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    filter::{Filter, TasksQuery},
    order::{First, Sort},
};
use crate::{
    api::{
        answer::Answerer,
        input::Query,
        page,
        shapes::{Counts, TaskRow},
    },
    driver::Steps,
    http::{Server, error::HttpError},
};

/// A page of tasks.
#[derive(Serialize, ToSchema)]
struct TaskPage {
    /// The tasks on this page.
    items: Vec<TaskRow>,
    /// How many tasks there are on all pages.
    total: u64,
    /// How many tasks of each status there would be, were the status not said.
    counts: Counts,
    /// Where the next page begins, for `after`; nothing after the last page.
    next: Option<String>,
}

/// Tasks, filtered, sorted and in pages.
///
/// Go from page to page with `after`, which neither repeats nor misses a task that stays; jump with
/// `offset`.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(TasksQuery), responses((status = 200, body = TaskPage)))]
pub(super) async fn tasks(
    State(server): State<Server>,
    Query(query): Query<TasksQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let limit = page::limit(query.limit)?;
    let offset = page::offset(query.offset)?;
    let sort = query.sort.unwrap_or(Sort::UpdatedDown);
    // One more than are shown, to know whether that was all.
    let first = First::new(sort, query.after.as_deref(), offset + limit + 1)?;
    let scan = TaskScan::new(Filter::new(query)?, first);
    let scan = server.handle.read(scan).await?;
    let (counts, total) = (scan.counts, scan.total);
    let sort = move || scan.first.into_page(offset, limit);
    let (ids, next) = server.work.run(offset > 10_000, sort).await;
    let rows = server.handle.read(Rows::new(ids)).await?;
    let page = TaskPage {
        items: rows.items,
        total,
        counts,
        next,
    };
    Ok(answerer.large(page).await)
}

/// Goes along all tasks, counts those that a filter takes and keeps the places of the first.
pub(crate) struct TaskScan {
    walk: TaskWalk,
    filter: Filter,
    /// The first of the tasks.
    pub(crate) first: First,
    /// By status, whatever statuses are asked for.
    counts: Counts,
    /// How many tasks there are.
    pub(crate) total: u64,
}

impl TaskScan {
    pub(crate) fn new(filter: Filter, first: First) -> Self {
        Self {
            walk: TaskWalk::all(),
            filter,
            first,
            counts: Counts::default(),
            total: 0,
        }
    }

    fn see(&mut self, task: ShownTask<'_>, upstream: Option<&str>) -> Seen {
        let filter = &self.filter;
        let cost = filter.cost(task);
        if !filter.takes(task) {
            return cost;
        }
        if filter.wants_upstream() {
            if !task.is_waiting() {
                return cost;
            }
            let Some(upstream) = upstream else {
                return Seen::NeedsUpstream;
            };
            if !filter.takes_upstream(Some(upstream)) {
                return cost;
            }
        }
        self.counts.add(task.status(), 1);
        if filter.takes_status(task) {
            self.total += 1;
            self.first.add(task);
        }
        cost
    }
}

impl Steps for TaskScan {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let mut walk = std::mem::replace(&mut self.walk, TaskWalk::all());
        let is_over = walk.step(scheduler, tasks, &mut |task, upstream| {
            self.see(task, upstream)
        });
        self.walk = walk;
        is_over
    }
}

/// Copies tasks, each with its upstream status.
pub(crate) struct Rows {
    walk: TaskWalk,
    /// The copies.
    pub(crate) items: Vec<TaskRow>,
}

impl Rows {
    pub(crate) fn new(ids: Vec<String>) -> Self {
        Self {
            walk: TaskWalk::along(ids),
            items: Vec::new(),
        }
    }
}

impl Steps for Rows {
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        let items = &mut self.items;
        self.walk.step(scheduler, tasks, &mut |task, upstream| {
            if task.is_waiting() && upstream.is_none() {
                return Seen::NeedsUpstream;
            }
            items.push(TaskRow::new(task, upstream, now));
            Seen::Copied(task.params().count())
        })
    }
}
