//! Webhooks: what happens, sent as JSON to addresses of other programs.
//!
//! What happens while a message is on its way goes into the next one; when that is more than a message
//! lists, the rest is counted in it ("and 300 more"). So a hook never holds more than two messages.

mod body;
mod client;
mod config;
mod hook;
mod slack;

pub use config::{HookFormat, WebhookConfig, WebhookError};
pub use hook::Hook;
