//! E-mail about failures, as Luigi's workers send it: sections `[email]` and `[smtp]`.
//!
//! A thread of its own sends, so that a slow mail server holds up no task.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use condotta_mail::{
    AddressError, EmailSettings, Format, Mail, Report, Secret, Smtp, SmtpError, SmtpSettings,
    addresses,
};
use condotta_scheduler::Visibility;
use condotta_worker::{Notifier, Private, Runnable};

use super::settings::{SettingError, Settings};
use crate::registry;

/// How many mails wait at most. It takes a flood of failures, of which one needs no mail each.
const WAITING: usize = 1000;
/// How often a mail is tried.
const ATTEMPTS: u32 = 3;
/// How long the program stays for mails that are not sent yet.
const FAREWELL: Duration = Duration::from_secs(30);

/// What cannot be used to send e-mail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    #[error("[email] {0}")]
    Address(#[from] AddressError),
}

/// Sends mails about failures.
pub(crate) struct Mailer {
    email: EmailSettings,
    host: String,
    /// The command line of this program, without the values of hidden and private parameters.
    command: Vec<String>,
    /// Until the end.
    queue: Mutex<Option<SyncSender<Mail>>>,
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Mailer {
    /// As the settings say. Nothing is sent when nobody is to be told.
    pub(crate) fn start(settings: &Settings) -> Result<Arc<Self>, MailError> {
        let host = nix::unistd::gethostname().ok();
        let host = host.and_then(|name| name.into_string().ok());
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let email = email(settings, &host)?;
        email.check()?;
        let smtp = Smtp::new(&smtp(settings)?)?;
        let method: String = settings.require("email", "method")?;
        let is_other = method != "smtp" && !email.receiver.is_empty();
        if is_other && email.format != Format::None {
            tracing::warn!(
                "[email] method = {method} has no effect: mail is sent by SMTP, through the server of section \
                 [smtp], which may be that service's"
            );
        }
        let (queue, waiting) = mpsc::sync_channel::<Mail>(WAITING);
        let (at_the_end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                let _at_the_end: mpsc::Sender<()> = at_the_end;
                for mail in waiting {
                    send(&smtp, &mail);
                }
            })
            .expect("there is a thread to be had");
        let arguments = std::env::args_os().map(|it| it.to_string_lossy().into_owned());
        Ok(Arc::new(Self {
            email,
            host,
            command: SecretFlags::of_all().hide(arguments),
            queue: Mutex::new(Some(queue)),
            ended: Mutex::new(ended),
        }))
    }

    /// Waits a while until all mails are sent.
    pub(crate) fn finish(&self) {
        let queue = self.queue.lock();
        drop(queue.unwrap_or_else(PoisonError::into_inner).take());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(FAREWELL) {
            tracing::warn!(
                "not all e-mails could be sent within {} s; those left are lost",
                FAREWELL.as_secs()
            );
        }
    }

    /// A mail about a task, to the receiver and the task's owners.
    fn tell(&self, task: &dyn Runnable, subject: &str, headline: &str, error: &str) {
        let params = task.params();
        let shown = params.iter();
        let shown: Vec<(String, String)> = shown
            .filter(|param| param.visibility == Visibility::Public)
            .map(|param| (param.name.clone(), param.value.clone()))
            .collect();
        let secret = params.iter();
        let secret = secret.filter(|param| param.visibility != Visibility::Public);
        let secret = Private::new(secret.map(|param| (param.name.clone(), param.value.clone())));
        let command = self.command.iter();
        let command = command_line(command.map(|word| secret.hide(word).into_owned()));
        let private = Private::of(task);
        let report = Report {
            headline: &private.hide(headline),
            family: task.family(),
            params: &shown,
            command: &command,
            error: &private.hide(error),
        };
        let owners = task.owners();
        let recipients = std::iter::once(&self.email.receiver).chain(&owners);
        self.send(&private.hide(subject), report.body(&self.email), recipients);
    }

    fn send<'a>(&self, subject: &str, body: String, recipients: impl Iterator<Item = &'a String>) {
        let Some(mail) = Mail::new(&self.email, subject, body, recipients) else {
            return;
        };
        let to = mail.recipients.join(", ");
        if let Some(reason) = self.email.why_not(io::stdout().is_terminal()) {
            tracing::info!("Not sending email to {to} because {reason}");
            return;
        }
        tracing::info!("Sending email to {to}");
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = queue.as_ref().map(|queue| queue.try_send(mail));
        if let Some(Err(TrySendError::Full(mail))) = sent {
            tracing::error!("too many e-mails wait; left out: {}", mail.subject);
        }
    }
}

impl Notifier for Mailer {
    fn task_failed(&self, task: &dyn Runnable, error: &str) {
        let (name, host) = (task.display_name(), &self.host);
        let headline = "A task failed when running. Most likely run() raised an exception.";
        let subject = format!("Luigi: {name} FAILED. Host: {host}");
        self.tell(task, &subject, headline, error);
    }

    fn scheduling_failed(&self, task: &dyn Runnable, method: &str, error: &str) {
        let (name, host) = (task.display_name(), &self.host);
        let headline =
            format!("Will not run {name} or any dependencies due to error in {method} method");
        let subject = format!("Luigi: {name} failed scheduling. Host: {host}");
        self.tell(task, &subject, &headline, error);
    }

    fn planning_failed(&self, task: &dyn Runnable, error: &str) {
        let (name, host) = (task.display_name(), &self.host);
        let subject = format!("Luigi: Framework error while scheduling {name}. Host: {host}");
        self.tell(task, &subject, "Luigi framework error", error);
    }

    fn load_failed(&self, task_ids: &[String], error: &str) {
        let ids = task_ids.join(",");
        let subject = format!("Luigi: Cannot find task(s) sent by scheduler: {ids}");
        let recipients = [&self.email.receiver];
        self.send(&subject, error.to_owned(), recipients.into_iter());
    }
}

/// Tries a few times.
fn send(smtp: &Smtp, mail: &Mail) {
    let began = Instant::now();
    for attempt in 1..=ATTEMPTS {
        match smtp.send(mail) {
            Ok(sent) => {
                for (recipient, reason) in sent.refused {
                    tracing::error!(
                        "mail \"{}\" does not reach {recipient}: {reason}",
                        mail.subject
                    );
                }
                return;
            }
            Err(error) => {
                let is_last = attempt == ATTEMPTS || began.elapsed() > FAREWELL;
                if !error.is_passing || is_last {
                    let (place, subject) = (smtp.place(), &mail.subject);
                    tracing::error!("mail \"{subject}\" is not sent: {place} says: {error}");
                    return;
                }
            }
        }
        thread::sleep(Duration::from_secs(u64::from(attempt)));
    }
}

fn email(settings: &Settings, host: &str) -> Result<EmailSettings, SettingError> {
    const EMAIL: &str = "email";
    let mut email = EmailSettings::on_host(host);
    email.force_send = settings.require(EMAIL, "force_send")?;
    let format: String = settings.require(EMAIL, "format")?;
    email.format = match format.as_str() {
        "html" => Format::Html,
        "none" => Format::None,
        _ => Format::Plain,
    };
    email.prefix = settings.require(EMAIL, "prefix")?;
    let receiver: String = settings.require(EMAIL, "receiver")?;
    email.receiver = addresses(&receiver).collect::<Vec<String>>().join(",");
    if let Some(sender) = settings.get::<String>(EMAIL, "sender")? {
        email.sender = sender;
    }
    email.traceback_max_length = settings.require(EMAIL, "traceback_max_length")?;
    Ok(email)
}

fn smtp(settings: &Settings) -> Result<SmtpSettings, SettingError> {
    const SMTP: &str = "smtp";
    let text = |name| {
        let said: Result<Option<String>, SettingError> = settings.get(SMTP, name);
        said.map(|text| text.filter(|text| !text.is_empty()))
    };
    let secs: f64 = settings.require(SMTP, "timeout")?;
    Ok(SmtpSettings {
        host: settings.require(SMTP, "host")?,
        port: settings.require(SMTP, "port")?,
        username: text("username")?,
        password: text("password")?.map(Secret::new),
        ssl: settings.require(SMTP, "ssl")?,
        no_tls: settings.require(SMTP, "no_tls")?,
        timeout: Duration::try_from_secs_f64(secs).unwrap_or_default(),
        local_hostname: text("local_hostname")?,
        verify: settings.get(SMTP, "verify")?,
        ca_file: text("ca_file")?.map(Into::into),
    })
}

/// Flags that give a setting which is secret.
const SECRET_SETTINGS: [&str; 4] = [
    "--core-rpc-token",
    "--core-smtp-password",
    "--sendgrid-apikey",
    "--smtp-password",
];

/// The flags of all tasks' parameters, and those of secret settings.
#[derive(Default)]
struct SecretFlags {
    public: BTreeSet<String>,
    secret: BTreeSet<String>,
}

impl SecretFlags {
    fn of_all() -> Self {
        let mut flags = Self::default();
        flags.secret.extend(SECRET_SETTINGS.map(str::to_owned));
        for class in registry::all() {
            let family = (class.family)();
            for param in (class.params)() {
                // A root task's need not say its family.
                for long in [param.name.to_owned(), format!("{family}-{}", param.name)] {
                    flags.add(&long, param.visibility);
                }
            }
        }
        flags
    }

    fn add(&mut self, long: &str, visibility: Visibility) {
        let flags = match visibility {
            Visibility::Public => &mut self.public,
            Visibility::Hidden | Visibility::Private => &mut self.secret,
        };
        flags.insert(format!("--{}", long.replace('_', "-")));
    }

    /// A flag may be cut short where it is clear all the same.
    fn has(&self, word: &str) -> bool {
        let is_short = word.len() > 2 && word.starts_with("--") && !self.public.contains(word);
        let mut secret = self.secret.iter();
        self.secret.contains(word) || is_short && secret.any(|flag| flag.starts_with(word))
    }

    /// The arguments without the values of hidden and private parameters.
    fn hide(&self, arguments: impl Iterator<Item = String>) -> Vec<String> {
        let mut is_value = false;
        let shown = arguments.map(|word| {
            let (flag, value) = match word.split_once('=') {
                Some((flag, _)) => (flag, true),
                None => (word.as_str(), false),
            };
            if std::mem::take(&mut is_value) && !word.starts_with("--") {
                return "***".to_owned();
            }
            if !self.has(flag) {
                return word;
            }
            is_value = !value;
            if value { format!("{flag}=***") } else { word }
        });
        shown.collect()
    }
}

/// The arguments as one line, as Python's `list2cmdline` writes most of them; passwords in URLs, such as a
/// token in the scheduler's, stay out.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let quoted = arguments.map(|argument| {
        let needs_quotes = argument.is_empty() || argument.contains([' ', '\t']);
        let argument = without_password(&argument).replace('"', "\\\"");
        if needs_quotes {
            format!("\"{argument}\"")
        } else {
            argument
        }
    });
    quoted.collect::<Vec<String>>().join(" ")
}

/// A word without what stands between `:` and `@` in the authority of a URL in it.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, place)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}@{place}{path}")
        }
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_stays_out() {
        let words = [
            "--scheduler-url=https://me:secret@host:8082/",
            "http://:secret@h",
            "http://h:1/a@b",
            "me:x@h",
        ];
        let shown = "--scheduler-url=https://me@host:8082/ http://@h http://h:1/a@b me:x@h";
        assert_eq!(command_line(words.into_iter().map(str::to_owned)), shown);
    }

    #[test]
    fn values_of_hidden_and_private_parameters_stay_out() {
        let mut flags = SecretFlags::default();
        for (long, visibility) in [
            ("pass", Visibility::Public),
            ("pass_word", Visibility::Private),
            ("Load-pass_word", Visibility::Private),
            ("to", Visibility::Hidden),
        ] {
            flags.add(long, visibility);
        }
        flags.secret.extend(SECRET_SETTINGS.map(str::to_owned));
        let words = "Load --smtp-password f --sendgrid-apikey=g --smtp-pass h --smtp-host i";
        let shown = flags.hide(words.split(' ').map(str::to_owned));
        assert_eq!(
            shown.join(" "),
            "Load --smtp-password *** --sendgrid-apikey=*** --smtp-pass *** --smtp-host i"
        );
        let words = "Load --pass a --pass-word b --Load-pass-word=c --pass-w d --to --day e";
        let shown = flags.hide(words.split(' ').map(str::to_owned));
        assert_eq!(
            shown.join(" "),
            "Load --pass a --pass-word *** --Load-pass-word=*** --pass-w *** --to --day e"
        );
    }

    #[test]
    fn command_lines_are_quoted_as_pythons() {
        let arguments = ["a b", "", "c\"d", "--x=1"];
        assert_eq!(
            command_line(arguments.into_iter().map(str::to_owned)),
            "\"a b\" \"\" c\\\"d --x=1"
        );
    }
}
