//! E-mail about tasks, as Luigi sends it: what a mail says, which failures go into one mail, and how
//! it comes to a mail server.
//!
//! Knows nothing of schedulers, workers or configuration files, has no thread and no clock: whoever
//! sends says when.

mod batch;
mod mail;
mod report;
mod secret;
mod settings;
mod smtp;

pub use batch::{Batch, Batched, What};
pub use mail::{AddressError, Mail, addresses};
pub use report::{Report, disabled};
pub use secret::Secret;
pub use settings::{BatchMode, BatchSettings, EmailSettings, Format, SmtpSettings};
pub use smtp::{SendError, Sent, Smtp, SmtpError};
