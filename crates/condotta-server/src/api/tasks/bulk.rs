//! One action on many tasks: on those of a list of ids, or on those that a filter takes.
//!
//! They are done in portions, each of which is durable before the next begins, so that workers are
//! answered in between.

use axum::{extract::State, response::Response};
use condotta_scheduler::{Now, Scheduler};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    actions::{Action, ActionOutcome},
    filter::{Filter, TasksQuery},
    list::TaskScan,
    order::{First, Sort},
};
use crate::{
    access::Operator,
    api::{
        answer::Answerer,
        input::{Json, read_query},
    },
    audit::Deed,
    http::{Server, error::HttpError},
};

/// The most ids in a list.
const MOST_IDS: usize = 1000;
/// The most tasks that a filter may take, and how many it takes if nobody says so.
const MOST_FILTERED: u64 = 10_000;
const USUAL_FILTERED: u64 = 1000;
/// How many tasks are done between two requests of workers.
const PORTION: usize = 100;
/// How many outcomes are told one by one.
const MOST_OUTCOMES: usize = 1000;
/// Why nothing changed, where nothing was found.
const NO_TASK: &str = "there is no such task";

/// An action on many tasks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    /// What is done to each.
    action: Action,
    /// The ids of the tasks, at most 1000; or else a filter.
    #[schema(max_items = 1000)]
    tasks: Option<Vec<String>>,
    /// Which tasks, as the query of `tasks` says it: `status=FAILED&family=Load`. It has to say
    /// something; order and pages have no place in it.
    filter: Option<String>,
    /// How many tasks a filter takes at most; 1000 if it is not said.
    #[schema(minimum = 1, maximum = 10_000)]
    most: Option<u64>,
}

/// What became of many tasks.
#[derive(Default, Serialize, ToSchema)]
struct BulkOutcome {
    /// How many tasks were asked for, or fit the filter.
    matched: u64,
    /// How many of them changed.
    changed: u64,
    /// How many of them were found and stayed as they were.
    unchanged: u64,
    /// How many of them are not known, or went meanwhile.
    unknown: u64,
    /// How many fit the filter and were left for another time, because they are too many.
    left: u64,
    /// What became of each, of the first 1000.
    outcomes: Vec<ActionOutcome>,
}

/// Does one thing to many tasks. For operators.
///
/// What is stored of it before a failure stays; the same request may then be sent again.
#[utoipa::path(post, path = "/tasks/actions", tag = "tasks", request_body = Bulk, responses((status = 200, body = BulkOutcome)))]
pub(super) async fn bulk(
    State(server): State<Server>,
    operator: Operator,
    answerer: Answerer,
    Json(asked): Json<Bulk>,
) -> Result<Response, HttpError> {
    let most = asked.most.unwrap_or(USUAL_FILTERED);
    if !(1..=MOST_FILTERED).contains(&most) {
        let message = format!("`most` is {most}: give a whole number from 1 to {MOST_FILTERED}");
        return Err(HttpError::bad_request("bad_body", message));
    }
    let filter = asked.filter.clone();
    let (ids, matched) = match (asked.tasks, asked.filter) {
        (Some(ids), None) if ids.len() <= MOST_IDS => {
            let count = ids.len() as u64;
            (ids, count)
        }
        (Some(ids), None) => {
            let message = format!(
                "`tasks` names {} tasks, and {MOST_IDS} are the most at once",
                ids.len()
            );
            return Err(HttpError::bad_request("bad_body", message));
        }
        (None, Some(filter)) => filtered(&server, &filter, most).await?,
        _ => {
            let message = "say which tasks: either their ids in `tasks`, or a `filter`";
            return Err(HttpError::bad_request("bad_body", message));
        }
    };
    let mut all = BulkOutcome {
        matched,
        left: matched - ids.len() as u64,
        ..BulkOutcome::default()
    };
    let mut done = Ok(());
    for portion in ids.chunks(PORTION) {
        done = put(&server, asked.action, portion.to_vec(), &mut all).await;
        if done.is_err() {
            break;
        }
    }
    // What is done before a failure stays.
    let deed = Deed::new(asked.action.operation());
    let deed = match (&ids[..], &filter, all.outcomes.first()) {
        _ if done.is_err() => deed.with(json!({
            "matched": matched, "changed": all.changed, "filter": filter, "tasks": ids,
            "outcome": "failed",
        })),
        ([one], None, Some(outcome)) => outcome.noted(deed.on(one)),
        ([one], None, None) => deed.on(one).unless_unchanged(Some(NO_TASK)),
        (_, _, first) => {
            let details = json!({
                "matched": matched, "changed": all.changed, "filter": filter, "tasks": ids,
            });
            let why = match first {
                // There are too many reasons for an entry: the first is there for all.
                Some(outcome) => outcome.note.as_deref().unwrap_or_default(),
                None => NO_TASK,
            };
            deed.with(details)
                .unless_unchanged((all.changed == 0).then_some(why))
        }
    };
    operator.did(&server, deed).await;
    done?;
    Ok(answerer.large(all).await)
}

/// The first of the tasks that fit a filter, and how many those are.
async fn filtered(
    server: &Server,
    filter: &str,
    most: u64,
) -> Result<(Vec<String>, u64), HttpError> {
    let query: TasksQuery = read_query(filter)?;
    if filter.trim().is_empty() || query.has_page() {
        let message = "`filter` says which tasks, as in `status=FAILED&family=Load`, and nothing of order and pages";
        return Err(HttpError::bad_request("bad_body", message));
    }
    let most = usize::try_from(most).expect("at most 10000");
    let first = First::new(Sort::Id, None, most)?;
    let scan = server
        .handle
        .read(TaskScan::new(Filter::new(query)?, first))
        .await?;
    let total = scan.total;
    let (ids, _) = scan.first.into_page(0, most);
    Ok((ids, total))
}

async fn put(
    server: &Server,
    action: Action,
    ids: Vec<String>,
    all: &mut BulkOutcome,
) -> Result<(), HttpError> {
    let (told, hear) = std::sync::mpsc::channel();
    let asked = ids.len() as u64;
    let act = move |scheduler: &mut Scheduler, now: Now| {
        for id in &ids {
            if let Some(outcome) = action.apply(scheduler, now, id)? {
                let _ = told.send(outcome);
            }
        }
        Ok(serde_json::Value::Null)
    };
    server
        .handle
        .act("an operator's action on many tasks", act)
        .await?;
    let mut known = 0;
    for outcome in hear.try_iter() {
        known += 1;
        *(if outcome.changed {
            &mut all.changed
        } else {
            &mut all.unchanged
        }) += 1;
        if all.outcomes.len() < MOST_OUTCOMES {
            all.outcomes.push(outcome);
        }
    }
    all.unknown += asked - known;
    Ok(())
}
