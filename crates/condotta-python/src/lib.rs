//! The native module `condotta._engine`: the engine as Python sees it.
//!
//! It decides nothing: what is decided is decided in the crates below, and what users subclass or
//! look into is Python. Nothing depends on this crate.

mod built_in;
mod command;
mod convert;
mod engines;
mod forks;
mod http;
mod logs;
mod names;
mod orphans;
mod pipes;
mod processes;
mod release;
mod scheduler;
mod summary;
mod task_id;
mod watch;
mod worker;

use pyo3::prelude::*;

/// The engine behind the package `luigi`.
#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::built_in::remember_built_in;
    #[pymodule_export]
    use crate::command::main;
    #[pymodule_export]
    use crate::engines::Engines;
    #[pymodule_export]
    use crate::forks::{
        Channel, OwnedFile, fork, fork_run, heed_signals, lighten_forks, next_result,
        run_task_process, undisturbed,
    };
    #[pymodule_export]
    use crate::http::{FetchError, HttpClient, NoMethodError, NobodyError, RefusedError};
    #[pymodule_export]
    use crate::logs::{Private, RunLog, RunLogs};
    #[pymodule_export]
    use crate::orphans::OrphanOutput;
    #[pymodule_export]
    use crate::processes::end_processes;
    #[pymodule_export]
    use crate::scheduler::Scheduler;
    #[pymodule_export]
    use crate::summary::{sort_tasks, summary_text};
    #[pymodule_export]
    use crate::task_id::task_id;
    #[pymodule_export]
    use crate::watch::WorkWatch;
    #[pymodule_export]
    use crate::worker::{Additions, WorkerSteps, plain_handler, plan_graph};

    #[pymodule_init]
    fn begin(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::names::make_names(module.py())
    }

    /// The version of the engine.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}
