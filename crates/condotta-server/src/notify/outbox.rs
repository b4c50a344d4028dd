//! The queue of mails and the thread that sends them, one after the other, again and again until the
//! server takes them or it has been tried for too long. What waits is on disk, too.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use condotta_mail::{EmailSettings, Mail, SendError, Smtp};

use super::{
    MailConfig, NotifyError,
    backoff::backoff,
    counts::{Counts, SendFigures, count},
    spool::{Spool, Unsent},
};
use crate::seldom::Seldom;

/// The queue of mails. Cheap to clone; all clones are one queue.
#[derive(Clone)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    smtp: Smtp,
    email: EmailSettings,
    retry_for: Duration,
    max_queue: usize,
    state: Mutex<State>,
    changed: Condvar,
    counts: Counts,
    full: Seldom,
    unkept: Seldom,
}

struct State {
    queue: VecDeque<Waiting>,
    spool: Spool,
    /// The server has failed so often in a row.
    failures: u32,
    /// It is left alone until then.
    rest_until: Option<Instant>,
    /// The server stops, and so does the sending, at the latest at this time.
    closing: Option<Instant>,
    /// There is a thread.
    runs: bool,
}

struct Waiting {
    unsent: Unsent,
    attempts: u32,
    due: Instant,
}

enum Next {
    Send(Waiting),
    Wait(Option<Duration>),
    End,
}

impl Outbox {
    pub(super) fn new(config: &MailConfig, home: &Path) -> Result<Self, NotifyError> {
        Ok(Self {
            shared: Arc::new(Shared {
                smtp: Smtp::new(&config.smtp)?,
                email: config.email.clone(),
                retry_for: config.retry_for,
                max_queue: config.max_queue,
                state: Mutex::new(State {
                    queue: VecDeque::new(),
                    spool: Spool::new(home),
                    failures: 0,
                    rest_until: None,
                    closing: None,
                    runs: false,
                }),
                changed: Condvar::new(),
                counts: Counts::default(),
                full: Seldom::default(),
                unkept: Seldom::default(),
            }),
        })
    }

    /// Starts to send, what an earlier server left first.
    pub(super) fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let left = state.spool.read();
        if !left.is_empty() {
            tracing::info!("{} mails are left from before and will be sent", left.len());
        }
        let early = std::mem::take(&mut state.queue);
        for unsent in left {
            shared.enqueue(&mut state, unsent);
        }
        // What came up before it was known which mail is there already.
        for mut waiting in early {
            shared.keep(&mut state, &mut waiting.unsent);
            state.queue.push_back(waiting);
        }
        state.runs = true;
        drop(state);
        thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                shared.run();
                shared.state().runs = false;
                shared.changed.notify_all();
            })
            .map(drop)
    }

    /// Has a mail sent, unless mail is off or too many wait.
    pub(super) fn send(&self, mail: Mail) {
        let shared = &self.shared;
        if let Some(reason) = shared.email.why_not(io::stdout().is_terminal()) {
            let to = mail.recipients.join(", ");
            tracing::info!("Not sending email to {to} because {reason}");
            return;
        }
        let mut state = shared.state();
        if state.queue.len() >= shared.max_queue {
            count(&shared.counts.dropped);
            if shared.full.is_due() {
                tracing::error!(
                    "{} mails wait for {}: further ones are dropped, first: {}",
                    state.queue.len(),
                    shared.smtp.place(),
                    mail.subject,
                );
            }
            return;
        }
        let mut unsent = Unsent::new(mail);
        if state.runs {
            shared.keep(&mut state, &mut unsent);
        }
        shared.enqueue(&mut state, unsent);
        shared.changed.notify_all();
    }

    pub(super) fn figures(&self) -> SendFigures {
        self.shared.counts.figures()
    }

    /// Each mail that waits is tried once more, but nothing begins after `until`.
    pub(super) fn close(&self, until: Instant) {
        let mut state = self.shared.state();
        state.closing = Some(until);
        state.rest_until = None;
        for waiting in &mut state.queue {
            waiting.due = Instant::now();
        }
        self.shared.changed.notify_all();
    }

    /// Waits for the end of the thread, but no longer than that.
    pub(super) fn wait(&self, until: Instant) {
        let mut state = self.shared.state();
        while state.runs {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let left = self.shared.counts.figures().queued;
        if left > 0 {
            tracing::warn!("{left} mails are unsent; they will be sent after the next start");
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it on disk, where the next server finds it.
    fn keep(&self, state: &mut State, unsent: &mut Unsent) {
        if let Err(error) = state.spool.put(unsent)
            && self.unkept.is_due()
        {
            tracing::warn!("unsent mail cannot be kept on disk: {error}; it is sent from memory");
        }
    }

    fn enqueue(&self, state: &mut State, unsent: Unsent) {
        state.queue.push_back(Waiting {
            unsent,
            attempts: 0,
            due: Instant::now(),
        });
        self.counts.queued.fetch_add(1, Ordering::Relaxed);
    }

    fn run(&self) {
        loop {
            let mut state = self.state();
            match state.next(Instant::now()) {
                Next::End => return,
                Next::Wait(None) => {
                    drop(self.changed.wait(state));
                }
                Next::Wait(Some(time)) => drop(self.changed.wait_timeout(state, time)),
                Next::Send(waiting) => {
                    drop(state);
                    self.try_to_send(waiting);
                }
            }
        }
    }

    fn try_to_send(&self, mut waiting: Waiting) {
        waiting.attempts += 1;
        let mail = &waiting.unsent.mail;
        match self.smtp.send(mail) {
            Ok(sent) => {
                for (recipient, reason) in &sent.refused {
                    tracing::error!(
                        "mail \"{}\" does not reach {recipient}: {reason}",
                        mail.subject
                    );
                }
                tracing::info!("Sent email to {}", mail.recipients.join(", "));
                self.state().failures = 0;
                count(&self.counts.sent);
                self.leave(&waiting);
            }
            Err(error) => self.failed(waiting, &error),
        }
    }

    fn failed(&self, mut waiting: Waiting, error: &SendError) {
        let place = self.smtp.place();
        let subject = &waiting.unsent.mail.subject;
        let age = waiting.unsent.since.elapsed().unwrap_or_default();
        if !error.is_passing || age > self.retry_for {
            tracing::error!("mail \"{subject}\" is given up: {place} says: {error}");
            count(&self.counts.failed);
            self.leave(&waiting);
            return;
        }
        count(&self.counts.retried);
        let mut state = self.state();
        state.failures += 1;
        let rest = backoff(state.failures);
        if state.closing.is_none() {
            tracing::warn!(
                "mail \"{subject}\" could not be sent through {place}: {error}; trying again in {} s",
                rest.as_secs().max(1)
            );
            state.rest_until = Some(Instant::now() + rest);
            waiting.due = Instant::now() + backoff(waiting.attempts);
            state.queue.push_back(waiting);
        }
    }

    /// It waits no more.
    fn leave(&self, waiting: &Waiting) {
        waiting.unsent.forget();
        self.counts.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    fn next(&mut self, now: Instant) -> Next {
        if let Some(until) = self.closing
            && (until <= now || self.queue.is_empty())
        {
            return Next::End;
        }
        if let Some(rest) = self.rest_until.filter(|rest| *rest > now) {
            return Next::Wait(Some(rest - now));
        }
        let first = (0..self.queue.len()).min_by_key(|&place| self.queue[place].due);
        let Some(first) = first else {
            return Next::Wait(None);
        };
        let due = self.queue[first].due;
        if due > now {
            return Next::Wait(Some(due - now));
        }
        self.queue.remove(first).map_or(Next::End, Next::Send)
    }
}
