//! The public face: targets and the file system of S3.

use std::sync::LazyLock;

use super::config::{Credentials, S3};
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget, location::Secret};

/// An object in a bucket.
///
/// ```no_run
/// use condotta_targets::{ReadWrite, S3Target, Target};
///
/// let target = S3Target::new("s3://weather/2026/months.csv.gz").format_by_extension();
/// if !target.exists()? {
///     target.write("month,inches\n")?;
/// }
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type S3Target = RemoteTarget<S3>;

/// A folder of a bucket that is complete when it has a flag file.
pub type S3FlagTarget = FlagTarget<S3>;

/// Buckets and what is in them.
///
/// [`new`](Self::new) takes credentials, region and endpoint from their usual places: the section
/// `[s3]` of the configuration, the environment, the files of AWS's own programs. Others are given:
///
/// ```no_run
/// use condotta_targets::{ReadWrite, S3FileSystem};
///
/// # let secret = || String::new();
/// let store = S3FileSystem::new()
///     .endpoint("https://objects.example.com")
///     .region("eu-central-1")
///     .credentials("the id", secret());
/// store.target("s3://weather/months.csv").write("month,inches\n")?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type S3FileSystem = RemoteFileSystem<S3>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<S3FileSystem> = LazyLock::new(S3FileSystem::new);

impl S3Target {
    /// The object at a URL `s3://bucket/name`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl S3FlagTarget {
    /// The folder at a URL `s3://bucket/folder`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl S3FileSystem {
    /// The server, such as `https://objects.example.com`. Without, it is Amazon's.
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        self.changed(|s3| s3.endpoint = Some(url.into()))
    }

    /// The region that the buckets are in. Without, and without a setting, `us-east-1`.
    pub fn region(self, name: impl Into<String>) -> Self {
        self.changed(|s3| s3.region = Some(name.into()))
    }

    /// The profile of `~/.aws/credentials`.
    pub fn profile(self, name: impl Into<String>) -> Self {
        self.changed(|s3| s3.profile = Some(name.into()))
    }

    /// The access key: its id and its secret.
    pub fn credentials(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        let (id, secret) = (id.into(), Secret::new(secret));
        let token = None;
        self.changed(|s3| s3.credentials = Some(Credentials { id, secret, token }))
    }

    /// The access key of a session, with its token.
    pub fn session(
        self,
        id: impl Into<String>,
        secret: impl Into<String>,
        token: impl Into<String>,
    ) -> Self {
        let (id, secret) = (id.into(), Secret::new(secret));
        let token = Some(Secret::new(token));
        self.changed(|s3| s3.credentials = Some(Credentials { id, secret, token }))
    }
}
