//! HTTP: content to read, and the download of it to any target.

mod client;
mod download;
mod fetch;
mod note;
mod target;

pub use download::{Download, Downloaded, Progress};
pub use target::HttpTarget;
