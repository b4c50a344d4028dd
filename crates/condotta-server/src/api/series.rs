//! `counts/series`: how many tasks there were of each status over the last hour and day, sampled since the
//! server runs. Kept in memory, within bounds: it is for people who look, and begins anew with the server.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{extract::State, response::Response};
use condotta_scheduler::Scheduler;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{answer::Answerer, input::Query, shapes::Counts};
use crate::{clock::wall_secs, driver::Handle, http::Server};

/// Between two samples of the last hour.
const EVERY: Duration = Duration::from_secs(5);
/// How many of them there are.
const SAMPLES: usize = 720;
/// The first of so many of them is kept for a day; as many are kept of those.
const THINNED: usize = 24;
/// How long it is until the scheduler is asked again when it did not answer.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(series))
}

/// How far to look back.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// The last hour if it is not said.
    span: Span,
}

/// How far to look back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Span {
    /// The last hour.
    #[default]
    Hour,
    /// The last day, with fewer samples.
    Day,
}

/// How many tasks there were of each status.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CountsSeries {
    /// How many seconds there are between two samples.
    every: u64,
    /// The samples, oldest first. None are older than the server's start.
    samples: Vec<CountsSample>,
}

/// How many tasks there were of each status at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
struct CountsSample {
    /// When that was.
    at: f64,
    /// The tasks by status.
    counts: Counts,
}

/// The samples that are kept. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Series {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    hour: VecDeque<CountsSample>,
    day: VecDeque<CountsSample>,
    /// How many samples were taken.
    taken: usize,
}

impl Series {
    /// Takes samples of what `handle` leads to, until it is dropped.
    pub(crate) async fn run(self, handle: Handle) {
        loop {
            let look = handle.look(|scheduler: &Scheduler, _| Counts::of(scheduler));
            let wait = match look.await {
                Ok(counts) => {
                    let at = wall_secs();
                    self.kept().take(CountsSample { at, counts });
                    EVERY
                }
                // It is not there yet, or not any more.
                Err(_) => AGAIN,
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, sample: CountsSample) {
        push(&mut self.hour, sample);
        if self.taken.is_multiple_of(THINNED) {
            push(&mut self.day, sample);
        }
        self.taken += 1;
    }

    fn of(&self, span: Span) -> CountsSeries {
        let (samples, thinned) = match span {
            Span::Hour => (&self.hour, 1),
            Span::Day => (&self.day, THINNED as u64),
        };
        CountsSeries {
            every: EVERY.as_secs() * thinned,
            samples: samples.iter().copied().collect(),
        }
    }
}

fn push(samples: &mut VecDeque<CountsSample>, sample: CountsSample) {
    if samples.len() == SAMPLES {
        samples.pop_front();
    }
    samples.push_back(sample);
}

/// How many tasks there were of each status over the last hour or day, since the server runs.
#[utoipa::path(get, path = "/counts/series", tag = "tasks", params(SeriesQuery), responses((status = 200, body = CountsSeries)))]
async fn series(
    State(server): State<Server>,
    Query(query): Query<SeriesQuery>,
    answerer: Answerer,
) -> Response {
    let series = server.series.kept().of(query.span);
    answerer.large(series).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
    fn no_more_samples_are_kept_than_a_day_has() {
        let mut kept = Kept::default();
        let (day, more) = (SAMPLES * THINNED, 100);
        for number in 0..day + more {
            let at = number as f64;
            let counts = Counts::default();
            kept.take(CountsSample { at, counts });
        }
        let (hour, long) = (kept.of(Span::Hour), kept.of(Span::Day));
        assert_eq!((hour.samples.len(), long.samples.len()), (SAMPLES, SAMPLES));
        assert_eq!((hour.every, long.every), (5, 120));
        assert_eq!(hour.samples[SAMPLES - 1].at, (day + more - 1) as f64);
        let steps: Vec<f64> = long
            .samples
            .windows(2)
            .map(|pair| pair[1].at - pair[0].at)
            .collect();
        assert_eq!(steps, vec![THINNED as f64; SAMPLES - 1]);
    }
}
