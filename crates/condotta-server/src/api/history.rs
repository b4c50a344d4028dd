//! `history` and `durations`: how long things take and how many ended how, by family and day.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{extract::State, response::Response};
use condotta_history::{Durations as Kept, Outcome as KeptOutcome};
use condotta_scheduler::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    attempts::{Outcome, failed, history},
    input::{Name, Query},
};
use crate::http::{Server, error::HttpError};

/// For how many days it is looked back, if nobody says it.
const USUAL_DAYS: u64 = 30;
/// The most days.
const MOST_DAYS: u64 = 3660;
/// The most days of which hours are told apart.
const MOST_DAYS_OF_HOURS: u64 = 14;
const SECS_PER_DAY: f64 = 86_400.0;

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(of_task))
        .routes(routes!(of_family))
        .routes(routes!(families))
        .routes(routes!(counts))
}

/// How far to look back.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// How many days to look back; 30 if it is not said.
    #[param(minimum = 1, maximum = 3660)]
    days: Option<u64>,
}

/// What to count.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct CountsQuery {
    /// How many days to look back; 30 if it is not said, 1 where hours are counted.
    #[param(minimum = 1, maximum = 3660)]
    days: Option<u64>,
    /// Only attempts of tasks of this family.
    family: Option<String>,
    /// Days if it is not said. Hours can be told of two weeks at most.
    by: Option<By>,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// Days of UTC.
    #[default]
    Day,
    /// Hours.
    Hour,
}

/// How long attempts took that succeeded, in seconds. Percentiles of families are at most 8% too long,
/// those of tasks exact.
#[derive(Serialize, ToSchema)]
struct Durations {
    /// How many there were.
    count: u64,
    /// What half of them did not exceed.
    median: Option<f64>,
    /// What nine of ten did not exceed.
    p90: Option<f64>,
    /// What 95 of a hundred did not exceed.
    p95: Option<f64>,
    /// The longest.
    max: Option<f64>,
    /// All of them together.
    total: f64,
    /// The same of each day of UTC on which some ended.
    days: Vec<Day>,
}

/// How long attempts took that ended on a day.
#[derive(Serialize, ToSchema)]
struct Day {
    /// When the day began.
    began: f64,
    /// How many there were.
    count: u64,
    /// What half of them did not exceed, in seconds.
    median: Option<f64>,
    /// What 95 of a hundred did not exceed, in seconds.
    p95: Option<f64>,
    /// The longest, in seconds.
    max: Option<f64>,
}

impl From<Kept> for Durations {
    fn from(kept: Kept) -> Self {
        let days = kept.days.into_iter().map(|day| Day {
            began: start_of(day.day, SECS_PER_DAY),
            count: day.count,
            median: day.median,
            p95: day.p95,
            max: day.max,
        });
        Self {
            count: kept.count,
            median: kept.median,
            p90: kept.p90,
            p95: kept.p95,
            max: kept.max,
            total: kept.total,
            days: days.collect(),
        }
    }
}

/// All families of which attempts ended.
#[derive(Serialize, ToSchema)]
struct FamilyHistories {
    /// The families, by name.
    items: Vec<FamilyHistory>,
}

/// What became of a family's attempts.
#[derive(Serialize, ToSchema)]
struct FamilyHistory {
    /// The family.
    family: String,
    /// How many ended how.
    outcomes: BTreeMap<Outcome, u64>,
    /// How long those took that succeeded; without the days.
    durations: Durations,
}

/// How many attempts ended how, and when.
#[derive(Serialize, ToSchema)]
struct HistoryCounts {
    /// In order; those in which none ended are left out.
    items: Vec<Period>,
}

/// A day or an hour.
#[derive(Serialize, ToSchema)]
struct Period {
    /// When it began.
    began: f64,
    /// How many ended how.
    outcomes: BTreeMap<Outcome, u64>,
}

/// How long a task usually takes: its attempts that succeeded.
#[utoipa::path(
    get, path = "/tasks/{id}/durations", tag = "history",
    params(("id" = String, Path, description = "The task's id"), DaysQuery),
    responses((status = 200, body = Durations))
)]
async fn of_task(
    State(server): State<Server>,
    Name(task_id): Name,
    Query(query): Query<DaysQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let since = since(query.days, USUAL_DAYS, MOST_DAYS)?;
    let kept = history(&server)?.task_durations(&task_id, since).await;
    Ok(answerer.small(&Durations::from(kept.map_err(failed)?)))
}

/// How long tasks of a family usually take: their attempts that succeeded.
#[utoipa::path(
    get, path = "/families/{family}/durations", tag = "history",
    params(("family" = String, Path, description = "The family"), DaysQuery),
    responses((status = 200, body = Durations))
)]
async fn of_family(
    State(server): State<Server>,
    Name(family): Name,
    Query(query): Query<DaysQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let since = since(query.days, USUAL_DAYS, MOST_DAYS)?;
    let kept = history(&server)?.family_durations(&family, since).await;
    Ok(answerer.large(Durations::from(kept.map_err(failed)?)).await)
}

/// What became of the attempts of each family, and how long they took.
#[utoipa::path(get, path = "/history/families", tag = "history", params(DaysQuery), responses((status = 200, body = FamilyHistories)))]
async fn families(
    State(server): State<Server>,
    Query(query): Query<DaysQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let since = since(query.days, USUAL_DAYS, MOST_DAYS)?;
    let kept = history(&server)?.families(since).await.map_err(failed)?;
    let items = kept.into_iter().map(|family| FamilyHistory {
        family: family.family,
        outcomes: outcomes(family.outcomes),
        durations: family.durations.into(),
    });
    let families = FamilyHistories {
        items: items.collect(),
    };
    Ok(answerer.large(families).await)
}

/// How many attempts ended how on each day, or in each hour.
#[utoipa::path(get, path = "/history/counts", tag = "history", params(CountsQuery), responses((status = 200, body = HistoryCounts)))]
async fn counts(
    State(server): State<Server>,
    Query(query): Query<CountsQuery>,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let (history, family) = (history(&server)?, query.family.as_deref());
    let (counted, secs) = match query.by.unwrap_or_default() {
        By::Day => {
            let since = since(query.days, USUAL_DAYS, MOST_DAYS)?;
            (history.counts_by_day(family, since).await, SECS_PER_DAY)
        }
        By::Hour => {
            let since = since(query.days, 1, MOST_DAYS_OF_HOURS)?;
            (history.counts_by_hour(family, since).await, 3600.0)
        }
    };
    let periods = counted.map_err(failed)?.by_time.into_iter();
    let items = periods.map(|(number, of_period)| Period {
        began: start_of(number, secs),
        outcomes: outcomes(of_period),
    });
    let counts = HistoryCounts {
        items: items.collect(),
    };
    Ok(answerer.large(counts).await)
}

fn outcomes(kept: BTreeMap<KeptOutcome, u64>) -> BTreeMap<Outcome, u64> {
    kept.into_iter()
        .map(|(outcome, count)| (Outcome(outcome), count))
        .collect()
}

/// The moment so many days ago.
#[expect(clippy::cast_precision_loss, reason = "a few thousand days")]
fn since(days: Option<u64>, usual: u64, most: u64) -> Result<Timestamp, HttpError> {
    let days = days.unwrap_or(usual);
    if !(1..=most).contains(&days) {
        let message =
            format!("the parameter `days` is {days}: give a whole number from 1 to {most}");
        return Err(HttpError::bad_request("bad_parameter", message));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs_f64();
    Ok(Timestamp(now - days as f64 * SECS_PER_DAY))
}

#[expect(clippy::cast_precision_loss, reason = "days or hours since 1970")]
fn start_of(number: i64, secs: f64) -> f64 {
    number as f64 * secs
}
