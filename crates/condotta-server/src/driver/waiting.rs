//! Workers that wait until there may be something for them: `await_work`.
//!
//! Knows who waits and who was told, and nothing of what there is to do.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use condotta_scheduler::Wakeups;
use serde_json::json;

use super::{Reply, message::Answer};

/// The longest that a worker may wait with one request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After this long without a request it is not remembered what a worker was told.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// Workers that wait, or did.
#[derive(Default)]
pub(crate) struct Waiting {
    workers: HashMap<String, Waiter>,
    swept: Option<Instant>,
    is_closed: bool,
}

struct Waiter {
    /// There may be something that it was not told of yet.
    ready: bool,
    parked: Vec<(Instant, Answer)>,
    last_request: Instant,
}

impl Waiting {
    /// A worker wants to know when there may be something for it, and waits for so many seconds.
    ///
    /// What came up while it was not waiting counts, and a worker that is not known is answered at
    /// once, since nobody can say what it missed.
    pub(crate) fn wait(&mut self, now: Instant, worker: String, secs: f64, answer: Answer) {
        self.sweep(now);
        let waiter = self.workers.entry(worker).or_insert_with(|| Waiter {
            ready: true,
            parked: Vec::new(),
            last_request: now,
        });
        waiter.last_request = now;
        if self.is_closed {
            reply(answer, false);
            return;
        }
        if std::mem::take(&mut waiter.ready) {
            reply(answer, true);
            return;
        }
        let longest = LONGEST_WAIT.as_secs_f64();
        let wait = Duration::from_secs_f64(secs.clamp(0.0, longest));
        waiter.parked.push((now + wait, answer));
    }

    /// Tells those who may have got something to do.
    pub(crate) fn wake(&mut self, wakeups: Wakeups) {
        if wakeups.everybody {
            self.workers.values_mut().for_each(Waiter::wake);
            return;
        }
        for worker in wakeups.workers {
            if let Some(waiter) = self.workers.get_mut(&worker) {
                waiter.wake();
            }
        }
    }

    /// Lets nobody wait any more.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        for waiter in self.workers.values_mut() {
            for (_, answer) in waiter.parked.drain(..) {
                reply(answer, false);
            }
        }
    }

    /// Answers those whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        for waiter in self.workers.values_mut() {
            for (_, answer) in waiter.parked.extract_if(.., |(until, _)| *until <= now) {
                reply(answer, false);
            }
        }
    }

    /// When somebody's time is over next.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        let parked = self.workers.values().flat_map(|waiter| &waiter.parked);
        parked.map(|(until, _)| *until).min()
    }

    fn sweep(&mut self, now: Instant) {
        let swept = *self.swept.get_or_insert(now);
        if now.duration_since(swept) < FORGOTTEN_AFTER {
            return;
        }
        self.swept = Some(now);
        self.workers.retain(|_, waiter| {
            !waiter.parked.is_empty() || now.duration_since(waiter.last_request) < FORGOTTEN_AFTER
        });
    }
}

impl Waiter {
    fn wake(&mut self) {
        // Only one that waits with a living request was told.
        let told = self
            .parked
            .drain(..)
            .filter(|(_, answer)| !answer.is_closed());
        let mut anybody = false;
        for (_, answer) in told {
            reply(answer, true);
            anybody = true;
        }
        self.ready = !anybody;
    }
}

fn reply(answer: Answer, ready: bool) {
    let _ = answer.send(Ok(Reply::Value(json!({ "ready": ready }))));
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver, error::TryRecvError};

    use super::*;
    use crate::driver::CallError;

    type Answered = Receiver<Result<Reply, CallError>>;

    fn wait(waiting: &mut Waiting, now: Instant, worker: &str, secs: f64) -> Answered {
        let (answer, answered) = oneshot::channel();
        waiting.wait(now, worker.to_owned(), secs, answer);
        answered
    }

    fn only(worker: &str) -> Wakeups {
        Wakeups {
            everybody: false,
            workers: vec![worker.to_owned()],
        }
    }

    fn told(answered: &mut Answered) -> Option<bool> {
        match answered.try_recv() {
            Ok(Ok(Reply::Value(value))) => value["ready"].as_bool(),
            Ok(other) => panic!("unexpected {other:?}"),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Closed) => panic!("the answer was dropped"),
        }
    }

    #[test]
    fn a_worker_that_is_new_here_asks_at_once_and_then_waits() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        assert_eq!(told(&mut wait(&mut waiting, now, "x", 5.0)), Some(true));
        let mut second = wait(&mut waiting, now, "x", 5.0);
        assert_eq!(told(&mut second), None);
        assert_eq!(waiting.next_expiry(), Some(now + Duration::from_secs(5)));
        waiting.expire(now + Duration::from_secs(4));
        assert_eq!(told(&mut second), None);
        waiting.expire(now + Duration::from_secs(5));
        assert_eq!(told(&mut second), Some(false));
        assert_eq!(waiting.next_expiry(), None);
    }

    #[test]
    fn only_who_is_meant_is_woken() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        for worker in ["x", "y"] {
            wait(&mut waiting, now, worker, 5.0);
        }
        let mut x = wait(&mut waiting, now, "x", 5.0);
        let mut y = wait(&mut waiting, now, "y", 5.0);
        waiting.wake(only("x"));
        assert_eq!((told(&mut x), told(&mut y)), (Some(true), None));
        waiting.wake(Wakeups {
            everybody: true,
            workers: Vec::new(),
        });
        assert_eq!(told(&mut y), Some(true));
    }

    #[test]
    fn what_came_up_between_two_requests_is_told_at_once() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        wait(&mut waiting, now, "x", 5.0);
        waiting.wake(only("x"));
        assert_eq!(told(&mut wait(&mut waiting, now, "x", 5.0)), Some(true));
        assert_eq!(told(&mut wait(&mut waiting, now, "x", 5.0)), None);
    }

    #[test]
    fn a_broken_connection_is_not_told() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        wait(&mut waiting, now, "x", 5.0);
        drop(wait(&mut waiting, now, "x", 5.0));
        waiting.wake(only("x"));
        assert_eq!(told(&mut wait(&mut waiting, now, "x", 5.0)), Some(true));
    }

    #[test]
    fn nobody_waits_after_the_close() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        wait(&mut waiting, now, "x", 5.0);
        let mut parked = wait(&mut waiting, now, "x", 5.0);
        waiting.close();
        assert_eq!(told(&mut parked), Some(false));
        assert_eq!(told(&mut wait(&mut waiting, now, "x", 5.0)), Some(false));
    }

    #[test]
    fn no_wait_is_longer_than_a_minute() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        wait(&mut waiting, now, "x", 5.0);
        let _parked = wait(&mut waiting, now, "x", 1e9);
        assert_eq!(waiting.next_expiry(), Some(now + Duration::from_secs(60)));
    }
}
