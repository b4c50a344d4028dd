//! Azure Blob Storage.

mod config;
mod target;

pub use config::Azure;
pub use target::{AzureFileSystem, AzureFlagTarget, AzureTarget};
