//! The thread that sorts what happened: into the next batch mail, a mail of its own, or the queues of
//! webhooks. It never waits for any of them.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use condotta_mail::{Batch, Batched, Mail, disabled};

use super::{
    Notifier,
    notice::{Entry, Notice, Told},
};

/// How long to wait when nothing is due.
const LONG: Duration = Duration::from_secs(3600);

pub(super) struct Dispatch {
    notifier: Notifier,
    told: Receiver<Told>,
    batch: Option<Batching>,
}

struct Batching {
    batch: Batch,
    every: Duration,
    due: Instant,
}

impl Dispatch {
    pub(super) fn new(notifier: Notifier, told: Receiver<Told>) -> Self {
        let mail = notifier.shared.mail.as_ref();
        let batch = mail.and_then(|mail| {
            let settings = mail.config.batch.clone()?;
            let every = Duration::from_secs(60 * settings.email_interval);
            Some(Batching {
                batch: Batch::new(settings, mail.config.email.clone()),
                every,
                due: Instant::now() + every,
            })
        });
        Self {
            notifier,
            told,
            batch,
        }
    }

    /// Goes on until nobody can tell anything any more, then sends what is left.
    pub(super) fn run(mut self) {
        loop {
            let due = self.batch.as_ref().map(|batching| batching.due);
            let wait = due.map_or(LONG, |due| due.saturating_duration_since(Instant::now()));
            match self.told.recv_timeout(wait) {
                Ok(told) => self.sort(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if due.is_some_and(|due| due <= Instant::now()) {
                self.send_batch();
            }
        }
        // As Luigi does when it stops.
        self.send_batch();
    }

    fn sort(&mut self, told: Told) {
        match told {
            Told::Notice(notice) => self.notice(&notice),
            Told::Entry(entry) => self.entry(&entry),
            Told::Disabled {
                task_id,
                failures,
                window,
                persist,
            } => {
                let mail = self.notifier.shared.mail.as_ref().and_then(|mail| {
                    disabled(&mail.config.email, &task_id, failures, window, persist)
                });
                self.send(mail);
            }
        }
    }

    fn notice(&self, notice: &Notice) {
        for hook in &self.notifier.shared.hooks {
            hook.tell(notice);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        if let Some(batching) = &mut self.batch {
            batching.batch.add(&Batched {
                what: entry.what,
                name: &entry.name,
                family: &entry.family,
                unbatched_params: &entry.unbatched_params,
                error: &entry.error,
                owners: &entry.owners,
            });
        }
    }

    fn send_batch(&mut self) {
        let Some(batching) = &mut self.batch else {
            return;
        };
        batching.due = Instant::now() + batching.every;
        let left_out = batching.batch.take_left_out();
        if left_out > 0 {
            tracing::warn!("{left_out} owners of failed tasks get no e-mail: there are too many");
        }
        let mails = batching.batch.take_mails();
        for mail in mails {
            self.send(Some(mail));
        }
    }

    fn send(&self, mail: Option<Mail>) {
        if let (Some(mail), Some(way)) = (mail, &self.notifier.shared.mail) {
            way.outbox.send(mail);
        }
    }
}
