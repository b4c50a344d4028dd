//! What all stores have in common: targets and file systems by URL, over what a backend can do.

#[cfg(feature = "by-rename")]
pub(crate) mod by_rename;
#[cfg(feature = "objects")]
mod chain;
#[cfg(feature = "remote")]
mod file_system;
#[cfg(feature = "remote")]
mod flag;
#[cfg(feature = "objects")]
pub(crate) mod objects;
#[cfg(feature = "requests")]
pub(crate) mod requests;
#[cfg(feature = "by-rename")]
mod resume;
pub(crate) mod retry;
#[cfg(feature = "runtime")]
pub(crate) mod runtime;
#[cfg(feature = "remote")]
pub(crate) mod settings;
#[cfg(feature = "remote")]
pub(crate) mod store;
#[cfg(feature = "by-rename")]
mod sweep;
#[cfg(feature = "remote")]
mod target;
#[cfg(feature = "tls")]
pub(crate) mod tls;

#[cfg(feature = "remote")]
pub use file_system::RemoteFileSystem;
#[cfg(feature = "remote")]
pub use flag::FlagTarget;
#[cfg(feature = "remote")]
pub use store::Protocol;
#[cfg(feature = "remote")]
pub use target::RemoteTarget;
