//! How a client says who it is, and which certificates it takes. Tells no secret when it is shown.

use std::{env, fmt, path::PathBuf, sync::Arc};

use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use ureq::tls::{Certificate, RootCerts};

use super::RemoteError;

/// Who asks, and whom it trusts.
#[derive(Clone, Default)]
pub struct Identity {
    /// The token that is sent. A user and a password in the URL count before it, and the variable
    /// `CONDOTTA_TOKEN`, which suits tokens better than files that many can read.
    pub token: Option<String>,
    /// File or directory of the certificates to trust, as PEM, instead of those that the environment
    /// (`REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`) names and those of the system.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("has_token", &self.token.is_some())
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

impl Identity {
    /// The value of the header `Authorization`, if there is a token.
    pub(super) fn authorization(&self) -> Result<Option<String>, RemoteError> {
        let variable = env::var_os("CONDOTTA_TOKEN");
        let variable = variable.map(|token| token.to_string_lossy().into_owned());
        let is_said = |token: &String| !token.trim().is_empty();
        let token = variable.filter(is_said).or_else(|| self.token.clone());
        let Some(token) = token.filter(is_said) else {
            return Ok(None);
        };
        let token = token.trim();
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RemoteError::Token);
        }
        Ok(Some(format!("Bearer {token}")))
    }

    /// The certificates that are trusted.
    pub(super) fn root_certs(&self) -> RootCerts {
        let variables = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
        let in_environment = variables.iter().find_map(env::var_os);
        let named = self
            .ca_file
            .clone()
            .or_else(|| in_environment.map(PathBuf::from))
            .filter(|path| !path.as_os_str().is_empty());
        let Some(path) = named else {
            // These are the system's, or what SSL_CERT_FILE and SSL_CERT_DIR name.
            let found = trusted(load_native_certs(), "of the system");
            return found.unwrap_or(RootCerts::WebPki);
        };
        let (file, directory) = if path.is_dir() {
            (None, Some(path.as_path()))
        } else {
            (Some(path.as_path()), None)
        };
        let place = format!("in {}", path.display());
        let found = trusted(load_certs_from_paths(file, directory), &place);
        // Whoever names certificates trusts no others.
        found.unwrap_or_else(|| RootCerts::Specific(Arc::default()))
    }
}

fn trusted(found: CertificateResult, place: &str) -> Option<RootCerts> {
    let certificates: Vec<_> = found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    if certificates.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(String::new, |error| format!(": {error}"));
        tracing::warn!(
            target: "luigi-interface",
            "There are no certificates {place}{why}",
        );
        return None;
    }
    Some(RootCerts::Specific(Arc::new(certificates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(token: &str) -> Identity {
        Identity {
            token: Some(token.to_owned()),
            ca_file: None,
        }
    }

    #[test]
    fn a_token_is_sent_as_bearer_and_shown_nowhere() {
        let identity = with(" secret\n");
        let header = identity.authorization().unwrap();
        assert_eq!(header.as_deref(), Some("Bearer secret"));
        assert!(!format!("{identity:?}").contains("secret"));
        assert!(with(" ").authorization().unwrap().is_none());
        let error = with("se cret").authorization().unwrap_err().to_string();
        assert!(
            error.contains("rpc_token") && !error.contains("cret"),
            "{error}"
        );
    }

    #[test]
    fn whoever_names_certificates_trusts_no_others() {
        let home = tempfile::tempdir().unwrap();
        for path in [home.path().join("absent"), home.path().to_owned()] {
            let identity = Identity {
                token: None,
                ca_file: Some(path),
            };
            let RootCerts::Specific(trusted) = identity.root_certs() else {
                panic!("others are trusted");
            };
            assert!(trusted.is_empty());
        }
    }
}
