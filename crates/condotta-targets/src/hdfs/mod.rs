//! HDFS by Hadoop's own protocol.

mod config;
mod files;
mod target;

pub use config::Hdfs;
pub use target::{HdfsFileSystem, HdfsFlagTarget, HdfsTarget};
