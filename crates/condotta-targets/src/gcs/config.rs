//! How a bucket is reached: endpoint and credentials.

use std::{env, fmt, io, path::PathBuf};

use opendal::services;

use crate::location::{Location, Secret};
use crate::remote::{
    objects::ObjectStore,
    settings::{secret, setting},
    store::{Connected, Protocol},
};

const SECTION: &str = "gcs";
const ADVICE: &str = "credentials come from GcsFileSystem::credential_file or ::token, else from the section [gcs] of the \
     configuration (credential_file, token), else from where Google's own programs look (GOOGLE_APPLICATION_CREDENTIALS, \
     gcloud's login, the machine's service account); the endpoint from endpoint_url";
/// The address of an emulator, which asks for no credentials, as Google's own libraries take it.
const EMULATOR: &str = "STORAGE_EMULATOR_HOST";

/// The settings of [`GcsFileSystem`](crate::GcsFileSystem).
#[derive(Clone, Default)]
pub struct Gcs {
    pub(super) endpoint: Option<String>,
    pub(super) credential_file: Option<PathBuf>,
    pub(super) token: Option<Secret>,
    pub(super) anonymous: bool,
}

impl Gcs {
    fn builder(&self, bucket: &str) -> io::Result<services::Gcs> {
        let mut builder = services::Gcs::default().bucket(bucket);
        let endpoint = match &self.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => setting(SECTION, "endpoint_url")?,
        };
        let emulator = env::var(EMULATOR).ok().filter(|value| !value.is_empty());
        let mut anonymous = self.anonymous;
        match (endpoint, emulator) {
            (Some(endpoint), _) => builder = builder.endpoint(&endpoint),
            (None, Some(emulator)) => {
                let emulator = match emulator.contains("://") {
                    true => emulator,
                    false => format!("http://{emulator}"),
                };
                builder = builder.endpoint(&emulator);
                anonymous = true;
            }
            (None, None) => {}
        }
        if anonymous {
            return Ok(builder.skip_signature());
        }
        let token = match &self.token {
            Some(token) => Some(token.clone()),
            None => secret(SECTION, "token")?,
        };
        if let Some(token) = token {
            builder = builder.token(token.reveal().to_owned());
        }
        let file = match &self.credential_file {
            Some(file) => Some(file.to_string_lossy().into_owned()),
            None => setting(SECTION, "credential_file")?,
        };
        if let Some(file) = file {
            builder = builder.credential_path(&file);
        }
        Ok(builder)
    }
}

impl Protocol for Gcs {
    const SCHEMES: &'static [&'static str] = &["gs", "gcs"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        let builder = self.builder(&location.host)?;
        // Batches of Google's are many requests in one, which count as many, and which its emulators do not take.
        let store = ObjectStore::new(builder, ADVICE, location)?.one_by_one();
        Ok(Connected::new(store))
    }
}

impl fmt::Debug for Gcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcs")
            .field("endpoint", &self.endpoint)
            .field("credential_file", &self.credential_file)
            .finish_non_exhaustive()
    }
}
