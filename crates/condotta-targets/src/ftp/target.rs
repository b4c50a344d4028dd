//! The public face: targets and the file system of FTP.

use std::sync::LazyLock;

use super::config::Ftp;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget, location::Secret};

/// A file on an FTP server.
///
/// Written under a temporary name beside it, and renamed. `ftps://` encrypts, as the server's
/// command `AUTH TLS` does; plain FTP shows passwords and content to whoever is on the way.
///
/// ```no_run
/// use condotta_targets::{FtpTarget, ReadWrite};
///
/// // With the login of the section [ftp] of the configuration.
/// FtpTarget::new("ftps://files.example.com/weather/months.csv").write("month,inches\n")?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type FtpTarget = RemoteTarget<Ftp>;

/// A folder on an FTP server that is complete when it has a flag file.
pub type FtpFlagTarget = FlagTarget<Ftp>;

/// The files of FTP servers.
///
/// Paths begin where the login leads to; two slashes (`ftp://host//srv/x`) begin at the server's root.
pub type FtpFileSystem = RemoteFileSystem<Ftp>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<FtpFileSystem> = LazyLock::new(FtpFileSystem::new);

impl FtpTarget {
    /// The file at a URL `ftp://user:password@host:port/path`, with a login from its usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl FtpFlagTarget {
    /// The folder at a URL `ftp://user:password@host:port/path`, with a login from its usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl FtpFileSystem {
    /// Who logs in where the URL does not say. Without, it is `username` and `password` of the section
    /// `[ftp]`, or `anonymous`.
    pub fn login(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        let login = (user.into(), Secret::new(password));
        self.changed(|ftp| ftp.login = Some(login))
    }
}
