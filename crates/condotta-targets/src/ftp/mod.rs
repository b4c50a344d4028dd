//! FTP, plain or with TLS.

mod client;
mod config;
mod files;
mod target;

pub use config::Ftp;
pub use target::{FtpFileSystem, FtpFlagTarget, FtpTarget};
