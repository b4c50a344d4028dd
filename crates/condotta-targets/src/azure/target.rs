//! The public face: targets and the file system of Azure Blob Storage.

use std::sync::LazyLock;

use super::config::Azure;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget, location::Secret};

/// A blob in a container.
///
/// ```no_run
/// use condotta_targets::{AzureTarget, ReadWrite, Target};
///
/// let target = AzureTarget::new("azblob://weather/2026/months.csv.gz").format_by_extension();
/// if !target.exists()? {
///     target.write("month,inches\n")?;
/// }
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type AzureTarget = RemoteTarget<Azure>;

/// A folder of a container that is complete when it has a flag file.
pub type AzureFlagTarget = FlagTarget<Azure>;

/// The containers of an account and what is in them.
///
/// [`new`](Self::new) takes account and credentials from their usual places: the section `[azure]` of the
/// configuration, the environment. Others are given:
///
/// ```no_run
/// use condotta_targets::{AzureFileSystem, ReadWrite};
///
/// # let key = || String::new();
/// let store = AzureFileSystem::new().account("weather", key());
/// store.target("azblob://2026/months.csv").write("month,inches\n")?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type AzureFileSystem = RemoteFileSystem<Azure>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<AzureFileSystem> = LazyLock::new(AzureFileSystem::new);

impl AzureTarget {
    /// The blob at a URL `azblob://container/name`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl AzureFlagTarget {
    /// The folder at a URL `azblob://container/folder`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl AzureFileSystem {
    /// The server with the account, such as `https://weather.blob.core.windows.net`, which is what it is
    /// without for an account of that name.
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        self.changed(|azure| azure.endpoint = Some(url.into()))
    }

    /// The account and its key.
    pub fn account(self, name: impl Into<String>, key: impl Into<String>) -> Self {
        self.changed(|azure| {
            azure.account = Some(name.into());
            azure.key = Some(Secret::new(key));
        })
    }

    /// The account, and a token (a shared access signature) that gives access to some of it.
    pub fn sas_token(self, account: impl Into<String>, token: impl Into<String>) -> Self {
        self.changed(|azure| {
            azure.account = Some(account.into());
            azure.sas_token = Some(Secret::new(token));
        })
    }
}
