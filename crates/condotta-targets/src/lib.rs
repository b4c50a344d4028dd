//! Targets: where a task's output is, written all or nothing.
//!
//! [`LocalTarget`] is a file, [`DirectoryTarget`] a folder with all that is in it, [`MemoryTarget`] a
//! name in the process's memory. Whatever happens while one is written, there is afterwards either
//! no output (or the old one) or the whole of the new one. Knows nothing of tasks.
//!
//! ```
//! use condotta_targets::{LocalTarget, ReadWrite, Target};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let target = LocalTarget::new(folder.join("results/sum"));
//! assert!(!target.exists()?);
//! target.write(21)?;
//! assert_eq!(target.read::<i64>()?, 21);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "azure")]
mod azure;
mod error;
mod format;
#[cfg(feature = "ftp")]
mod ftp;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "hdfs")]
mod hdfs;
#[cfg(feature = "http")]
mod http;
mod local;
mod location;
mod memory;
mod outputs;
mod read_write;
#[cfg(any(feature = "http", feature = "remote"))]
mod remote;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sftp")]
mod sftp;
mod target;
mod temporary_name;
mod url_target;
#[cfg(feature = "webhdfs")]
mod webhdfs;

#[cfg(feature = "azure")]
pub use azure::{Azure, AzureFileSystem, AzureFlagTarget, AzureTarget};
pub use error::{BoxError, TargetError};
pub use format::Format;
#[cfg(feature = "ftp")]
pub use ftp::{Ftp, FtpFileSystem, FtpFlagTarget, FtpTarget};
#[cfg(feature = "gcs")]
pub use gcs::{Gcs, GcsFileSystem, GcsFlagTarget, GcsTarget};
#[cfg(feature = "hdfs")]
pub use hdfs::{Hdfs, HdfsFileSystem, HdfsFlagTarget, HdfsTarget};
#[cfg(feature = "http")]
pub use http::{Download, Downloaded, HttpTarget, Progress};
pub use local::{DirectoryTarget, LocalCopy, LocalFileSystem, LocalTarget};
pub use memory::{MemoryStore, MemoryTarget};
pub use outputs::{AnyTarget, Outputs};
pub use read_write::{Lines, ReadWrite, Reader, Writer};
#[cfg(feature = "remote")]
pub use remote::{FlagTarget, Protocol, RemoteFileSystem, RemoteTarget};
#[cfg(feature = "s3")]
pub use s3::{S3, S3FileSystem, S3FlagTarget, S3Target};
#[cfg(feature = "sftp")]
pub use sftp::{Sftp, SftpFileSystem, SftpFlagTarget, SftpTarget};
pub use target::Target;
pub use url_target::UrlTarget;
#[cfg(feature = "webhdfs")]
pub use webhdfs::{WebHdfs, WebHdfsFileSystem, WebHdfsFlagTarget, WebHdfsTarget};
