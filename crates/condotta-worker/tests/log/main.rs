//! The log, to the letter. Alone in its program, because what is logged is decided for all threads.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]
#![allow(
    dead_code,
    reason = "the other test binary uses more of the shared modules"
)]

#[path = "../it/scenario.rs"]
mod scenario;
#[path = "../it/tasks.rs"]
mod tasks;

use std::sync::{Arc, Mutex};

use scenario::{all, dir, run};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// Announcements travel together, so that "Informed scheduler" comes in groups while planning; apart
/// from that the log is Luigi's.
#[test]
fn the_log_is_luigis_to_the_letter() {
    let expected = std::fs::read_to_string(dir().join("everything.log")).unwrap();
    let (planned, ran) = phases(log_of("everything"));
    let (expected_planned, expected_ran) = phases(expected.lines().map(str::to_owned).collect());
    for informed in [true, false] {
        let only = |lines: &[String]| -> Vec<String> {
            let wanted = |line: &&String| line.contains("Informed scheduler") == informed;
            lines.iter().filter(wanted).cloned().collect()
        };
        assert_eq!(only(&planned), only(&expected_planned));
    }
    assert_eq!(ran, expected_ran);
}

/// The summary only says that the task was not granted run permission.
#[test]
fn a_need_above_the_limit_is_said() {
    let expected = "WARNING: Task Busy() can never run: it needs 2 of resource seat, of which there is 1: \
                    raise the limit in section [resources] (a resource that is not named there has a limit of 1)";
    let lines = log_of("not_granted");
    assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
}

fn log_of(scenario: &str) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, || run(&all()[scenario]));
    lines.0.lock().unwrap().clone()
}

/// Before and from the start of the main loop.
fn phases(mut lines: Vec<String>) -> (Vec<String>, Vec<String>) {
    let start = lines
        .iter()
        .position(|line| line.contains("Running Worker"));
    let start = start.unwrap_or_else(|| panic!("no main loop in {lines:#?}"));
    let ran = lines.split_off(start);
    (lines, ran)
}

/// Keeps the first line of each message, with its level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 = format!("{value:?}");
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        assert_eq!(event.metadata().target(), "luigi-interface");
        let level = match *event.metadata().level() {
            tracing::Level::WARN => "WARNING".to_owned(),
            level => level.to_string(),
        };
        let text = message.0.lines().next().unwrap_or_default();
        let text = text.replace(&format!("[pid {}]", std::process::id()), "[pid N]");
        self.0.lock().unwrap().push(format!("{level}: {text}"));
    }
}
