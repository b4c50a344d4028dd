//! Which assistants can run a task: those that have its code.
//!
//! A task of a program in Rust names the program in place of a Python module, and such a program's
//! workers name it in their info. All other workers are Python's, which load any module.

use crate::{InfoValue, Scheduler, names::Name, task::Task, worker::WorkerIndex};

/// In front of the program's name, in the module of a task. No module of Python has a colon.
pub(crate) const PREFIX: &str = "rust:";

impl Scheduler {
    /// The program whose assistants may run the task; the empty name is Python. `None` as long as no
    /// worker said that it can run it.
    pub(crate) fn assistants(&self, task: &Task) -> Option<Name> {
        let is_native = || self.names.text(task.module).starts_with(PREFIX);
        task.runnable.then(|| {
            if is_native() {
                task.module
            } else {
                Name::EMPTY
            }
        })
    }

    /// The program of a worker, as in the modules of its tasks; the empty name is Python.
    pub(crate) fn program_of(&self, worker: WorkerIndex) -> Name {
        let mut info = self.workers[worker].info.iter();
        let program = info.find_map(|(name, value)| match value {
            InfoValue::Text(program) if name == "program" && !program.is_empty() => Some(program),
            _ => None,
        });
        // A program of which no task is known can run nothing.
        program.map_or(Name::EMPTY, |program| {
            let module = alloc::format!("{PREFIX}{program}");
            self.names.find(&module).unwrap_or(Name::NONE)
        })
    }
}
