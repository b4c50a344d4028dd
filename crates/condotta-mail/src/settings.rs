//! The sections `[email]`, `[smtp]` and `[batch_email]`, with Luigi's names and defaults.
//!
//! Reading files is somebody else's work.

use std::{path::PathBuf, time::Duration};

use crate::Secret;

/// How a mail is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    #[default]
    Plain,
    /// HTML.
    Html,
    /// Not at all: no mail is sent.
    None,
}

/// The section `[email]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// Send also when the output goes to a terminal.
    pub force_send: bool,
    /// How mails are written.
    pub format: Format,
    /// Before every subject.
    pub prefix: String,
    /// Who gets all mail: addresses with commas between; empty is nobody.
    pub receiver: String,
    /// Who sends.
    pub sender: String,
    /// How many characters of an error text a worker's mail shows.
    pub traceback_max_length: usize,
}

impl EmailSettings {
    /// Luigi's defaults on a host of this name.
    #[must_use]
    pub fn on_host(name: &str) -> Self {
        Self {
            force_send: false,
            format: Format::Plain,
            prefix: String::new(),
            receiver: String::new(),
            sender: format!("luigi-client@{name}"),
            traceback_max_length: 5000,
        }
    }

    /// Why no mail is sent now, whatever happens; `None` if it is.
    #[must_use]
    pub fn why_not(&self, on_a_terminal: bool) -> Option<&'static str> {
        match self.format {
            Format::None => Some("email format is 'none'"),
            _ if on_a_terminal && !self.force_send => Some("running from a tty"),
            _ => None,
        }
    }
}

/// The section `[smtp]`: the way to the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSettings {
    /// The server's name or address.
    pub host: String,
    /// Its port; 0 is the usual one.
    pub port: u16,
    /// Who logs in; needs a password, too.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// TLS from the first byte.
    pub ssl: bool,
    /// Never switch to TLS.
    pub no_tls: bool,
    /// How long to wait for the server at each step; zero is a minute.
    pub timeout: Duration,
    /// The name by which this machine greets the server.
    pub local_hostname: Option<String>,
    /// Whether the server has to prove who it is. Not said: when a password is sent, or with `ssl`.
    pub verify: Option<bool>,
    /// Certificates, in a PEM file, that are trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 0,
            username: None,
            password: None,
            ssl: false,
            no_tls: false,
            timeout: Duration::from_secs(10),
            local_hostname: None,
            verify: None,
            ca_file: None,
        }
    }
}

/// What counts as the same task in a batch mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchMode {
    /// Every task of a family.
    Family,
    /// Tasks of one name.
    All,
    /// Tasks of a family that agree in the parameters that cannot be batched.
    #[default]
    UnbatchedParams,
}

/// The section `[batch_email]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSettings {
    /// Minutes between two mails.
    pub email_interval: u64,
    /// What counts as the same task.
    pub batch_mode: BatchMode,
    /// Lines shown of an error, from its end; 0 shows all.
    pub error_lines: usize,
    /// Errors shown of each group.
    pub error_messages: usize,
    /// Show tasks with the same error together.
    pub group_by_error_messages: bool,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            email_interval: 60,
            batch_mode: BatchMode::default(),
            error_lines: 20,
            error_messages: 1,
            group_by_error_messages: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_from_a_terminal_only_when_forced() {
        let mut email = EmailSettings::on_host("vm");
        assert_eq!(email.why_not(false), None);
        assert_eq!(email.why_not(true), Some("running from a tty"));
        email.force_send = true;
        assert_eq!(email.why_not(true), None);
        email.format = Format::None;
        assert_eq!(email.why_not(false), Some("email format is 'none'"));
    }
}
