//! The public face: targets and the file system of WebHDFS.

use std::sync::LazyLock;

use super::config::WebHdfs;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget, location::Secret};

/// A file in HDFS, reached over HTTP.
///
/// Written under a temporary name beside it, and renamed. Tested against an emulator, and not against Hadoop.
///
/// ```no_run
/// use condotta_targets::{ReadWrite, WebHdfsTarget};
///
/// WebHdfsTarget::new("webhdfs://namenode:9870/user/ann/months.csv").write("month,inches\n")?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type WebHdfsTarget = RemoteTarget<WebHdfs>;

/// A folder in HDFS that is complete when it has a flag file.
pub type WebHdfsFlagTarget = FlagTarget<WebHdfs>;

/// The files of HDFS, reached over HTTP. `swebhdfs://` is HTTPS.
pub type WebHdfsFileSystem = RemoteFileSystem<WebHdfs>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<WebHdfsFileSystem> = LazyLock::new(WebHdfsFileSystem::new);

impl WebHdfsTarget {
    /// The file at a URL `webhdfs://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl WebHdfsFlagTarget {
    /// The folder at a URL `webhdfs://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl WebHdfsFileSystem {
    /// As whom to ask. Without, it is `user` of the section `[webhdfs]`, or `HADOOP_USER_NAME`.
    pub fn user(self, name: impl Into<String>) -> Self {
        self.changed(|hdfs| hdfs.user = Some(name.into()))
    }

    /// A delegation token, for clusters with Kerberos. Without, it is `delegation_token` of `[webhdfs]`.
    pub fn delegation_token(self, token: impl Into<String>) -> Self {
        self.changed(|hdfs| hdfs.token = Some(Secret::new(token)))
    }
}
