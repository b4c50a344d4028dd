//! What the clients of HTTP have in common: whose certificates they trust, and what their failures say.

use std::{env, io};

use rustls::CertificateError;
use rustls_native_certs::load_native_certs;
use ureq::{
    Error,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// Trusts the certificates of the system, or instead of them those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; where
/// there are none, as in a small container, Mozilla's, which are built in.
pub(crate) fn tls() -> TlsConfig {
    let found = load_native_certs().certs;
    let config = TlsConfig::builder();
    if found.is_empty() && !are_named() {
        return config.build();
    }
    let trusted = found
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned());
    config.root_certs(RootCerts::from(trusted)).build()
}

/// Whether the environment names certificates.
fn are_named() -> bool {
    let mut names = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter();
    names.any(|name| env::var_os(name).is_some())
}

/// What the client says, in the words of I/O. They have no URL in them, which may have a secret.
pub(crate) fn explained(error: Error) -> io::Error {
    let kind = match &error {
        Error::Io(source) if source.kind() == io::ErrorKind::Other => {
            io::ErrorKind::ConnectionReset
        }
        Error::Io(source) => source.kind(),
        Error::Timeout(_) => io::ErrorKind::TimedOut,
        Error::ConnectionFailed => io::ErrorKind::ConnectionRefused,
        Error::Protocol(_) => io::ErrorKind::ConnectionAborted,
        _ => io::ErrorKind::Other,
    };
    let said = match &error {
        Error::BadUri(_) => "the address makes no URL".to_owned(),
        Error::Rustls(refusal) => of_tls(refusal),
        Error::Io(source) => match source.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(refusal) => of_tls(refusal),
            None => error.to_string(),
        },
        _ => error.to_string(),
    };
    io::Error::new(kind, said)
}

/// What is wrong with an encrypted connection, and what to do.
fn of_tls(error: &rustls::Error) -> String {
    let reason = match error {
        rustls::Error::InvalidCertificate(reason) => reason,
        rustls::Error::InvalidMessage(_) => {
            return "the server speaks no TLS at this port: is it http:// there?".to_owned();
        }
        _ => return format!("the connection cannot be encrypted: {error}"),
    };
    match reason {
        // The latter where an authority has the name of one that is trusted, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let unread = load_native_certs().errors.into_iter().next();
            let unread = unread.filter(|_| are_named());
            let unread = unread.map_or_else(String::new, |error| {
                format!("; the one that it names now is not read: {error}")
            });
            format!(
                "the server's certificate is signed by nobody who is trusted here; SSL_CERT_FILE names a file of \
                 certificates to trust{unread}"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; whoever runs the server has to renew it, unless this machine's \
             clock is wrong"
                .to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the server's certificate is not for {}, but for {}; the URL has to name the server as its certificate does",
            expected.to_str(),
            presented
                .iter()
                .map(|name| plain(name))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        other => format!("the server's certificate is refused: {other}"),
    }
}

/// The name in `DnsName("host.example.com")`.
fn plain(presented: &str) -> &str {
    let inside = presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest);
    inside.trim_end_matches(')').trim_matches('"')
}
