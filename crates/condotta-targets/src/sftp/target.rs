//! The public face: targets and the file system of SFTP.

use std::{path::PathBuf, sync::LazyLock};

use super::config::Sftp;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget};

/// A file on a host with SSH.
///
/// Written under a temporary name beside it, and renamed.
///
/// ```no_run
/// use condotta_targets::{ReadWrite, SftpTarget};
///
/// SftpTarget::new("sftp://ann@files.example.com/srv/weather/months.csv").write("month,inches\n")?;
/// // In the folder that one is in after the login.
/// SftpTarget::new("sftp://files.example.com/~/months.csv").read_to_string()?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type SftpTarget = RemoteTarget<Sftp>;

/// A folder on a host with SSH that is complete when it has a flag file.
pub type SftpFlagTarget = FlagTarget<Sftp>;

/// The files of hosts with SSH.
///
/// All is done through the system's `ssh`, so its agent, its configuration and its known hosts count. It
/// asks nobody anything: a host that is not known is an error, and so is one that wants a password.
pub type SftpFileSystem = RemoteFileSystem<Sftp>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<SftpFileSystem> = LazyLock::new(SftpFileSystem::new);

impl SftpTarget {
    /// The file at a URL `sftp://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl SftpFlagTarget {
    /// The folder at a URL `sftp://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl SftpFileSystem {
    /// The private key to log in with. Without, it is `key_file` of the section `[sftp]`, or ssh's own.
    pub fn key_file(self, path: impl Into<PathBuf>) -> Self {
        self.changed(|sftp| sftp.key_file = Some(path.into()))
    }

    /// Another configuration for `ssh`. Without, it is `config_file` of the section `[sftp]`, or ssh's own.
    pub fn config_file(self, path: impl Into<PathBuf>) -> Self {
        self.changed(|sftp| sftp.config_file = Some(path.into()))
    }
}
