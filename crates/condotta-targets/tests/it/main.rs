//! Targets as their users see them, on real files and with processes that are really killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod child;
mod concurrency;
mod conformance;
#[path = "../behaviour/content.rs"]
mod content;
mod crash;
mod directory;
mod file_system;
mod local;
mod memory_use;
