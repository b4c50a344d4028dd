//! Amazon S3, and what speaks its protocol.

mod config;
mod target;

pub use config::S3;
pub use target::{S3FileSystem, S3FlagTarget, S3Target};
