//! What happens to tasks, for listeners in the program: Luigi's events by Luigi's names.
//!
//! ```
//! use condotta::{event::{EventDetail, EventKind}, prelude::*};
//! # #[derive(Task)] struct Weather { day: Date }
//! # #[task] impl Task for Weather {}
//!
//! // Of every task:
//! condotta::on(EventKind::ProcessingTime, |event| {
//!     if let EventDetail::ProcessingTime { secs } = event.detail {
//!         println!("{:?} took {secs} s", event.task);
//!     }
//! });
//!
//! // Of the tasks of one class:
//! condotta::on_task(EventKind::Success, |weather: &Weather, _event| {
//!     println!("the weather of {} is here", weather.day);
//! });
//! ```

use std::sync::LazyLock;

pub use condotta_worker::{Event, EventDetail, EventKind, WorkerEvents};

use crate::task::Task;

static LISTENERS: LazyLock<WorkerEvents> = LazyLock::new(WorkerEvents::new);

/// Calls `listener` for each event of `kind`, of whatever task.
///
/// It is called on the thread where the event happens; see [`WorkerEvents`].
pub fn on(kind: EventKind, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
    LISTENERS.on(kind, listener);
}

/// Calls `listener` for each event of `kind` of a task of type `T`.
pub fn on_task<T: Task>(
    kind: EventKind,
    listener: impl Fn(&T, &Event<'_>) + Send + Sync + 'static,
) {
    LISTENERS.on(kind, move |event| {
        if let Some(task) = event.task.as_any().and_then(|task| task.downcast_ref()) {
            listener(task, event);
        }
    });
}

/// All listeners of this process, for whoever makes its workers.
#[must_use]
pub fn listeners() -> WorkerEvents {
    LISTENERS.clone()
}
