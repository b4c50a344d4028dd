//! Requests to one server, tried again as long as their urgency says, and what was learned of it.

use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use condotta_protocol::{
    Json,
    client::{self, ReplyError},
};

use super::{
    address::Address,
    http::{Failure, FailureKind, Http},
    logs,
    retry::{Patience, Tries, Urgency},
};
use crate::{LogAnswer, LogBatch, SchedulerError, StopSignal, task::error_chain};

/// Between two lines in the log about the same trouble.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// A failure that comes sooner is a connection that ended, and no server that hangs.
const LOST_SOON: Duration = Duration::from_secs(1);

/// A server and the way to it.
pub(super) struct Connection {
    http: Http,
    /// The URL as people see it.
    shown: String,
    patience: Patience,
    log_retries: bool,
    stop: StopSignal,
    state: Mutex<State>,
    outages: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Somebody answered once.
    known: bool,
    kind: Option<Kind>,
    away_since: Option<Instant>,
}

/// What is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Luigi's own server, which knows Luigi's methods only.
    Stock,
    /// One that knows ours, too.
    Ours,
}

impl Connection {
    /// A way to a server; nothing is sent yet.
    pub(super) fn new(
        address: &Address,
        http: Http,
        patience: Patience,
        log_retries: bool,
        stop: StopSignal,
    ) -> Self {
        Self {
            http,
            shown: address.shown.clone(),
            patience,
            log_retries,
            stop,
            state: Mutex::default(),
            outages: AtomicU64::new(0),
        }
    }

    /// Puts a request to the server until it is answered, or it is of no use to try again.
    pub(super) fn call<T>(
        &self,
        method: &'static str,
        keywords: &str,
        urgency: Urgency,
        read: impl Fn(Json) -> Result<T, ReplyError>,
    ) -> Result<T, SchedulerError> {
        self.put(method, keywords, urgency, read)
            .map_err(|(failure, tries)| self.error(method, failure, &tries))
    }

    /// As [`call`](Self::call), for who can do something about the failure.
    pub(super) fn put<T>(
        &self,
        method: &'static str,
        keywords: &str,
        urgency: Urgency,
        read: impl Fn(Json) -> Result<T, ReplyError>,
    ) -> Result<T, (Failure, Tries)> {
        let mut tries = Tries::new(urgency, self.patience, !self.state().known);
        let mut logged: Option<Duration> = None;
        loop {
            let failure = match self.once(method, keywords, Duration::ZERO, &read) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let stopped = || self.stop.level() >= urgency.gives_up_at();
            let Some(wait) = tries.next(&failure).filter(|_| !stopped()) else {
                return Err((failure, tries));
            };
            let due = logged.is_none_or(|at| tries.elapsed() >= at + LOG_INTERVAL);
            if due && self.log_retries && urgency != Urgency::Passing {
                logged = Some(tries.elapsed());
                self.log(&failure, &tries, wait);
            }
            self.stop.wait_for(urgency.gives_up_at(), wait);
        }
    }

    /// Asks once, and notes whether anybody is there.
    fn once<T>(
        &self,
        method: &str,
        keywords: &str,
        extra: Duration,
        read: impl Fn(Json) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        let answer = self.http.call(method, keywords, extra);
        match &answer {
            Err(Failure {
                kind: FailureKind::Away { .. },
                ..
            }) => self.note_away(),
            Err(Failure {
                kind: FailureKind::NoWay,
                ..
            }) => {}
            _ => self.note_answer(),
        }
        let read = answer.map(|text| client::response(&text).and_then(read));
        match read {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failure {
                kind: FailureKind::Broken,
                code: None,
                error: error.into(),
            }),
            Err(failure) => Err(failure),
        }
    }

    /// How often the server was away and came back.
    pub(super) fn outages(&self) -> u64 {
        self.outages.load(Ordering::SeqCst)
    }

    /// Whether the server knows our methods. Found out once, and again after it was away.
    pub(super) fn is_ours(&self, worker: &str) -> bool {
        let known = self.state().kind;
        known.unwrap_or_else(|| {
            // Nothing is announced: a server that knows the method does nothing.
            let nothing = client::add_tasks(worker, &[]);
            let answer = self.once("add_tasks", &nothing, Duration::ZERO, client::refused);
            match answer {
                Ok(_) => self.learn(Kind::Ours),
                Err(failure) if failure.kind == FailureKind::NoMethod => self.learn(Kind::Stock),
                // Another time.
                Err(_) => Kind::Stock,
            }
        }) == Kind::Ours
    }

    fn learn(&self, kind: Kind) -> Kind {
        self.state().kind = Some(kind);
        kind
    }

    /// Sends once what a run printed.
    pub(super) fn send_log(&self, worker: &str, batch: &LogBatch<'_>) -> LogAnswer {
        logs::send(&self.http, worker, batch)
    }

    /// Waits at the server until there may be something to do, at most `patience`.
    pub(super) fn await_work(&self, worker: &str, patience: Duration) -> Result<bool, Failure> {
        let keywords = client::await_work(worker, patience.as_secs_f64());
        self.once("await_work", &keywords, patience, |reply| {
            client::flag(reply, "ready")
        })
    }

    /// Takes leave. If nobody hears it, the worker's lease runs out. False if the server has no word for
    /// it, or may have none.
    pub(super) fn release(&self, worker: &str) -> bool {
        let kind = self.state().kind;
        if kind == Some(Kind::Stock) {
            return false;
        }
        let keywords = client::worker(worker);
        let say = || self.once("release_worker", &keywords, Duration::ZERO, |_| Ok(()));
        let begun = Instant::now();
        let answer = say().or_else(|failure| match failure.kind {
            // The answer was lost, or the server left a connection that rested. To say it twice does
            // no harm; a server that hangs is not asked twice.
            FailureKind::Away { .. } if begun.elapsed() < LOST_SOON => say(),
            _ => Err(failure),
        });
        match answer {
            Ok(()) => return true,
            Err(failure) if failure.kind == FailureKind::NoMethod => {
                self.learn(Kind::Stock);
                return false;
            }
            Err(failure) => tracing::debug!(
                target: "luigi-interface",
                "The scheduler was not told that {worker} leaves: {}",
                failure.error,
            ),
        }
        // Ours may have heard it. Whoever has given a run back must not say that it failed.
        kind == Some(Kind::Ours)
    }

    fn note_away(&self) {
        let mut state = self.state();
        state.away_since.get_or_insert_with(Instant::now);
        // Another one may come back in its place.
        state.kind = None;
    }

    fn note_answer(&self) {
        let mut state = self.state();
        let was_known = std::mem::replace(&mut state.known, true);
        let Some(since) = state.away_since.take() else {
            return;
        };
        drop(state);
        if was_known {
            self.outages.fetch_add(1, Ordering::SeqCst);
        }
        if self.log_retries {
            tracing::info!(
                target: "luigi-interface",
                "The remote scheduler '{}' answers after {:.1} seconds",
                self.shown,
                since.elapsed().as_secs_f64(),
            );
        }
    }

    /// In Luigi's words, as far as its rule and ours are the same.
    fn log(&self, failure: &Failure, tries: &Tries, wait: Duration) {
        let hint = if self.state().known { "" } else { ADVICE };
        tracing::warn!(
            target: "luigi-interface",
            "Failed connecting to remote scheduler '{}'\n{}{hint}",
            self.shown,
            failure.error,
        );
        tracing::info!(
            target: "luigi-interface",
            "Retrying attempt {}, for {:.0} seconds at most",
            tries.count,
            tries.limit().saturating_sub(tries.elapsed()).as_secs_f64(),
        );
        tracing::info!(
            target: "luigi-interface",
            "Wait for {:.1} seconds",
            wait.as_secs_f64(),
        );
    }

    pub(super) fn error(
        &self,
        request: &'static str,
        failure: Failure,
        tries: &Tries,
    ) -> SchedulerError {
        let reason = match failure.kind {
            FailureKind::Away { .. } | FailureKind::NoWay => {
                return SchedulerError::Unreachable {
                    request,
                    url: self.shown.clone(),
                    source: Box::new(GaveUp {
                        attempts: tries.count,
                        secs: tries.elapsed().as_secs_f64(),
                        advice: match failure.kind {
                            FailureKind::NoWay => CERTIFICATES,
                            _ if self.state().known => "",
                            _ => ADVICE,
                        },
                        failure: error_chain(&failure.error),
                    }),
                };
            }
            FailureKind::NoMethod => format!(
                "{}; is {} the address of a scheduler?",
                failure.error, self.shown
            ),
            FailureKind::Broken if tries.urgency == Urgency::Claim => format!(
                "{}; the members of the batch may have gone another way",
                failure.error
            ),
            FailureKind::Broken | FailureKind::TooLong | FailureKind::Refused => {
                failure.error.to_string()
            }
        };
        SchedulerError::Refused { request, reason }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with this lock")
    }
}

/// What to do when nobody ever answered.
const ADVICE: &str = "; start a scheduler there (`condotta scheduler`, or Luigi's `luigid`), say where \
                      another one is (--scheduler-url), or run without one (--local-scheduler)";

/// What to do when a certificate is not trusted.
const CERTIFICATES: &str = "; [core] rpc_ca_file or REQUESTS_CA_BUNDLE names a file of certificates to \
                            trust";

/// The end of trying.
#[derive(Debug, thiserror::Error)]
#[error("{failure}, {attempts} attempt(s) in {secs:.1} seconds{advice}")]
struct GaveUp {
    attempts: u32,
    secs: f64,
    advice: &'static str,
    failure: String,
}
