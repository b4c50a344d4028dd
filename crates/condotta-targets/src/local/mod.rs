//! Files and folders of this machine.

mod directory;
mod durable;
mod file;
mod file_system;
mod rename;
mod scratch;
mod sweep;
mod temporary;

pub use directory::DirectoryTarget;
pub use file::LocalTarget;
pub use file_system::LocalFileSystem;
pub use scratch::LocalCopy;
pub(crate) use scratch::temporary_path;
