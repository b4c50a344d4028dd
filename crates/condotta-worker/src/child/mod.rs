//! Tasks in child processes: what a hard time-out needs, because a thread cannot be stopped.
//!
//! The child is the same program, started anew, in a process group of its own. Its standard input is
//! a socket: the request comes in by it, and the run's words go back, one JSON object a line.
//! It knows nothing of schedulers.

pub(crate) mod run;
pub(crate) mod supervise;
pub(crate) mod wire;

pub use run::maybe_run;
pub(crate) use supervise::supervise;

use std::sync::atomic::AtomicBool;

/// Set for a child process, to the process id of its parent.
const CHILD_VARIABLE: &str = "CONDOTTA_CHILD";

/// This program looks whether it is a child, so that a child of it will.
static HOOKED: AtomicBool = AtomicBool::new(false);
