//! SFTP, through the system's `ssh`: its keys, its known hosts, its configuration.

mod client;
mod config;
mod files;
mod target;

pub use config::Sftp;
pub use target::{SftpFileSystem, SftpFlagTarget, SftpTarget};
