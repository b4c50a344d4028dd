//! Where Python's tasks run, if not here: the class `Engines`.

use std::{ffi::OsString, path::PathBuf};

use condotta_programs::{
    Attempt, Stream,
    engine::{Entry, Plan, Section, Start},
};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyBytes,
};

/// What the sections of a configuration say of it.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct Engines(Plan);

#[pymethods]
impl Engines {
    #[new]
    fn new(sections: Vec<(String, Vec<(String, String)>)>) -> PyResult<Self> {
        let sections: Vec<Section> = sections
            .into_iter()
            .map(|(name, entries)| Section {
                name,
                entries: entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        key,
                        value,
                        origin: "configuration".to_owned(),
                    })
                    .collect(),
            })
            .collect();
        let plan = Plan::new(&sections);
        plan.map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Whether a section of this name is read.
    #[staticmethod]
    fn reads(section: &str) -> bool {
        Plan::reads(section)
    }

    /// The families that are named.
    #[getter]
    fn families(&self) -> Vec<String> {
        self.0.families().map(str::to_owned).collect()
    }

    /// The folder that is shared with the engine of a family, `None` for one that runs here.
    fn folder(&self, family: &str) -> Option<PathBuf> {
        Some(self.0.settings(family)?.folder().to_owned())
    }

    /// Whether [`run`](Self::run) starts threads for a family, so that a process that forks must not call it.
    fn starts_threads(&self, family: &str) -> bool {
        self.0
            .settings(family)
            .is_some_and(|settings| settings.kind().starts_threads())
    }

    /// Starts a program for a task, or goes on with what runs already, and follows it to its end.
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn run(
        &self,
        py: Python<'_>,
        family: &str,
        task_id: String,
        arguments: Vec<OsString>,
        working_folder: PathBuf,
        folder: PathBuf,
        secrets: Vec<String>,
        run: Py<PyAny>,
    ) -> PyResult<()> {
        let settings = self
            .0
            .settings(family)
            .ok_or_else(|| PyValueError::new_err(format!("{family} runs here")))?;
        let mut arguments = arguments.into_iter();
        let start = Start {
            program: arguments.next().unwrap_or_default().into(),
            arguments: arguments.collect(),
            working_folder,
            folder,
        };
        let attempt = PythonRun {
            task_id,
            secrets,
            run,
        };
        py.detach(|| settings.run(&start, &attempt))
            .map_err(|error| PyRuntimeError::new_err(with_causes(&error)))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!("\n  caused by: {cause}");
        source = cause.source();
    }
    text
}

/// The run, which is an object of Python.
struct PythonRun {
    task_id: String,
    secrets: Vec<String>,
    run: Py<PyAny>,
}

impl PythonRun {
    /// Calls a method. What it raises is nobody's business here, but is not to be lost.
    fn call<'py, T: FromPyObjectOwned<'py>>(
        &self,
        py: Python<'py>,
        method: &str,
        arguments: impl pyo3::call::PyCallArgs<'py>,
    ) -> Option<T> {
        let answer = self.run.bind(py).call_method1(method, arguments);
        match answer.and_then(|answer| answer.extract::<T>().map_err(Into::into)) {
            Ok(answer) => Some(answer),
            Err(error) => {
                error.write_unraisable(py, Some(self.run.bind(py)));
                None
            }
        }
    }

    fn tell(&self, method: &str, text: &str) {
        Python::attach(|py| _ = self.call::<Py<PyAny>>(py, method, (text,)));
    }
}

impl Attempt for PythonRun {
    fn task_id(&self) -> &str {
        &self.task_id
    }

    fn printed(&self, stream: Stream, text: &[u8]) {
        let name = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        Python::attach(|py| {
            let text = PyBytes::new(py, text);
            _ = self.call::<Py<PyAny>>(py, "printed", (name, text));
        });
    }

    fn stop_requested(&self) -> bool {
        Python::attach(|py| self.call(py, "stop_requested", ())).unwrap_or(false)
    }

    fn set_tracking_url(&self, url: &str) {
        self.tell("set_tracking_url", url);
    }

    fn set_status_message(&self, message: &str) {
        self.tell("set_status_message", message);
    }

    fn set_progress_percentage(&self, percentage: f64) {
        Python::attach(|py| {
            _ = self.call::<Py<PyAny>>(py, "set_progress_percentage", (percentage,));
        });
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }
}
