//! Servers of stores, on loopback, that live as long as a test.

#![expect(
    clippy::unwrap_used,
    reason = "whatever goes wrong fails a test, by panicking"
)]

pub mod azurite;
pub mod ftp;
pub mod gcs;
pub mod gcs_front;
pub mod hadoop;
mod process;
pub mod s3;
pub mod secure;
pub mod ssh;
pub mod web;

use process::Server;
pub use process::free_port;
