//! Which attempts run, and which ended a moment ago: so it is known whose output is taken, without asking
//! the scheduler for each piece of it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use condotta_scheduler::{Event, Scheduler};

use super::store::LogStore;
use crate::{attempt_id::AttemptId, names::Names, observer::Observer};

/// So many attempts that ended are remembered, for what was still on its way.
const ENDED_MAX: usize = 10_000;

/// An attempt and who runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningAttempt {
    /// Its name.
    pub id: AttemptId,
    /// Its number.
    pub attempt: u64,
    /// The worker.
    pub worker: Arc<str>,
}

/// The attempts that run, by task, and the newest that ended.
#[derive(Debug, Default)]
pub struct Running {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<String, RunningAttempt>,
    ended: VecDeque<(String, RunningAttempt)>,
}

impl Running {
    /// The attempt of this task by this worker, of this number and name if they are said: one that runs,
    /// else one that ended a moment ago.
    #[must_use]
    pub fn find(
        &self,
        task_id: &str,
        worker: &str,
        attempt: Option<u64>,
        id: Option<&AttemptId>,
    ) -> Option<RunningAttempt> {
        let fits = |found: &RunningAttempt| {
            *found.worker == *worker
                && attempt.is_none_or(|attempt| attempt == found.attempt)
                && id.is_none_or(|id| *id == found.id)
        };
        let state = self.state();
        let ended = || {
            let ended = state.ended.iter().rev().filter(|(id, _)| id == task_id);
            ended.map(|(_, attempt)| attempt).find(|found| fits(found))
        };
        let running = state.running.get(task_id).filter(|found| fits(found));
        running.or_else(ended).cloned()
    }

    /// The attempt of this task that runs.
    #[must_use]
    pub fn current(&self, task_id: &str) -> Option<RunningAttempt> {
        self.state().running.get(task_id).cloned()
    }

    /// Whether the attempt of this name runs, as far as is known.
    #[must_use]
    pub fn is_running(&self, id: &AttemptId) -> bool {
        let state = self.state();
        state.running.values().any(|running| running.id == *id)
    }

    /// An attempt runs.
    pub fn begin(&self, task_id: &str, attempt: RunningAttempt) {
        self.state().running.insert(task_id.to_owned(), attempt);
    }

    /// An attempt ended. Returns its name, if it was known.
    pub fn end(&self, task_id: &str, attempt: u64) -> Option<AttemptId> {
        let mut state = self.state();
        let is_meant = state
            .running
            .get(task_id)
            .is_some_and(|running| running.attempt == attempt);
        let (task_id, ended) = is_meant.then(|| state.running.remove_entry(task_id))??;
        let id = ended.id;
        if state.ended.len() >= ENDED_MAX {
            state.ended.pop_front();
        }
        state.ended.push_back((task_id, ended));
        Some(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with this lock")
    }
}

/// Hears which attempts begin and end.
pub struct LogObserver {
    running: Arc<Running>,
    store: Arc<LogStore>,
    workers: Names,
}

impl LogObserver {
    /// Keeps `running` up to date, and tells `store` what ended.
    #[must_use]
    pub fn new(running: Arc<Running>, store: Arc<LogStore>) -> Self {
        Self {
            running,
            store,
            workers: Names::default(),
        }
    }
}

impl Observer for LogObserver {
    fn observe(&mut self, event: &Event, _: &Scheduler) {
        match event {
            Event::AttemptBegan {
                at,
                task_id,
                attempt,
                worker: Some(worker),
                ..
            } => {
                let begun = RunningAttempt {
                    id: AttemptId::new(task_id, *attempt, *at),
                    attempt: *attempt,
                    worker: self.workers.get(worker),
                };
                self.running.begin(task_id, begun);
            }
            Event::AttemptToldAgain {
                at,
                task_id,
                attempt,
                ..
            } => {
                if let Some(running) = self.running.current(task_id) {
                    let begun = RunningAttempt {
                        id: AttemptId::new(task_id, *attempt, *at),
                        ..running
                    };
                    self.running.begin(task_id, begun);
                }
            }
            Event::AttemptEnded {
                task_id,
                attempt,
                began,
                ..
            } => {
                self.running.end(task_id, *attempt);
                let id = AttemptId::new(task_id, *attempt, *began);
                self.store.ended(&id);
            }
            _ => {}
        }
    }
}
