//! Log lines as users of Luigi know them, for everything that is said through `tracing`.
//!
//! Loggers, handlers and formats are those of Python's `logging`; a program that has set a
//! subscriber of its own keeps it. Knows nothing of what is logged.

mod dict_config;
mod file_config;
mod format;
mod plan;
mod rotating;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::{Mutex, OnceLock, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, Identity, SubscriberExt as _},
};

pub use {
    dict_config::from_config,
    file_config::from_file,
    plan::{Level, Plan},
};

/// One thing that was said.
#[derive(Debug)]
struct Record {
    level: Level,
    /// The logger's name as Python would have it.
    logger: String,
    message: String,
    file: Option<&'static str>,
    line: Option<u32>,
    time: jiff::Timestamp,
}

/// Writes to the two streams of the process; a program with a live display has its own way.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Writes to standard error.
    pub stderr: fn(&str),
    /// Writes to standard output.
    pub stdout: fn(&str),
}

impl Default for Console {
    /// There is nobody to tell that a line cannot be written.
    fn default() -> Self {
        Self {
            stderr: |text| _ = io::stderr().lock().write_all(text.as_bytes()),
            stdout: |text| _ = io::stdout().lock().write_all(text.as_bytes()),
        }
    }
}

/// Where lines go. Until the plan is known they are held back.
static PLAN: OnceLock<Plan> = OnceLock::new();
static HELD: Mutex<Vec<(Record, Console)>> = Mutex::new(Vec::new());

/// A logging configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("logging configuration {place}: {problem}")]
pub struct LoggingError {
    place: String,
    problem: String,
}

/// Holds back what is said from now on, until [`configure`]. Does nothing in a program that has
/// a subscriber.
pub fn hold_back(console: Console) {
    hold_back_with(console, Identity::new());
}

/// The same, where somebody else takes what is said, too.
pub fn hold_back_with(console: Console, beside: impl Layer<Registry> + Send + Sync) {
    if !tracing::dispatcher::has_been_set() {
        let subscriber = tracing_subscriber::registry()
            .with(beside)
            .with(Lines { console });
        // Another thread may have been faster; its subscriber is as good.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// Writes what was held back and what is said from now on. The first plan of a process stays.
pub fn configure(plan: Plan) {
    if PLAN.set(plan).is_err() {
        return;
    }
    tracing::callsite::rebuild_interest_cache();
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = PLAN.get().expect("it was set above");
    for (record, console) in held.drain(..) {
        if record.level >= plan.level(&record.logger) {
            plan.write(&record, console);
        }
    }
}

/// The layer that turns events into lines.
struct Lines {
    console: Console,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match PLAN.get() {
            None => Interest::sometimes(),
            Some(plan) if is_wanted(plan, metadata) => Interest::always(),
            Some(_) => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        match PLAN.get() {
            // What is below has no reader in any usual configuration.
            None => *metadata.level() <= tracing::Level::DEBUG,
            Some(plan) => is_wanted(plan, metadata),
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        let record = Record {
            level: Level::of(*metadata.level()),
            logger: logger_name(metadata.target()),
            message: text.message + &text.fields,
            file: metadata.file(),
            line: metadata.line(),
            time: jiff::Timestamp::now(),
        };
        match PLAN.get() {
            Some(plan) => plan.write(&record, self.console),
            None => HELD
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((record, self.console)),
        }
    }
}

fn is_wanted(plan: &Plan, metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        || Level::of(*metadata.level()) >= plan.level(&logger_name(metadata.target()))
}

/// What our crates say goes to the loggers that Luigi's users know.
fn logger_name(target: &str) -> String {
    match target.split("::").next() {
        Some("condotta_scheduler") => "luigi.scheduler".to_owned(),
        Some("condotta_server" | "condotta_cli" | "condotta_history") => "luigi.server".to_owned(),
        Some(name) if name == "condotta" || name.starts_with("condotta_") => {
            "luigi-interface".to_owned()
        }
        _ => target.replace("::", "."),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_luigis_interface() {
        for (target, logger) in [
            ("condotta_worker::plan", "luigi-interface"),
            ("condotta", "luigi-interface"),
            ("condotta_scheduler::prune", "luigi.scheduler"),
            ("condotta_server::driver", "luigi.server"),
            ("condotta_history::recorder", "luigi.server"),
            ("condottage::x", "condottage.x"),
            ("my_pipeline::load", "my_pipeline.load"),
        ] {
            assert_eq!(logger_name(target), logger);
        }
    }
}
