//! How a container is reached: account, endpoint, credentials.

use std::{env, fmt, io};

use opendal::services;

use crate::location::{Location, Secret};
use crate::remote::{
    objects::ObjectStore,
    settings::{secret, setting},
    store::{Connected, Protocol},
};

const SECTION: &str = "azure";
const ADVICE: &str = "the account and its key come from AzureFileSystem::account, else from the section [azure] of the configuration \
     (account_name, account_key or sas_token), else from AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, \
     else from where Azure's own programs look (a managed identity and so on); the endpoint from endpoint_url";

/// The settings of [`AzureFileSystem`](crate::AzureFileSystem).
#[derive(Clone, Default)]
pub struct Azure {
    pub(super) account: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) sas_token: Option<Secret>,
    pub(super) endpoint: Option<String>,
}

impl Azure {
    /// What was given, or what the configuration says, or a variable of the environment.
    fn account(&self) -> io::Result<Option<String>> {
        if self.account.is_some() {
            return Ok(self.account.clone());
        }
        Ok(setting(SECTION, "account_name")?.or_else(|| from_environment("AZURE_STORAGE_ACCOUNT")))
    }

    /// The key, or else the token. One that was given is the only one that counts.
    fn credentials(&self) -> io::Result<(Option<Secret>, Option<Secret>)> {
        if self.key.is_some() || self.sas_token.is_some() {
            return Ok((self.key.clone(), self.sas_token.clone()));
        }
        let configured = (
            secret(SECTION, "account_key")?,
            secret(SECTION, "sas_token")?,
        );
        if configured.0.is_some() || configured.1.is_some() {
            return Ok(configured);
        }
        let secret_of = |name| from_environment(name).map(Secret::new);
        Ok((
            secret_of("AZURE_STORAGE_KEY"),
            secret_of("AZURE_STORAGE_SAS_TOKEN"),
        ))
    }

    fn builder(&self, container: &str) -> io::Result<services::Azblob> {
        let account = self.account()?;
        let endpoint = match &self.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => setting(SECTION, "endpoint_url")?,
        };
        let endpoint = match (endpoint, &account) {
            (Some(endpoint), _) => endpoint,
            (None, Some(account)) => format!("https://{account}.blob.core.windows.net"),
            (None, None) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("no account is named; {ADVICE}"),
                ));
            }
        };
        let mut builder = services::Azblob::default()
            .container(container)
            .endpoint(&endpoint);
        if let Some(account) = &account {
            builder = builder.account_name(account);
        }
        let (key, token) = self.credentials()?;
        if let Some(key) = key {
            builder = builder.account_key(key.reveal());
        }
        if let Some(token) = token {
            builder = builder.sas_token(token.reveal().trim_start_matches('?'));
        }
        Ok(builder)
    }
}

impl Protocol for Azure {
    const SCHEMES: &'static [&'static str] = &["azblob", "az"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        let builder = self.builder(&location.host)?;
        Ok(Connected::new(ObjectStore::new(builder, ADVICE, location)?))
    }
}

fn from_environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("account", &self.account)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
