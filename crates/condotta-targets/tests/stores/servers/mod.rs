//! Servers on loopback that live as long as a test.

pub(crate) mod azurite;
pub(crate) mod ftp;
pub(crate) mod gcs;
pub(crate) mod gcs_front;
pub(crate) mod hadoop;
mod process;
pub(crate) mod s3;
pub(crate) mod ssh;
pub(crate) mod web;

pub(crate) use process::{Server, free_port};
