//! What `/metrics` shows: Luigi's counts of tasks, then what this server counts of itself.
//!
//! `tasks` are fed with the scheduler's events, `meters` by the parts of the server, and the rest is looked
//! up when somebody asks. Labels are escaped, and the number of their combinations is bounded.

mod histogram;
mod meters;
mod process;
mod requests;
mod scheduler;
mod sends;
mod tasks;
mod text;

use std::sync::Arc;

use condotta_scheduler::{Event, Figures, Scheduler};

pub use meters::{Counted, Gauge, Meters};
pub use tasks::{MetricsConfig, MetricsError};

use crate::{notify::Notifier, observer::Observer};
use tasks::TaskCounts;
use text::Text;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=1.0.0; charset=utf-8";

/// The metrics. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    tasks: TaskCounts,
    meters: Arc<Meters>,
    notifier: Option<Notifier>,
}

impl Metrics {
    /// Metrics in which nothing has happened yet.
    ///
    /// # Errors
    ///
    /// When the labels are none that Prometheus takes.
    pub fn new(
        config: MetricsConfig,
        meters: Arc<Meters>,
        notifier: Option<Notifier>,
    ) -> Result<Self, MetricsError> {
        Ok(Self {
            tasks: TaskCounts::new(config)?,
            meters,
            notifier,
        })
    }

    /// What the parts of the server count of themselves.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// All metrics as Prometheus reads them; without those of the scheduler if it could not be asked.
    #[must_use]
    pub fn text(&self, figures: Option<&Figures>) -> String {
        let mut text = Text::default();
        self.tasks.write(&mut text);
        if let Some(figures) = figures {
            scheduler::write(&mut text, figures);
        }
        self.meters.write(&mut text);
        if let Some(notifier) = &self.notifier {
            sends::write(&mut text, notifier);
        }
        process::write(&mut text);
        text.0
    }
}

impl Observer for Metrics {
    fn observe(&mut self, event: &Event, scheduler: &Scheduler) {
        if let Event::AttemptBegan {
            at,
            ready: Some(ready),
            ..
        } = event
        {
            // The clock may have been set back meanwhile.
            self.meters.wait.observe(at.since(*ready).max(0.0));
        }
        self.tasks.observe(event, scheduler);
    }
}
