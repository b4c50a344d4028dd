//! HDFS over HTTP: WebHDFS, as name nodes and HttpFS speak it.

mod client;
mod config;
mod files;
mod target;

pub use config::WebHdfs;
pub use target::{WebHdfsFileSystem, WebHdfsFlagTarget, WebHdfsTarget};
