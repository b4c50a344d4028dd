//! One webhook: what waits for it, and the thread that sends it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use condotta_scheduler::Timestamp;

use super::{
    HookFormat, WebhookConfig, WebhookError,
    body::{Event, Message},
    client::Client,
    slack,
};
use crate::notify::{
    NoticeKind, SendFigures,
    backoff::backoff,
    counts::{Counts, count},
    notice::Notice,
};

/// A webhook. Cheap to clone; all clones are one hook.
#[derive(Clone)]
pub struct Hook {
    shared: Arc<Shared>,
}

struct Shared {
    config: WebhookConfig,
    client: Client,
    /// The server's address, for links.
    base: OnceLock<String>,
    state: Mutex<State>,
    changed: Condvar,
    counts: Counts,
}

#[derive(Default)]
struct State {
    /// What the next message lists.
    events: Vec<Event>,
    /// What it only counts.
    more: BTreeMap<NoticeKind, u64>,
    /// The server stops: one more attempt each, at the latest till then.
    closing: Option<Instant>,
    /// There is a thread.
    runs: bool,
}

/// How the receiver fails, through all messages that it did not take.
#[derive(Default)]
struct Failing {
    since: Option<Instant>,
    attempts: u64,
}

impl Hook {
    pub(in crate::notify) fn new(
        config: WebhookConfig,
        public_url: Option<&str>,
    ) -> Result<Self, WebhookError> {
        if config.max_events == 0 {
            return Err(config.wrong("max_events is 0: write at least 1"));
        }
        let base = OnceLock::new();
        if let Some(url) = public_url {
            let _ = base.set(url.trim_end_matches('/').to_owned());
        }
        Ok(Self {
            shared: Arc::new(Shared {
                client: Client::new(&config)?,
                config,
                base,
                state: Mutex::default(),
                changed: Condvar::new(),
                counts: Counts::default(),
            }),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// Where it sends to, as far as people may see it: the host.
    #[must_use]
    pub fn place(&self) -> &str {
        self.shared.client.shown()
    }

    /// What it tells of.
    #[must_use]
    pub fn kinds(&self) -> &BTreeSet<NoticeKind> {
        &self.shared.config.events
    }

    /// How it goes.
    #[must_use]
    pub fn figures(&self) -> SendFigures {
        self.shared.counts.figures()
    }

    /// Sends a message that says that it is a test, at once and once, and waits for the receiver's word.
    ///
    /// # Errors
    ///
    /// Why it was not taken.
    pub fn test(&self) -> Result<(), String> {
        let shared = &self.shared;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let event = Event::new(
            &Notice {
                kind: NoticeKind::Test,
                at: Timestamp(now.unwrap_or_default().as_secs_f64()),
                task: None,
                worker: None,
                message: format!("this is a test of webhook {}", self.name()),
                error: None,
            },
            shared.base(),
        );
        let (id, body) = shared.compose(vec![event], BTreeMap::new());
        let sent = shared.client.post(&id, &body);
        sent.map_err(|refused| format!("{} did not take it: {refused}", self.place()))
    }

    /// Where the server is, unless the configuration said so.
    pub(in crate::notify) fn place_server(&self, url: &str) {
        let _ = self.shared.base.set(url.to_owned());
    }

    /// Something happened. If the hook tells of it, it goes into the next message.
    pub(in crate::notify) fn tell(&self, notice: &Notice) {
        let shared = &self.shared;
        let family = notice.task.as_ref().map(|task| task.family.as_str());
        if !shared.config.events.contains(&notice.kind) || !shared.config.tells_of(family) {
            return;
        }
        let mut state = shared.state();
        if state.events.len() < shared.config.max_events {
            state.events.push(Event::new(notice, shared.base()));
            shared.counts.queued.fetch_add(1, Ordering::Relaxed);
        } else {
            *state.more.entry(notice.kind).or_default() += 1;
            count(&shared.counts.dropped);
        }
        drop(state);
        shared.changed.notify_all();
    }

    pub(in crate::notify) fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.state().runs = true;
        thread::Builder::new()
            .name("webhook".to_owned())
            .spawn(move || {
                shared.run();
                shared.state().runs = false;
                shared.changed.notify_all();
            })
            .map(drop)
    }

    /// What waits is tried once more, but nothing begins after `until`.
    pub(in crate::notify) fn close(&self, until: Instant) {
        self.shared.state().closing = Some(until);
        self.shared.changed.notify_all();
    }

    /// Waits for the end of the thread, but no longer than that.
    pub(in crate::notify) fn wait(&self, until: Instant) {
        let shared = &self.shared;
        let mut state = shared.state();
        while state.runs {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let left = shared.counts.figures().queued;
        if left > 0 {
            let name = self.name();
            tracing::warn!("webhook {name}: the server stops, and {left} events were not sent");
        }
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hook").field(&self.name()).finish()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn base(&self) -> Option<&str> {
        self.base.get().map(String::as_str)
    }

    /// Sends one message after the other until the server stops.
    fn run(&self) {
        let mut failing = Failing::default();
        while let Some((events, more)) = self.next() {
            let count = events.len() as u64;
            let (id, body) = self.compose(events, more);
            self.send(&id, &body, count, &mut failing);
            if !self.pause(self.config.interval) {
                self.say_rest(&mut failing);
                return;
            }
        }
    }

    /// Waits for something to tell; `None` at the end.
    fn next(&self) -> Option<(Vec<Event>, BTreeMap<NoticeKind, u64>)> {
        let mut state = self.state();
        loop {
            if !state.events.is_empty() {
                let more = std::mem::take(&mut state.more);
                return Some((std::mem::take(&mut state.events), more));
            }
            if state.closing.is_some() {
                return None;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The message's id, and the message.
    fn compose(&self, events: Vec<Event>, more: BTreeMap<NoticeKind, u64>) -> (String, Vec<u8>) {
        let message = Message::new(&self.config.name, self.base(), events, more);
        let body = match self.config.format {
            HookFormat::Json => serde_json::to_vec(&message),
            HookFormat::Slack => serde_json::to_vec(&slack::message(&message)),
        };
        (message.id, body.expect("a message is plain JSON"))
    }

    /// Tries until the receiver takes it, refuses it for good, or it has been tried for too long.
    fn send(&self, id: &str, body: &[u8], events: u64, failing: &mut Failing) {
        let began = Instant::now();
        let (name, place) = (&self.config.name, self.client.shown());
        for attempt in 1.. {
            let closing = self.state().closing;
            if closing.is_some_and(|until| until <= Instant::now()) {
                return;
            }
            let refused = match self.client.post(id, body) {
                Ok(()) => {
                    count(&self.counts.sent);
                    if let Some(since) = failing.since.take() {
                        let (secs, attempts) = (since.elapsed().as_secs(), failing.attempts + 1);
                        tracing::info!(
                            "webhook {name}: {place} takes messages again, after {attempts} attempts in {secs} s"
                        );
                    }
                    *failing = Failing::default();
                    break;
                }
                Err(refused) => refused,
            };
            failing.since.get_or_insert_with(Instant::now);
            failing.attempts += 1;
            if !refused.is_passing || began.elapsed() >= self.config.retry_for {
                tracing::error!(
                    "webhook {name}: a message of {events} events is given up: {place}: {refused}"
                );
                count(&self.counts.failed);
                break;
            }
            count(&self.counts.retried);
            let wait = refused.after.unwrap_or_else(|| backoff(attempt));
            if attempt == 1 || attempt % 10 == 0 {
                tracing::warn!(
                    "webhook {name}: a message could not be sent to {place}: {refused}; trying again"
                );
            }
            // One attempt after the server began to stop is enough.
            if closing.is_some() {
                return;
            }
            self.pause(wait);
        }
        self.counts.queued.fetch_sub(events, Ordering::Relaxed);
    }

    /// Waits a while, or until the server stops; whether it goes on.
    fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.closing.is_some() || left.is_zero() {
                return state.closing.is_none();
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends what is left, once.
    fn say_rest(&self, failing: &mut Failing) {
        if let Some((events, more)) = self.next() {
            let count = events.len() as u64;
            let (id, body) = self.compose(events, more);
            self.send(&id, &body, count, failing);
        }
    }
}
