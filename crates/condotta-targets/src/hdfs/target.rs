//! The public face: targets and the file system of HDFS.

use std::{path::PathBuf, sync::LazyLock};

use super::config::Hdfs;
use crate::{FlagTarget, RemoteFileSystem, RemoteTarget};

/// A file in HDFS.
///
/// Written under a temporary name beside it, and renamed.
///
/// ```no_run
/// use condotta_targets::{HdfsTarget, ReadWrite};
///
/// HdfsTarget::new("hdfs://namenode:8020/user/ann/months.csv").write("month,inches\n")?;
/// # Ok::<(), condotta_targets::TargetError>(())
/// ```
pub type HdfsTarget = RemoteTarget<Hdfs>;

/// A folder in HDFS that is complete when it has a flag file.
pub type HdfsFlagTarget = FlagTarget<Hdfs>;

/// The files of HDFS. The host of a URL is a name node, or a name service of Hadoop's configuration.
pub type HdfsFileSystem = RemoteFileSystem<Hdfs>;

/// The one of targets that were made without one, so that they share its connections.
static USUAL: LazyLock<HdfsFileSystem> = LazyLock::new(HdfsFileSystem::new);

impl HdfsTarget {
    /// The file at a URL `hdfs://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.target(url)
    }
}

impl HdfsFlagTarget {
    /// The folder at a URL `hdfs://user@host:port/path`, with settings from their usual places.
    pub fn new(url: impl AsRef<str>) -> Self {
        USUAL.flag_target(url)
    }
}

impl HdfsFileSystem {
    /// As whom to ask. Without, it is `effective_user` of the section `[hdfs]`, or `HADOOP_USER_NAME`.
    pub fn user(self, name: impl Into<String>) -> Self {
        self.changed(|hdfs| hdfs.user = Some(name.into()))
    }

    /// The folder with Hadoop's `core-site.xml` and `hdfs-site.xml`. Without, it is `configuration_folder` of the
    /// section `[hdfs]`, or `HADOOP_CONF_DIR`.
    pub fn configuration(self, folder: impl Into<PathBuf>) -> Self {
        self.changed(|hdfs| hdfs.configuration = Some(folder.into()))
    }
}
