//! Encrypted connections: the certificate and its key, and how a connection begins.
//!
//! The files are looked at with each new connection, so a renewed certificate needs no restart. Knows
//! nothing of what is said over a connection.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Peer;
use crate::seldom::Seldom;

/// The first byte of whoever speaks TLS.
const HANDSHAKE: u8 = 0x16;
/// What is read of a request that was not encrypted, so that its sender reads the answer.
const LINGER_BYTES: u64 = 64 << 10;

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its root, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read the {what} in {}: {reason}", path.display())]
    File {
        /// Which one.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What is in the files does not work.
    #[error(
        "cannot use the certificate in {} with the key in {}: {reason}",
        files.certificate.display(),
        files.key.display()
    )]
    Unusable {
        /// The files.
        files: TlsFiles,
        /// Why.
        reason: String,
    },
}

/// Encrypts connections. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    refused: Arc<Seldom>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// With the certificate and key that are in these files now, and whenever they change.
    ///
    /// # Errors
    ///
    /// When they cannot be used.
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let certificates = Certificates::read(files, provider.clone())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has what TLS 1.2 and 1.3 need")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            refused: Arc::default(),
        })
    }

    /// Begins an encrypted connection, within `time`. Nothing if the client does not.
    pub(super) async fn begin(
        &self,
        stream: TcpStream,
        peer: Peer,
        time: Duration,
    ) -> Option<Box<TlsStream<TcpStream>>> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
                explain(stream).await?;
                return Ok(None);
            }
            let stream = self.acceptor.accept(stream).await?;
            Ok::<_, io::Error>(Some(Box::new(stream)))
        };
        match timeout(time, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                // What a client says of our certificate, it says to us alone.
                if error.kind() == io::ErrorKind::InvalidData && self.refused.is_due() {
                    tracing::warn!("no encrypted connection with {peer}: {error}");
                }
                None
            }
            Err(_) => None,
        }
    }
}

/// Answers who speaks plain HTTP to a port that is encrypted.
async fn explain(mut stream: TcpStream) -> io::Result<()> {
    let body = "{\"error\": {\"code\": \"not_encrypted\", \"message\": \"this port speaks TLS: use https:// \
                instead of http://\"}}\n";
    let length = body.len();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    // To close a socket with unread bytes in it would take the answer from the client.
    let mut rest = stream.take(LINGER_BYTES);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    Ok(())
}

/// What tells one version of a file from another.
type Stamp = (u64, i64, i64, u64);

/// The certificate that was read last.
struct Certificates {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    newest: Mutex<(Option<[Stamp; 2]>, Arc<CertifiedKey>)>,
    trouble: Seldom,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

impl Certificates {
    fn read(files: TlsFiles, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let stamps = stamps(&files);
        let read = read(&files, &provider)?;
        warn_of_readers(&files.key);
        Ok(Self {
            files,
            provider,
            newest: Mutex::new((stamps, Arc::new(read))),
            trouble: Seldom::default(),
        })
    }

    /// What is in the files; while that cannot be used, for instance because one of them has been
    /// renewed and the other is about to be, what could be used last.
    fn newest(&self) -> Arc<CertifiedKey> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps != newest.0 {
            match read(&self.files, &self.provider) {
                Ok(read) => {
                    tracing::info!(
                        "Renewed the certificate from {}",
                        self.files.certificate.display()
                    );
                    *newest = (stamps, Arc::new(read));
                }
                Err(error) if self.trouble.is_due() => {
                    tracing::error!("going on with the old certificate: {error}");
                }
                Err(_) => {}
            }
        }
        newest.1.clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.newest())
    }
}

fn stamps(files: &TlsFiles) -> Option<[Stamp; 2]> {
    let stamp = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec(), found.size()))
    };
    Some([stamp(&files.certificate)?, stamp(&files.key)?])
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| match chain.is_empty() {
            true => Err(pem::Error::NoItemsFound),
            false => Ok(chain),
        });
    let chain = chain.map_err(|error| unread("certificate", &files.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| unread("private key", &files.key, &error))?;
    let certified = CertifiedKey::from_der(chain, key, provider);
    certified.map_err(|error| TlsError::Unusable {
        files: files.clone(),
        reason: error.to_string(),
    })
}

fn unread(what: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    let reason = match error {
        pem::Error::NoItemsFound => "there is none in PEM, which begins with -----BEGIN".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    TlsError::File {
        what,
        path: path.to_owned(),
        reason,
    }
}

fn warn_of_readers(key: &Path) {
    let mode = fs::metadata(key).map_or(0, |found| found.mode());
    if mode & 0o004 != 0 {
        tracing::warn!(
            "every user of this machine can read the private key in {}: chmod o-r it",
            key.display()
        );
    }
}
