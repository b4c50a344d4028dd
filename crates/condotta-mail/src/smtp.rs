//! The way to a mail server.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use lettre::{
    SmtpTransport, Transport as _,
    message::Mailbox,
    transport::smtp::{
        Error as LettreError,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};

use crate::{AddressError, Mail, SmtpSettings, mail::Composed};

/// How long to wait when the settings say that there is no limit.
const LONGEST: Duration = Duration::from_secs(60);
/// What a server says to a login that it does not like, or misses.
const LOGIN_REFUSED: [&str; 4] = ["530", "534", "535", "538"];

/// A mail server. Each mail has a connection of its own.
pub struct Smtp {
    transport: SmtpTransport,
    /// For people: host and port.
    place: String,
}

/// A way to a mail server that there cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The file of certificates cannot be used.
    #[error("[smtp] ca_file {path}: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The host is no name that TLS can check.
    #[error("[smtp] host {host}: {reason}")]
    Host {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The two ways of TLS exclude each other.
    #[error("[smtp] ssl and no_tls are both true: choose one")]
    SslWithoutTls,
}

/// A mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// Why, in words of the server or the system.
    pub reason: String,
    /// Whether it may go better later.
    pub is_passing: bool,
}

/// A mail was sent, though perhaps not to all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Who does not get it, and why.
    pub refused: Vec<(String, String)>,
}

impl Smtp {
    /// A way to this server. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the settings make no sense.
    pub fn new(settings: &SmtpSettings) -> Result<Self, SmtpError> {
        if settings.ssl && settings.no_tls {
            return Err(SmtpError::SslWithoutTls);
        }
        let login = settings.username.as_ref().zip(settings.password.as_ref());
        let usual = if settings.ssl { 465 } else { 25 };
        let port = if settings.port == 0 {
            usual
        } else {
            settings.port
        };
        let tls = if settings.no_tls {
            Tls::None
        } else {
            let parameters = tls_parameters(settings, login.is_some())?;
            if settings.ssl {
                Tls::Wrapper(parameters)
            } else if login.is_some() && !is_loopback(&settings.host) {
                // A password does not go through a network in the clear because somebody took the
                // server's word about TLS out of its greeting.
                Tls::Required(parameters)
            } else {
                Tls::Opportunistic(parameters)
            }
        };
        let timeout = match settings.timeout {
            Duration::ZERO => LONGEST,
            timeout => timeout,
        };
        let mut builder = SmtpTransport::builder_dangerous(&settings.host)
            .port(port)
            .tls(tls)
            .timeout(Some(timeout));
        if let Some(name) = &settings.local_hostname {
            builder = builder.hello_name(ClientId::Domain(name.clone()));
        }
        if let Some((username, password)) = login {
            let password = password.reveal().to_owned();
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            place: format!("{}:{port}", settings.host),
        })
    }

    /// Host and port, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Sends a mail; waits for the server to take it.
    ///
    /// # Errors
    ///
    /// When it goes to none of its recipients.
    pub fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        let composed = mail.compose().map_err(|error: AddressError| SendError {
            reason: error.to_string(),
            is_passing: false,
        })?;
        let mut sent = Sent {
            refused: composed.wrong.clone(),
        };
        if composed.to.is_empty() {
            return Err(SendError {
                reason: said(&sent.refused),
                is_passing: false,
            });
        }
        let error = match self.send_to(&composed, &composed.to) {
            Ok(()) => return Ok(sent),
            Err(error) => error,
        };
        if error.is_passing || composed.to.len() == 1 {
            return Err(error);
        }
        // One of them may be whom the server does not know: the others get it all the same.
        let before = sent.refused.len();
        for mailbox in &composed.to {
            if let Err(error) = self.send_to(&composed, std::slice::from_ref(mailbox)) {
                sent.refused.push((mailbox.to_string(), error.reason));
            }
        }
        if sent.refused.len() - before == composed.to.len() {
            return Err(error);
        }
        Ok(sent)
    }

    fn send_to(&self, composed: &Composed, to: &[Mailbox]) -> Result<(), SendError> {
        let envelope = composed.envelope(to);
        let sent = self.transport.send_raw(&envelope, &composed.bytes);
        sent.map(drop).map_err(|error| SendError {
            is_passing: is_passing(&error),
            reason: with_causes(&error),
        })
    }
}

/// Whether it may go better later: all but what the server refuses for good. A refused login is the
/// operator's to mend, and no reason to lose mail.
fn is_passing(error: &LettreError) -> bool {
    let code = error.status().map(|code| code.to_string());
    let is_login = code.is_some_and(|code| LOGIN_REFUSED.contains(&code.as_str()));
    is_login || !error.is_permanent()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn said(refused: &[(String, String)]) -> String {
    let reasons: Vec<&str> = refused.iter().map(|(_, reason)| reason.as_str()).collect();
    reasons.join("; ")
}

fn tls_parameters(settings: &SmtpSettings, logs_in: bool) -> Result<TlsParameters, SmtpError> {
    let verify = settings.verify.unwrap_or(settings.ssl || logs_in);
    let mut builder = TlsParameters::builder(settings.host.clone())
        .certificate_store(CertificateStore::WebpkiRoots)
        .dangerous_accept_invalid_certs(!verify);
    if let Some(path) = &settings.ca_file {
        let ca_file = |reason: String| SmtpError::CaFile {
            path: path.clone(),
            reason,
        };
        let pem = fs::read(path).map_err(|error| ca_file(error.to_string()))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|error| ca_file(with_causes(&error)))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| SmtpError::Host {
        host: settings.host.clone(),
        reason: with_causes(&error),
    })
}

fn is_loopback(host: &str) -> bool {
    let is_address = |ip: IpAddr| ip.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmailSettings, Secret};

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let both = SmtpSettings {
            ssl: true,
            no_tls: true,
            ..SmtpSettings::default()
        };
        assert!(Smtp::new(&both).is_err());
        let nowhere = SmtpSettings {
            ca_file: Some("/nowhere/ca.pem".into()),
            ..SmtpSettings::default()
        };
        let error = Smtp::new(&nowhere).err().expect("no such file").to_string();
        assert!(
            error.starts_with("[smtp] ca_file /nowhere/ca.pem: "),
            "{error}"
        );
    }

    #[test]
    fn nobody_listening_is_a_passing_trouble_that_names_no_secret() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let smtp = Smtp::new(&SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port,
            username: Some("me".to_owned()),
            password: Some(Secret::new("hunter2")),
            ..SmtpSettings::default()
        });
        let email = EmailSettings::on_host("vm");
        let mail = Mail::new(&email, "a", "b".to_owned(), ["x@example.com"]);
        let mail = mail.expect("somebody");
        let error = smtp
            .expect("a way")
            .send(&mail)
            .expect_err("nobody is there");
        assert!(
            error.is_passing && error.reason.contains("refused"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
