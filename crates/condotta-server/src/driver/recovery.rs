//! A scheduler out of what is stored.

use std::{collections::BTreeMap, path::PathBuf};

use condotta_scheduler::{Config, Scheduler, Timestamp};

use crate::{
    clock::Clock,
    state::{OpenReport, Opened, StateDir, StateError, Writer},
};

/// What it takes to make a scheduler of the stored state, at the start and whenever the one in
/// memory cannot be trusted any more.
pub(crate) struct Recovery {
    pub(crate) config: Config,
    pub(crate) limits: BTreeMap<String, u64>,
    pub(crate) state_dir: PathBuf,
}

/// A scheduler as it was stored.
pub(crate) struct Recovered {
    pub(crate) scheduler: Scheduler,
    pub(crate) clock: Clock,
    pub(crate) writer: Writer,
    pub(crate) report: OpenReport,
}

impl Recovery {
    /// Reads the state. The monotonic clock goes on from what is stored, but not before `now`.
    pub(crate) fn recover(&self, now: Timestamp) -> Result<Recovered, StateError> {
        let Opened {
            saved,
            monotonic,
            report,
            writer,
        } = StateDir::open(&self.state_dir)?;
        let clock = Clock::starting_at(monotonic.max(now));
        let scheduler = Scheduler::restore(
            self.config.clone(),
            self.limits.clone(),
            fastrand::u64(..),
            clock.now(),
            saved,
        );
        Ok(Recovered {
            scheduler,
            clock,
            writer,
            report,
        })
    }
}
