//! The thread that gathers events for the readers, and what it shares with them.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use condotta_scheduler::Status;
use tokio::sync::{Semaphore, watch};

use super::{
    EventsConfig,
    observed::{Listener, Notes},
    reader::{self, Filter, ReaderBody},
    ring::{Ring, Taken},
    told::{Told, What},
};
use crate::{
    api::shapes::Counts, clock::wall_secs, http::error::HttpError, names::Names,
    observer::Observer, seldom::Seldom,
};

/// How many events may be on their way to the thread.
const MOST_ON_THE_WAY: usize = 16_384;
/// How long the thread gathers events before it publishes them: waking it costs whoever passes them on.
const GATHER: Duration = Duration::from_millis(50);
/// How often the numbers of tasks are told at most.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// For how long events are kept after the last reader left, so that it may come back.
const KEEP_FOR: Duration = Duration::from_secs(300);

/// The event stream of a server. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

/// What the thread and the readers share.
pub(super) struct Shared {
    pub(super) config: EventsConfig,
    pub(super) news: watch::Sender<u64>,
    notes: Arc<Notes>,
    ring: Mutex<Ring>,
    places: Arc<Semaphore>,
    pub(super) readers: AtomicUsize,
    /// How many of them did not get all that there was the last time.
    pub(super) behind: AtomicUsize,
    is_closed: AtomicBool,
    full: Seldom,
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, next: &mut u64, filter: &Filter, most: usize) -> Taken {
        self.ring().take(next, filter, most)
    }

    /// With what a stream begins, and which event is the next.
    pub(super) fn begin(&self, last: Option<&str>) -> (Bytes, u64) {
        let ring = self.ring();
        let Some(last) = last else {
            return (ring.hello(None), ring.end());
        };
        match ring.after(last) {
            Some(next) => (ring.hello(Some(next)), next),
            None => {
                let reset = ring.reset("what happened since is not known any more", None);
                ([ring.hello(None), reset].concat().into(), ring.end())
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// How many follow the stream.
    fn readers(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }
}

impl Events {
    /// A stream that nothing is told of yet.
    #[must_use]
    pub fn new(config: EventsConfig) -> Self {
        let life = format!("{:x}", fastrand::u64(1 << 40..1 << 48));
        let ring = Ring::new(&config, life);
        Self {
            shared: Arc::new(Shared {
                places: Arc::new(Semaphore::new(config.max_readers)),
                config,
                news: watch::Sender::new(0),
                notes: Arc::default(),
                ring: Mutex::new(ring),
                readers: AtomicUsize::new(0),
                behind: AtomicUsize::new(0),
                is_closed: AtomicBool::new(false),
                full: Seldom::default(),
            }),
        }
    }

    /// Who is to be told what happens. It ends its thread when it is dropped.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn observer(&self) -> std::io::Result<Box<dyn Observer>> {
        let (passed_on, received) = mpsc::sync_channel(MOST_ON_THE_WAY);
        let shared = self.shared.clone();
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || run(&shared, &received))?;
        Ok(Box::new(Listener {
            notes: self.shared.notes.clone(),
            passed_on,
            names: Names::default(),
        }))
    }

    /// A stream for one more reader.
    pub(super) fn read(
        &self,
        filter: Filter,
        last: Option<String>,
    ) -> Result<ReaderBody, HttpError> {
        let shared = &self.shared;
        let Ok(place) = shared.places.clone().try_acquire_owned() else {
            if shared.full.is_due() {
                tracing::warn!(
                    "all places for readers of the event stream are taken; new ones are turned away"
                );
            }
            let most = shared.config.max_readers;
            let message = format!(
                "{most} streams are open, which is the most that the server was told to have; try again in a moment"
            );
            return Err(HttpError::unavailable("busy", message));
        };
        shared.notes.is_wanted.store(true, Ordering::Relaxed);
        Ok(reader::start(shared.clone(), place, filter, last))
    }

    /// How many follow the stream.
    pub(crate) fn readers(&self) -> usize {
        self.shared.readers()
    }

    /// Ends all streams, so that their connections do not hold up the end.
    pub(crate) fn close(&self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
        self.shared.news.send_modify(|count| *count += 1);
    }
}

/// Publishes events until nobody passes any on.
fn run(shared: &Shared, received: &Receiver<Told>) {
    let mut counting = Counting::default();
    let mut unread_since = None;
    loop {
        let wait = counting.due().unwrap_or(KEEP_FOR / 10);
        let first = match received.recv_timeout(wait) {
            Ok(told) => Some(told),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if first.is_some() {
            thread::sleep(GATHER);
        }
        let mut told: Vec<Told> = first.into_iter().chain(received.try_iter()).collect();
        if lose_count(shared) {
            told.push(lost());
        }
        counting.note(&told);
        told.extend(counting.told(shared));
        if !told.is_empty() {
            publish(shared, told);
        }
        forget_if_unread(shared, &mut unread_since);
    }
}

/// Whether events could not be passed on.
fn lose_count(shared: &Shared) -> bool {
    let dropped = shared.notes.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        tracing::warn!(
            "{dropped} events came too fast for the event stream; its readers are told to begin anew"
        );
    }
    dropped > 0
}

fn lost() -> Told {
    let reason = "more happened at once than can be told";
    Told {
        task: None,
        what: What::Reset { reason },
    }
}

fn publish(shared: &Shared, told: Vec<Told>) {
    let mut ring = shared.ring();
    for told in told {
        ring.push(told);
    }
    drop(ring);
    shared.news.send_modify(|count| *count += 1);
}

/// After a while without readers nothing is kept, and nothing passed on.
fn forget_if_unread(shared: &Shared, unread_since: &mut Option<Instant>) {
    if shared.readers() > 0 {
        *unread_since = None;
        return;
    }
    let since = *unread_since.get_or_insert_with(Instant::now);
    if since.elapsed() > KEEP_FOR && shared.notes.is_wanted.swap(false, Ordering::Relaxed) {
        shared.ring().clear();
    }
}

/// When the numbers of tasks are to be told next.
#[derive(Default)]
struct Counting {
    changed: bool,
    told: Option<Instant>,
}

impl Counting {
    fn note(&mut self, told: &[Told]) {
        self.changed |= told
            .iter()
            .any(|told| matches!(told.what, What::Status { .. }));
    }

    /// How long it is until then, if they changed.
    fn due(&self) -> Option<Duration> {
        let since = self.told.map_or(COUNT_EVERY, |told| told.elapsed());
        self.changed.then(|| COUNT_EVERY.saturating_sub(since))
    }

    fn told(&mut self, shared: &Shared) -> Option<Told> {
        if self.due()? > Duration::ZERO {
            return None;
        }
        self.changed = false;
        self.told = Some(Instant::now());
        let mut counts = Counts::default();
        for (counter, status) in shared.notes.counts.iter().zip(Status::ALL) {
            counts.add(status, counter.load(Ordering::Relaxed));
        }
        let at = wall_secs();
        Some(Told {
            task: None,
            what: What::Counts { at, counts },
        })
    }
}
