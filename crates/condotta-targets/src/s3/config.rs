//! How a bucket is reached: endpoint, region, credentials.

use std::{env, fmt, io};

use opendal::services;

use crate::location::{Location, Secret};
use crate::remote::{
    objects::ObjectStore,
    settings::{secret, setting},
    store::{Connected, Protocol},
};

const SECTION: &str = "s3";
const ADVICE: &str = "credentials come from S3FileSystem::credentials, else from the section [s3] of the configuration \
     (aws_access_key_id, aws_secret_access_key), else from where AWS's own programs look (AWS_ACCESS_KEY_ID, \
     ~/.aws/credentials and so on); the region from region_name or AWS_REGION, the endpoint from endpoint_url or AWS_ENDPOINT_URL";

/// The settings of [`S3FileSystem`](crate::S3FileSystem).
#[derive(Clone, Default)]
pub struct S3 {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) credentials: Option<Credentials>,
}

/// What proves who asks.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

impl S3 {
    /// The credentials that were given, or those of the configuration. Luigi's section has them, too.
    fn credentials(&self) -> io::Result<Option<Credentials>> {
        if let Some(given) = &self.credentials {
            return Ok(Some(given.clone()));
        }
        let id = setting(SECTION, "aws_access_key_id")?;
        let key = secret(SECTION, "aws_secret_access_key")?;
        let token = secret(SECTION, "aws_session_token")?;
        Ok(id
            .zip(key)
            .map(|(id, secret)| Credentials { id, secret, token }))
    }

    fn builder(&self, bucket: &str) -> io::Result<services::S3> {
        let or_configured = |given: &Option<String>, key| match given {
            Some(given) => Ok(Some(given.clone())),
            None => setting(SECTION, key),
        };
        let region = or_configured(&self.region, "region_name")?
            .or_else(|| from_environment(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .unwrap_or_else(|| "us-east-1".to_owned());
        let mut builder = services::S3::default().bucket(bucket).region(&region);
        let endpoint = or_configured(&self.endpoint, "endpoint_url")?
            .or_else(|| from_environment(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]));
        if let Some(endpoint) = endpoint {
            builder = builder.endpoint(&endpoint);
        }
        if let Some(profile) = or_configured(&self.profile, "profile_name")? {
            builder = builder.profile(&profile);
        }
        if let Some(credentials) = self.credentials()? {
            builder = builder
                .access_key_id(&credentials.id)
                .secret_access_key(credentials.secret.reveal());
            if let Some(token) = &credentials.token {
                builder = builder.session_token(token.reveal());
            }
        }
        if let Some(role) = setting(SECTION, "aws_role_arn")? {
            builder = builder.role_arn(&role);
            if let Some(name) = setting(SECTION, "aws_role_session_name")? {
                builder = builder.role_session_name(&name);
            }
        }
        Ok(builder)
    }
}

impl Protocol for S3 {
    const SCHEMES: &'static [&'static str] = &["s3", "s3a", "s3n"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        let builder = self.builder(&location.host)?;
        Ok(Connected::new(ObjectStore::new(builder, ADVICE, location)?))
    }
}

fn from_environment(names: &[&str]) -> Option<String> {
    let mut values = names.iter().filter_map(|name| env::var(name).ok());
    values.find(|value| !value.is_empty())
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
