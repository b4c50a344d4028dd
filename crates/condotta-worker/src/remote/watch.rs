//! Waits at the server, one request at a time, until there may be something for a worker to do.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use super::Connection;
use crate::Wake;

/// A worker that is woken asks now and then all the same. So long a request waits at the server.
const FALLBACK: Duration = Duration::from_secs(30);
/// Between two requests to wait, if the server answers earlier than it was asked to.
const PAUSE: Duration = Duration::from_secs(1);
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
        let end = Instant::now() + FALLBACK;
        let ready = loop {
            let asked = Instant::now();
            match connection.await_work(&self.worker, end.saturating_duration_since(asked)) {
                // A server that is about to end lets nobody wait.
                Ok(false) if Instant::now() < end => {
                    thread::sleep(PAUSE.saturating_sub(asked.elapsed()));
                }
                ready => break ready,
            }
        };
        let mut state = self.state();
        state.waiting = false;
        if ready.is_err() {
            state.rests_until = Some(Instant::now() + REST);
        }
        drop(state);
        // Also when nobody answers or there was nothing: the worker has to find out how things are.
        (self.wake)();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with this lock")
    }
}
