//! Waits at the server, one request at a time, until there may be something for a worker to do.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use super::Connection;
use crate::Wake;

/// How long one request waits at the server.
const AWAIT: Duration = Duration::from_secs(30);
/// A worker that is woken asks now and then all the same.
const FALLBACK: Duration = Duration::from_secs(30);
/// So long a worker asks by itself after waiting at the server did not work.
const REST: Duration = Duration::from_secs(10);

/// Wakes one worker.
pub(super) struct Watch {
    worker: String,
    wake: Wake,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A request waits at the server.
    waiting: bool,
    rests_until: Option<Instant>,
}

impl Watch {
    pub(super) fn new(worker: &str, wake: Wake) -> Arc<Self> {
        Arc::new(Self {
            worker: worker.to_owned(),
            wake,
            state: Mutex::default(),
        })
    }

    pub(super) fn is_of(&self, worker: &str) -> bool {
        self.worker == worker
    }

    /// Sees that a request waits at the server. Returns how long the worker may sleep, if it will
    /// be woken.
    pub(super) fn arm(self: &Arc<Self>, connection: &Arc<Connection>) -> Option<Duration> {
        let mut state = self.state();
        if state.waiting {
            return Some(FALLBACK);
        }
        if state
            .rests_until
            .is_some_and(|until| Instant::now() < until)
        {
            return None;
        }
        let (watch, connection) = (Arc::clone(self), Arc::clone(connection));
        let started = thread::Builder::new()
            .name("await-work".to_owned())
            .spawn(move || watch.wait(&connection));
        state.waiting = started.is_ok();
        state.waiting.then_some(FALLBACK)
    }

    fn wait(&self, connection: &Connection) {
        let ready = connection.await_work(&self.worker, AWAIT);
        let mut state = self.state();
        state.waiting = false;
        if ready.is_err() {
            state.rests_until = Some(Instant::now() + REST);
        }
        drop(state);
        // Also when nobody answers: the worker has to find out how things are.
        if !matches!(ready, Ok(false)) {
            (self.wake)();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with this lock")
    }
}
