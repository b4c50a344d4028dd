//! The durable state: a journal and snapshots of it in one directory.
//!
//! Knows records and files, and nothing of HTTP or of who changes what. The journal takes
//! transactions: all that one request changed, as records that say what each thing is now. A
//! snapshot stands for the journal before it. What is read back is always what some number of
//! whole transactions made, in their order, and no fewer than were reported as written; a
//! directory of which that cannot be said is not opened, but can be repaired.
//!
//! ```no_run
//! use condotta_server::state::{self, StateDir};
//!
//! let mut opened = StateDir::open("state".as_ref())?;
//! let mut frames = Vec::new();
//! let now = condotta_scheduler::Now::at(1.0);
//! state::encode(now, &[condotta_scheduler::Record::Paused(true)], &mut frames);
//! opened.writer.write(&frames)?; // On the disk from here on.
//! # Ok::<(), state::StateError>(())
//! ```

mod block;
mod check;
mod error;
mod export;
mod files;
mod frame;
mod lock;
mod luigi_answer;
mod luigi_import;
mod open;
#[cfg(test)]
mod property_tests;
mod read;
mod read_file;
mod record_json;
mod room;
mod snapshot;
mod value_json;
mod writer;

pub use check::{CheckReport, RepairReport, check, repair};
pub use error::{Damage, StateError};
pub use export::{export, import, import_records, read_export, write_export};
pub(crate) use files::{make_directory, owned_as};
pub use frame::encode;
pub use luigi_answer::BadAnswer;
pub use luigi_import::{LuigiAnswers, LuigiState, from_luigi};
pub use open::{OpenReport, Opened, StateDir};
pub use read::{Cut, StateFile};
pub(crate) use room::try_room;
pub use snapshot::SnapshotWriter;
pub use writer::Writer;
