//! Runs that an operator wants ended. A run in a child process is ended; one on a thread of the worker
//! can only be asked, since threads cannot be stopped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::running::Place;

/// A run that may be cancelled.
#[derive(Default)]
pub(crate) struct Cancel {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by: Option<String>,
    /// Ends the run. None on a thread.
    end: Option<Box<dyn Fn() + Send>>,
}

impl Cancel {
    /// Who wants the run ended.
    pub(crate) fn by(&self) -> Option<String> {
        self.state().by.clone()
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.state().by.is_some()
    }

    /// Says how the run can be ended. Does it at once if that was asked for before.
    pub(crate) fn end_with(&self, end: impl Fn() + Send + 'static) {
        let mut state = self.state();
        if state.by.is_some() {
            end();
        }
        state.end = Some(Box::new(end));
    }

    /// Ends the run, or asks it. What is to be said of that.
    fn ask(&self, by: &str, place: Place) -> &'static str {
        let mut state = self.state();
        state.by.get_or_insert_with(|| by.to_owned());
        if let Some(end) = &state.end {
            end();
        }
        match place {
            Place::Child => "its process and all that it started are being ended",
            Place::Elsewhere => "it is being ended on the machine where it runs",
            Place::Thread => {
                "it runs on a thread of the worker, which cannot be ended from outside; it was asked to stop"
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runs of a worker, by task id.
#[derive(Default)]
pub(crate) struct Cancels {
    runs: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    attempt: Option<u64>,
    place: Place,
    cancel: Arc<Cancel>,
}

impl Cancels {
    pub(crate) fn begin(&self, task_id: &str, attempt: Option<u64>, place: Place) -> Arc<Cancel> {
        let cancel = Arc::<Cancel>::default();
        let entry = Entry {
            attempt,
            place,
            cancel: Arc::clone(&cancel),
        };
        self.runs().insert(task_id.to_owned(), entry);
        cancel
    }

    pub(crate) fn end(&self, task_id: &str, cancel: &Arc<Cancel>) {
        let mut runs = self.runs();
        if runs
            .get(task_id)
            .is_some_and(|entry| Arc::ptr_eq(&entry.cancel, cancel))
        {
            runs.remove(task_id);
        }
    }

    /// Ends the run of this number, and says what is being done.
    pub(crate) fn ask(&self, task_id: &str, attempt: u64, by: &str) -> &'static str {
        let runs = self.runs();
        let Some(entry) = runs.get(task_id) else {
            return "the worker does not run it any more";
        };
        if entry.attempt.is_some_and(|current| current != attempt) {
            return "the worker does not run that attempt any more";
        }
        entry.cancel.ask(by, entry.place)
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
