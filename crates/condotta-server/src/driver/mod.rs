//! The one thread that owns the scheduler, and how others reach it.
//!
//! Every request becomes a message to that thread, so requests are answered one after the other
//! and none sees another half done. Knows nothing of HTTP.

mod handle;

#[cfg(test)]
pub(crate) use handle::Call;
pub use handle::{CallError, Handle, Reply};
