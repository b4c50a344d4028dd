//! The native module `condotta._engine`: the engine as Python sees it.
//!
//! It decides nothing: what is decided is decided in the crates below, and what users subclass or
//! look into is Python. Nothing depends on this crate.

mod command;
mod convert;
mod http;
mod logs;
mod processes;
mod scheduler;
mod summary;
mod task_id;
mod worker;

use pyo3::prelude::*;

/// The engine behind the package `luigi`.
#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::command::main;
    #[pymodule_export]
    use crate::http::{FetchError, HttpClient, NoMethodError, RefusedError};
    #[pymodule_export]
    use crate::logs::{RunLog, RunLogs};
    #[pymodule_export]
    use crate::processes::end_processes;
    #[pymodule_export]
    use crate::scheduler::Scheduler;
    #[pymodule_export]
    use crate::summary::{sort_tasks, summary_text};
    #[pymodule_export]
    use crate::task_id::task_id;
    #[pymodule_export]
    use crate::worker::{Additions, WorkerSteps, plan_graph};

    /// The version of the engine.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}
