//! Targets: where a task's output is, written all or nothing.
//!
//! [`LocalTarget`] is a file, [`DirectoryTarget`] a folder with all that is in it, [`MemoryTarget`] a
//! name in the process's memory. Whatever happens while one is written, there is afterwards either
//! no output (or the old one) or the whole of the new one. Knows nothing of tasks.
//!
//! ```
//! use condotta_targets::{LocalTarget, ReadWrite, Target};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let target = LocalTarget::new(folder.join("results/sum"));
//! assert!(!target.exists()?);
//! target.write(21)?;
//! assert_eq!(target.read::<i64>()?, 21);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod format;
mod local;
mod memory;
mod outputs;
mod read_write;
mod target;

pub use error::{BoxError, TargetError};
pub use format::Format;
pub use local::{DirectoryTarget, LocalFileSystem, LocalTarget};
pub use memory::{MemoryStore, MemoryTarget};
pub use outputs::{AnyTarget, Outputs};
pub use read_write::{Lines, ReadWrite, Reader, Writer};
pub use target::Target;
