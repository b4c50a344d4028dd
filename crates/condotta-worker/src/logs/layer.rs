//! Records of the log that are said within a run, on whatever thread.
//!
//! A run has a span; whoever goes on with it on another thread takes the span along, as is usual with
//! `tracing`. What is printed on a thread cannot be told apart from what others print.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Level, Span, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::RunLog;

/// The field that says which run a span is of.
const FIELD: &str = "condotta_run";

/// The logs of runs whose span was made a moment ago. A span carries numbers and texts only.
static NEW: LazyLock<Mutex<HashMap<u64, RunLog>>> = LazyLock::new(Mutex::default);
static LAST: AtomicU64 = AtomicU64::new(0);

/// Hands records that are said within the [span of a run](run_span) to the run's log.
///
/// `condotta::run` sets it up. A program with a subscriber of its own adds it there.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunLayer;

/// The span within which records belong to this run.
#[must_use]
pub fn run_span(log: &RunLog) -> Span {
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    new().insert(number, log.clone());
    let span = tracing::error_span!(target: "luigi-interface", "task", condotta_run = number);
    new().remove(&number);
    span
}

fn new() -> MutexGuard<'static, HashMap<u64, RunLog>> {
    NEW.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RunLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().fields().field(FIELD).is_none() {
            return;
        }
        let mut number = Number(None);
        attributes.record(&mut number);
        let log = number.0.and_then(|number| new().get(&number).cloned());
        if let (Some(log), Some(span)) = (log, context.span(id)) {
            span.extensions_mut().insert(log);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(scope) = context.event_scope(event) else {
            return;
        };
        for span in scope {
            let log = span.extensions().get::<RunLog>().cloned();
            if let Some(log) = log {
                let mut text = Text::default();
                event.record(&mut text);
                let metadata = event.metadata();
                let logger = metadata.target().replace("::", ".");
                log.record(
                    level(*metadata.level()),
                    &logger,
                    &(text.message + &text.fields),
                );
                return;
            }
        }
    }
}

/// In Python's numbers.
fn level(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

struct Number(Option<u64>);

impl Visit for Number {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == FIELD {
            self.0 = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The text of an event: its message, then its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => _ = write!(self.fields, " {name}={value}"),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => _ = write!(self.message, "{value:?}"),
            name => _ = write!(self.fields, " {name}={value:?}"),
        }
    }
}
