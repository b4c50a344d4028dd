//! The public face: targets and the file system of Google Cloud Storage.

use std::{path::PathBuf, sync::LazyLock};

use super::config::Gcs;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget, location::Secret};

/// An object in a bucket.
///
/// ```no_run
/// use condotta_targets::{GcsTarget, ReadWrite, Target};
///
/// let target = GcsTarget::new("gs://weather/2026/months.csv.gz").format_by_extension();
/// if !target.exists()? {
///     target.write("month,inches\n")?;
/// }
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type GcsTarget = RemoteTarget<Gcs>;

/// A folder of a bucket that is complete when it has a flag file.
pub type GcsFlagTarget = FlagTarget<Gcs>;

/// Buckets and what is in them.
///
/// [`new`](Self::new) takes credentials from their usual places: the section `[gcs]` of the configuration, or
/// where Google's own programs look.
pub type GcsFileSystem = RemoteFileSystem<Gcs>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<GcsFileSystem> = LazyLock::new(GcsFileSystem::new);

impl GcsTarget {
    /// The object at a URL `gs://bucket/name`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl GcsFlagTarget {
    /// The folder at a URL `gs://bucket/folder`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl GcsFileSystem {
    /// The server. Without, it is Google's.
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        self.changed(|gcs| gcs.endpoint = Some(url.into()))
    }

    /// The file with a service account's key, or what else Google's programs write there.
    pub fn credential_file(self, path: impl Into<PathBuf>) -> Self {
        self.changed(|gcs| gcs.credential_file = Some(path.into()))
    }

    /// An access token, which is taken as long as it is valid.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.changed(|gcs| gcs.token = Some(Secret::new(token)))
    }

    /// Proves nothing about who asks: for buckets that are open to all, and for emulators.
    pub fn anonymous(self) -> Self {
        self.changed(|gcs| gcs.anonymous = true)
    }
}
