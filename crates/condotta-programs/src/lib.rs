//! Programs that tasks call: started, followed, and ended with all that they started.
//!
//! [`Program`] is one call of a program: its arguments and environment, where its input comes from and
//! where its output goes. Whatever happens to the run, be it cancelled or the worker killed, the
//! program and all that it started end with it. What it needs of the run comes through [`Attempt`];
//! it knows nothing of tasks and schedulers.
//!
//! ```
//! use condotta_programs::{Detached, Program};
//!
//! let attempt = Detached::default();
//! Program::new("sh", &attempt).arg("-c").arg("echo done; exit 0").run()?;
//! assert_eq!(attempt.stdout(), "done\n");
//! # Ok::<(), condotta_programs::ProgramError>(())
//! ```

mod argument;
mod attempt;
pub mod engine;
mod error;
mod group;
pub mod hadoop;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
mod program;
mod pump;
mod running;
mod secrets;
pub mod slurm;
pub mod spark;
mod tail;

pub use argument::Argument;
pub use attempt::{Attempt, Detached, Stream};
pub use error::{Ended, Failure, ProgramError};
pub use program::Program;
