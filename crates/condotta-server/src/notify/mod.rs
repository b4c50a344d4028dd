//! Telling people and programs what happens: e-mail and webhooks.
//!
//! The scheduler's thread only puts what happened into a bounded channel (`watch`). A thread sorts it
//! (`dispatch`), and each way out has a thread and a bounded queue of its own, which try again when the
//! other end is down. Nobody waits for any of them.

mod backoff;
mod counts;
mod dispatch;
mod notice;
mod outbox;
mod spool;
mod watch;
pub mod webhook;

use std::{
    io::IsTerminal as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use condotta_mail::{BatchSettings, EmailSettings, SmtpError, SmtpSettings};

pub use counts::SendFigures;
pub use notice::NoticeKind;
pub use webhook::WebhookConfig;

use crate::observer::Observer;
use dispatch::Dispatch;
use outbox::Outbox;
use watch::Watch;
use webhook::Hook;

/// How many things that happened may wait to be sorted. It takes a flood to have so many wait.
const WAITING: usize = 4096;
/// How long what is left may take to be sent when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Whom the server tells what.
#[derive(Clone, Debug, Default)]
pub struct NotifyConfig {
    /// E-mail; none is sent without it.
    pub mail: Option<MailConfig>,
    /// Webhooks, each of another name.
    pub webhooks: Vec<WebhookConfig>,
    /// The server's address as people reach it, for links. `None`: where it listens.
    pub public_url: Option<String>,
}

/// How the server sends e-mail.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The section `[email]`.
    pub email: EmailSettings,
    /// The section `[smtp]`.
    pub smtp: SmtpSettings,
    /// Failures are told together, as this says. Otherwise a mail is sent when a task is disabled.
    pub batch: Option<BatchSettings>,
    /// How long to try to send a mail.
    pub retry_for: Duration,
    /// How many mails may wait to be sent.
    pub max_queue: usize,
}

/// What is told to nobody, since it cannot be.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// There is no such way to a mail server.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// An address is none.
    #[error("[email] {0}")]
    Address(#[from] condotta_mail::AddressError),
    /// A webhook cannot be called.
    #[error(transparent)]
    Webhook(#[from] webhook::WebhookError),
}

/// All ways out. Cheap to clone; all clones are the same ways. By default there is none.
#[derive(Clone, Default)]
pub struct Notifier {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    mail: Option<Mail>,
    hooks: Vec<Hook>,
    /// What happened and was not even sorted, since too much waited.
    dropped: Arc<AtomicU64>,
}

struct Mail {
    config: MailConfig,
    outbox: Outbox,
}

/// The threads of a [`Notifier`].
pub(crate) struct Running {
    notifier: Notifier,
    ended: mpsc::Receiver<()>,
}

impl Notifier {
    /// The ways out that the configuration says; nothing is sent yet. `home` is where unsent mail is kept.
    ///
    /// # Errors
    ///
    /// When one of them cannot work.
    pub fn new(config: NotifyConfig, home: &Path) -> Result<Self, NotifyError> {
        let hooks = config.webhooks.into_iter();
        let public_url = config.public_url.as_deref();
        let hooks = hooks
            .map(|hook| Hook::new(hook, public_url))
            .collect::<Result<Vec<Hook>, _>>()?;
        let mail = config.mail.map(|config| Mail::new(config, home));
        Ok(Self {
            shared: Arc::new(Shared {
                mail: mail.transpose()?,
                hooks,
                dropped: Arc::default(),
            }),
        })
    }

    /// Who hears of events, unless nobody wants to be told of any. Nothing is sent before
    /// [`Running::begin`].
    ///
    /// # Errors
    ///
    /// When the system has no thread.
    pub(crate) fn observer(&self) -> std::io::Result<Option<(Box<dyn Observer>, Running)>> {
        let shared = &self.shared;
        if shared.mail.is_none() && shared.hooks.is_empty() {
            return Ok(None);
        }
        let (sender, told) = mpsc::sync_channel(WAITING);
        let watch = Watch::new(sender, self.wanted(), Arc::clone(&shared.dropped));
        let (at_the_end, ended) = mpsc::channel();
        let dispatch = Dispatch::new(self.clone(), told);
        thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || {
                let _at_the_end: mpsc::Sender<()> = at_the_end;
                dispatch.run();
            })?;
        let running = Running {
            notifier: self.clone(),
            ended,
        };
        Ok(Some((Box::new(watch), running)))
    }

    /// Where the server listens, for links, unless the configuration names its address.
    pub fn place_server(&self, url: &str) {
        for hook in &self.shared.hooks {
            hook.place_server(url);
        }
    }

    /// A webhook by its name.
    pub fn hook(&self, name: &str) -> Option<&Hook> {
        self.shared.hooks.iter().find(|hook| hook.name() == name)
    }

    /// All webhooks.
    pub fn hooks(&self) -> &[Hook] {
        &self.shared.hooks
    }

    /// How e-mail goes; `None` when there is none.
    #[must_use]
    pub fn mail_figures(&self) -> Option<SendFigures> {
        let mail = self.shared.mail.as_ref();
        mail.map(|mail| mail.outbox.figures())
    }

    /// How many things happened that nobody is told of, since too much happened at once.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    fn wanted(&self) -> watch::Wanted {
        let hooks = self.shared.hooks.iter();
        watch::Wanted {
            kinds: hooks.flat_map(|hook| hook.kinds().clone()).collect(),
            batch: self.batch().is_some(),
            disabled: self.shared.mail.is_some() && self.batch().is_none(),
        }
    }

    fn batch(&self) -> Option<&BatchSettings> {
        self.shared.mail.as_ref()?.config.batch.as_ref()
    }
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notifier")
    }
}

impl Mail {
    fn new(config: MailConfig, home: &Path) -> Result<Self, NotifyError> {
        config.email.check()?;
        if let Some(reason) = config.email.why_not(std::io::stdout().is_terminal()) {
            tracing::info!("no e-mail will be sent, because {reason}");
        }
        Ok(Self {
            outbox: Outbox::new(&config, home)?,
            config,
        })
    }
}

impl Running {
    /// Sends from now on, unsent mail of an earlier server first. The state has to be this server's: another one
    /// would send the same mail.
    ///
    /// # Errors
    ///
    /// When the system has no thread.
    pub(crate) fn begin(&self) -> std::io::Result<()> {
        let shared = &self.notifier.shared;
        for hook in &shared.hooks {
            hook.start()?;
        }
        shared
            .mail
            .as_ref()
            .map_or(Ok(()), |mail| mail.outbox.start())
    }

    /// Sends what is left, within a few seconds. The observer has to be gone. Mail that is left after that is
    /// sent after the next start.
    pub(crate) fn stop(self) {
        let until = Instant::now() + FAREWELL;
        // Nobody sends anything: it is dropped at the end of the thread.
        let _ = self.ended.recv_timeout(FAREWELL);
        let shared = &self.notifier.shared;
        for hook in &shared.hooks {
            hook.close(until);
        }
        if let Some(mail) = &shared.mail {
            mail.outbox.close(until);
        }
        for hook in &shared.hooks {
            hook.wait(until);
        }
        if let Some(mail) = &shared.mail {
            mail.outbox.wait(until);
        }
    }
}
