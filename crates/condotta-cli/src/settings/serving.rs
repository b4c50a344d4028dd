//! How connections and requests are taken in: keys of section `[scheduler]`.

use std::{path::PathBuf, time::Duration};

use condotta_server::{
    http::HttpConfig,
    listen::{Limits, TlsFiles},
};

use super::{Section, SettingError};

/// What the configuration says about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Serving {
    /// The certificate for encrypted connections.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its key.
    pub(crate) tls_key: Option<PathBuf>,
    /// What connections may take.
    pub(crate) limits: Limits,
    /// How requests are taken in.
    pub(crate) http: HttpConfig,
}

/// Reads it.
pub(super) fn serving(section: &Section<'_>) -> Result<Serving, SettingError> {
    let mut serving = Serving::default();
    let file = |key| Ok::<_, SettingError>(section.text(key)?.filter(|text| !text.is_empty()));
    serving.tls_certificate = file("tls_certificate")?.map(PathBuf::from);
    serving.tls_key = file("tls_key")?.map(PathBuf::from);
    let Serving { limits, http, .. } = &mut serving;
    for (key, size) in [
        ("max_connections", &mut limits.max_connections),
        ("max_body_bytes", &mut http.max_body),
        ("max_bodies_bytes", &mut http.max_bodies),
    ] {
        section.positive(key, size)?;
    }
    for (key, time) in [
        ("header_timeout", &mut limits.header_timeout),
        ("body_timeout", &mut http.body_timeout),
        ("idle_timeout", &mut limits.idle_timeout),
        ("write_timeout", &mut limits.write_timeout),
    ] {
        let mut secs = time.as_secs_f64();
        section.number(key, &mut secs)?;
        let read = Duration::try_from_secs_f64(secs).ok();
        let positive = read.filter(|time| !time.is_zero() && secs < 1e9);
        *time = positive.ok_or_else(|| section.invalid(key, "a number of seconds above 0"))?;
    }
    Ok(serving)
}

impl Serving {
    /// The files of the certificate: those of the command line, else those of the configuration.
    ///
    /// # Errors
    ///
    /// Which of them is missing.
    pub(crate) fn tls(
        &self,
        certificate: Option<&PathBuf>,
        key: Option<&PathBuf>,
    ) -> Result<Option<TlsFiles>, &'static str> {
        let certificate = certificate.or(self.tls_certificate.as_ref());
        match (certificate, key.or(self.tls_key.as_ref())) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            })),
            (Some(_), None) => Err(
                "there is a certificate and no private key for it: name its file with --tls-key, or as \
                 tls_key in section [scheduler]",
            ),
            (None, Some(_)) => Err(
                "there is a private key and no certificate for it: name its file with \
                 --tls-certificate, or as tls_certificate in section [scheduler]",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    #[test]
    fn limits_are_read() {
        let text = "[scheduler]\nmax_connections = 5\nmax_body_bytes = 1000\nmax_bodies_bytes = 2000\n\
                    header_timeout = 0.5\nbody_timeout = 2\nidle_timeout = 3\nwrite_timeout = 4\n";
        let serving = settings(text).unwrap().serving;
        assert_eq!(serving.limits.max_connections, 5);
        assert_eq!(serving.http.max_body, 1000);
        assert_eq!(serving.http.max_bodies, 2000);
        assert_eq!(serving.limits.header_timeout, Duration::from_millis(500));
        assert_eq!(serving.http.body_timeout, Duration::from_secs(2));
        assert_eq!(serving.limits.idle_timeout, Duration::from_secs(3));
        assert_eq!(serving.limits.write_timeout, Duration::from_secs(4));
    }

    #[test]
    fn what_would_let_nobody_in_is_refused() {
        for text in [
            "max_connections = 0",
            "header_timeout = 0",
            "body_timeout = -1",
            "idle_timeout = inf",
        ] {
            let error = settings(&format!("[scheduler]\n{text}\n")).unwrap_err();
            assert!(error.contains("above 0"), "{error}");
        }
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let file = |name: &str| PathBuf::from(name);
        let both = settings("[scheduler]\ntls_certificate = c\ntls_key = k\n")
            .unwrap()
            .serving;
        let files = both.tls(None, None).unwrap().unwrap();
        assert_eq!((files.certificate, files.key), (file("c"), file("k")));
        let files = both.tls(Some(&file("x")), None).unwrap().unwrap();
        assert_eq!((files.certificate, files.key), (file("x"), file("k")));
        let none = Serving::default();
        assert!(none.tls(None, None).unwrap().is_none());
        assert!(
            none.tls(Some(&file("x")), None)
                .unwrap_err()
                .contains("--tls-key")
        );
        assert!(
            none.tls(None, Some(&file("k")))
                .unwrap_err()
                .contains("--tls-certificate")
        );
    }
}
