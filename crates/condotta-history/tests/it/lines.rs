//! What the program says in its log, of all threads, for tests to look at.

use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static LINES: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

/// Begins to remember what is said.
pub(crate) fn remember() {
    tracing::subscriber::set_global_default(Memory).expect("nobody else listens");
}

/// What was said that contains all of this.
pub(crate) fn with(parts: &[&str]) -> Vec<(Level, String)> {
    let lines = lines();
    let has_all = |line: &&(Level, String)| parts.iter().all(|part| line.1.contains(part));
    lines.iter().filter(has_all).cloned().collect()
}

fn lines() -> MutexGuard<'static, Vec<(Level, String)>> {
    LINES.lock().expect("nobody panics")
}

struct Memory;

impl Subscriber for Memory {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("condotta")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        lines().push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{value:?}");
    }
}
