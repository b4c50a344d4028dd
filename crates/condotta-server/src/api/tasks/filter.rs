//! Which tasks are asked for, as the query of `tasks` says it.

use condotta_scheduler::{Seen, ShownTask, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::order::Sort;
use crate::{
    api::shapes::{TaskStatus, UpstreamStatus, namespace},
    http::error::HttpError,
};

/// Which tasks, in which order, and which page of them.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TasksQuery {
    /// Only tasks of these statuses.
    pub(crate) status: Vec<TaskStatus>,
    /// Only pending tasks that wait for these at worst.
    pub(crate) upstream_status: Vec<UpstreamStatus>,
    /// Only tasks of these families.
    pub(crate) family: Vec<String>,
    /// Only tasks whose family is in these namespaces; empty for those in none.
    pub(crate) namespace: Vec<String>,
    /// Only tasks with these values of public parameters, each as `name=value`.
    pub(crate) param: Vec<String>,
    /// Only tasks that one of these workers can run, runs or ran last.
    pub(crate) worker: Vec<String>,
    /// Only tasks that need one of these resources.
    pub(crate) resource: Vec<String>,
    /// Only tasks that others depend on, or with `false` only those that no other depends on.
    pub(crate) needed: Option<bool>,
    /// Only tasks whose id or display name contains each of these words, whatever their case.
    pub(crate) search: Option<String>,
    /// Only tasks whose status changed then or later.
    pub(crate) updated_since: Option<f64>,
    /// Only tasks whose status changed before that.
    pub(crate) updated_until: Option<f64>,
    /// Only tasks that were last handed out then or later.
    pub(crate) started_since: Option<f64>,
    /// Only tasks that were last handed out before that.
    pub(crate) started_until: Option<f64>,
    /// By what the tasks are sorted; by `-updated` if it is not said. A minus turns the order round.
    pub(crate) sort: Option<Sort>,
    /// The most tasks in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u64>,
    /// How many tasks are left out before those, to jump to a place in the list.
    #[param(maximum = 10_000_000)]
    pub(crate) offset: Option<u64>,
    /// Goes on after a page: the `next` of its answer.
    pub(crate) after: Option<String>,
}

impl TasksQuery {
    /// Whether it says anything of order and pages.
    pub(crate) fn has_page(&self) -> bool {
        let page = [self.limit, self.offset].iter().any(Option::is_some);
        page || self.sort.is_some() || self.after.is_some()
    }
}

/// A filter that is ready to be used.
pub(crate) struct Filter {
    query: TasksQuery,
    params: Vec<(String, String)>,
    terms: Vec<String>,
}

impl Filter {
    /// # Errors
    ///
    /// When a part of the query makes no sense.
    pub(crate) fn new(query: TasksQuery) -> Result<Self, HttpError> {
        let params = query.param.iter().map(|param| {
            let (name, value) = param.split_once('=').ok_or_else(|| {
                let message = "the parameter `param` in the query is no `name=value`";
                HttpError::bad_request("bad_parameter", message)
            })?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let params = params.collect::<Result<_, HttpError>>()?;
        let search = query.search.as_deref().unwrap_or_default();
        let terms = search.split_whitespace().map(str::to_lowercase).collect();
        Ok(Self {
            query,
            params,
            terms,
        })
    }

    /// Whether the upstream status decides.
    pub(crate) fn wants_upstream(&self) -> bool {
        !self.query.upstream_status.is_empty()
    }

    /// Whether the task's status is asked for.
    pub(crate) fn takes_status(&self, task: ShownTask<'_>) -> bool {
        is_any(&self.query.status, |wanted| *wanted == task.status().into())
    }

    /// Whether all the rest of what is asked for holds, but for the upstream status.
    pub(crate) fn takes(&self, task: ShownTask<'_>) -> bool {
        let query = &self.query;
        let family = task.family();
        is_any(&query.family, |wanted| wanted == family)
            && is_any(&query.namespace, |wanted| wanted == namespace(family))
            && is_within(
                Some(task.last_updated()),
                query.updated_since,
                query.updated_until,
            )
            && is_within(
                task.time_running(),
                query.started_since,
                query.started_until,
            )
            && self.params.iter().all(|wanted| {
                task.params()
                    .any(|(name, value)| name == wanted.0 && value == wanted.1)
            })
            && is_any(&query.resource, |wanted| {
                task.resources().contains_key(wanted)
            })
            && is_any(&query.worker, |wanted| {
                task.worker_running() == Some(wanted)
                    || task.workers().any(|worker| worker == wanted)
            })
            && query
                .needed
                .is_none_or(|needed| needed == (task.dependant_count() > 0))
            && self.contains_terms(task)
    }

    /// Whether the upstream status, found meanwhile, is asked for.
    pub(crate) fn takes_upstream(&self, upstream: Option<&str>) -> bool {
        let upstream = upstream.and_then(UpstreamStatus::named);
        is_any(&self.query.upstream_status, |wanted| {
            Some(*wanted) == upstream
        })
    }

    /// What the look at a task cost.
    pub(crate) fn cost(&self, task: ShownTask<'_>) -> Seen {
        let mut bytes = 0;
        if !self.terms.is_empty() {
            bytes += 4 * (task.params_size() + task.id().len()) + 200;
        }
        if !self.params.is_empty() {
            bytes += 60;
        }
        Seen::Looked(bytes)
    }

    fn contains_terms(&self, task: ShownTask<'_>) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let text = format!("{} {}", task.display_name(), task.id()).to_lowercase();
        self.terms.iter().all(|term| text.contains(term.as_str()))
    }
}

/// Whether nothing is wanted in particular, or one of what is wanted fits.
fn is_any<T>(wanted: &[T], fits: impl FnMut(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

fn is_within(time: Option<Timestamp>, since: Option<f64>, until: Option<f64>) -> bool {
    if since.is_none() && until.is_none() {
        return true;
    }
    time.is_some_and(|time| {
        since.is_none_or(|since| time.0 >= since) && until.is_none_or(|until| time.0 < until)
    })
}
