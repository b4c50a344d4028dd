//! `attempts`: what ran when, on which worker, and how it ended, out of the history.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use condotta_history::{Attempt, Filter, Found, History, HistoryError, Page};
use condotta_scheduler::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Name, Query},
    page,
};
use crate::{
    access::{Caller, Role},
    attempt_id::AttemptId,
    http::{Server, error::HttpError},
};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(attempts))
        .routes(routes!(attempt))
        .routes(routes!(of_task))
}

/// How an attempt ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outcome(pub(super) condotta_history::Outcome);

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = condotta_history::Outcome::from_name(&name);
        known.map(Self).ok_or_else(|| {
            let names = condotta_history::Outcome::ALL.map(condotta_history::Outcome::name);
            de::Error::custom(format!(
                "there is no such outcome; there are {}",
                names.join(", ")
            ))
        })
    }
}

impl PartialSchema for Outcome {
    fn schema() -> RefOr<Schema> {
        let names = condotta_history::Outcome::ALL.map(condotta_history::Outcome::name);
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(names))
            .description(Some("How an attempt ended, or that it has not."));
        schema.into()
    }
}

impl ToSchema for Outcome {}

/// Which attempts, and which page of them.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct AttemptsQuery {
    /// Only attempts of this task.
    task: Option<String>,
    /// Only attempts of tasks of this family.
    family: Option<String>,
    /// Only attempts that this worker ran.
    worker: Option<String>,
    /// Only attempts that ended so.
    outcome: Vec<Outcome>,
    /// Only attempts of tasks with these values of parameters, each as `name=value`.
    param: Vec<String>,
    /// Only attempts that began then or later.
    since: Option<f64>,
    /// Only attempts that began before that.
    until: Option<f64>,
    /// The most attempts in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Goes on after a page: the `next` of its answer.
    after: Option<String>,
}

/// Which page of a task's attempts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// The most attempts in the answer; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Goes on after a page: the `next` of its answer.
    after: Option<String>,
}

/// A page of attempts, newest first.
#[derive(Serialize, ToSchema)]
struct AttemptPage {
    /// The attempts on this page.
    items: Vec<AttemptRow>,
    /// Where the next page begins, for `after`; nothing after the last page.
    next: Option<String>,
}

/// An attempt.
#[derive(Serialize, ToSchema)]
struct AttemptRow {
    /// Its name.
    id: String,
    /// The task.
    task_id: String,
    /// The task's family.
    family: String,
    /// Where the task's code is.
    module: Option<String>,
    /// The task's public parameters.
    params: BTreeMap<String, String>,
    /// The task's hidden parameters, for operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_params: Option<BTreeMap<String, String>>,
    /// The number of the attempt among those of the task.
    attempt: u64,
    /// The worker that ran it.
    worker: Option<String>,
    /// That worker's host.
    host: Option<String>,
    /// When the task was announced first.
    scheduled: Option<f64>,
    /// Since when nothing but resources and workers kept it from running.
    ready: Option<f64>,
    /// When it began.
    began: f64,
    /// When it ended, if it has and that is known.
    ended: Option<f64>,
    /// How it ended.
    outcome: Outcome,
    /// How long it took, in seconds.
    secs: Option<f64>,
    /// How long it waited for resources and a worker, in seconds.
    waited_secs: Option<f64>,
    /// What the worker said of its failure.
    error: Option<String>,
    /// What the worker measured.
    #[schema(value_type = Option<Object>)]
    statistics: Option<Value>,
    /// The task's priority.
    priority: f64,
    /// What the run took of each resource.
    resources: BTreeMap<String, u64>,
    /// The batch in which it ran.
    batch_id: Option<String>,
    /// Where what it printed is, if that is kept.
    log: String,
}

impl AttemptRow {
    fn new(attempt: Attempt, caller: &Caller) -> Self {
        let (secs, waited_secs) = (attempt.secs(), attempt.waited_secs());
        let is_operator = caller.require(Role::Operator).is_ok();
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        let Attempt {
            id,
            began,
            ended,
            outcome,
            error,
            statistics,
        } = attempt;
        Self {
            log: format!("{}/attempts/{id}/log", super::PREFIX),
            id: id.to_string(),
            task_id: began.task_id,
            family: began.family.to_string(),
            module: text(began.module),
            params: began.params.into_iter().collect(),
            hidden_params: is_operator.then(|| began.hidden_params.into_iter().collect()),
            attempt: began.attempt,
            worker: text(began.worker),
            host: text(began.host),
            scheduled: began.scheduled.map(|time| time.0),
            ready: began.ready.map(|time| time.0),
            began: began.began.0,
            ended: ended.map(|time| time.0),
            outcome: Outcome(outcome),
            secs,
            waited_secs,
            error,
            // What is no JSON is shown as the text that it is.
            statistics: statistics
                .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            priority: began.priority,
            resources: began.resources,
            batch_id: began.batch_id,
        }
    }
}

/// Attempts, newest first, in pages.
///
/// Go from page to page with `after`, which neither repeats nor misses an attempt. Where much has to be looked
/// through, as for parameters, a page may have fewer than `limit` although there are more.
#[utoipa::path(get, path = "/attempts", tag = "history", params(AttemptsQuery), responses((status = 200, body = AttemptPage)))]
async fn attempts(
    State(server): State<Server>,
    caller: Caller,
    Query(query): Query<AttemptsQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let params = query.param.iter().map(|param| {
        let (name, value) = param.split_once('=').ok_or_else(|| {
            let message = "the parameter `param` in the query is no `name=value`";
            HttpError::bad_request("bad_parameter", message)
        })?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let filter = Filter {
        params: params.collect::<Result<_, HttpError>>()?,
        task_id: query.task,
        family: query.family,
        worker: query.worker,
        outcomes: query.outcome.iter().map(|outcome| outcome.0).collect(),
        since: query.since.map(Timestamp),
        until: query.until.map(Timestamp),
    };
    let page = the_page(query.limit, query.after.as_deref())?;
    answer(&server, &caller, &filter, page, answerer).await
}

/// An attempt.
#[utoipa::path(
    get, path = "/attempts/{id}", tag = "history",
    params(("id" = String, Path, description = "The attempt's name")),
    responses((status = 200, body = AttemptRow))
)]
async fn attempt(
    State(server): State<Server>,
    caller: Caller,
    Name(name): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let id = attempt_id("path", &name)?;
    let found = history(&server)?.attempt(&id).await.map_err(failed)?;
    let attempt = found.ok_or_else(|| {
        HttpError::not_found(format!(
            "the history has no attempt {id}: there was none, or it is older than what is kept"
        ))
    })?;
    Ok(answerer.small(&AttemptRow::new(attempt, &caller)))
}

/// A task's attempts, newest first, in pages.
#[utoipa::path(
    get, path = "/tasks/{id}/attempts", tag = "history",
    params(("id" = String, Path, description = "The task's id"), PageQuery),
    responses((status = 200, body = AttemptPage))
)]
async fn of_task(
    State(server): State<Server>,
    caller: Caller,
    Name(task_id): Name,
    Query(query): Query<PageQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let filter = Filter {
        task_id: Some(task_id),
        ..Filter::default()
    };
    let page = the_page(query.limit, query.after.as_deref())?;
    answer(&server, &caller, &filter, page, answerer).await
}

async fn answer(
    server: &Server,
    caller: &Caller,
    filter: &Filter,
    page: Page,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let limit = page.limit as usize;
    // One more than are shown, to know whether that was all.
    let asked = Page {
        limit: page.limit + 1,
        ..page
    };
    let found = history(server)?.attempts(filter, &asked).await;
    let Found {
        mut attempts,
        goes_on_after,
    } = found.map_err(failed)?;
    let has_more = attempts.len() > limit;
    attempts.truncate(limit);
    let last = attempts.last().filter(|_| has_more);
    let next = last.map(|attempt| attempt.id).or(goes_on_after);
    let next = next.map(|id| id.to_string());
    let rows = attempts
        .into_iter()
        .map(|attempt| AttemptRow::new(attempt, caller));
    let page = AttemptPage {
        items: rows.collect(),
        next,
    };
    Ok(answerer.large(page).await)
}

fn the_page(limit: Option<u64>, after: Option<&str>) -> Result<Page, HttpError> {
    Ok(Page {
        limit: u32::try_from(page::limit(limit)?).expect("at most 1000"),
        after: after.map(|after| attempt_id("after", after)).transpose()?,
    })
}

fn attempt_id(place: &str, text: &str) -> Result<AttemptId, HttpError> {
    text.parse().map_err(|error| {
        let message = format!("the parameter `{place}`: {error}");
        HttpError::bad_request("bad_parameter", message)
    })
}

/// The history, if one is kept.
pub(super) fn history(server: &Server) -> Result<&History, HttpError> {
    server.history.as_ref().ok_or_else(|| {
        HttpError::not_found(
            "this scheduler keeps no history: set [history] enabled to true and start it anew",
        )
    })
}

/// The history is not to be had, or not now.
pub(super) fn failed(error: HistoryError) -> HttpError {
    HttpError::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "no_history_now",
        format!("{error}; ask again when its database is there"),
    )
}
