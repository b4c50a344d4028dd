//! Google Cloud Storage.

mod config;
mod target;

pub use config::Gcs;
pub use target::{GcsFileSystem, GcsFlagTarget, GcsTarget};
