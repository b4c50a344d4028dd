//! One run of a task, as `luigi.worker.TaskProcess.run` describes it.

use pyo3::{
    exceptions::PyKeyboardInterrupt,
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString, PyTuple},
};

use super::{
    channel::put,
    prepared::{Prepared, prepared},
    signals::handle_what_came,
    task,
};
use crate::{
    built_in::{built_in, has},
    names::names,
    worker::{Step, call_handling, global, log},
};

/// Runs the task and puts `(task_id, status, explanation, missing, new dependencies)` on the queue.
#[pyfunction]
pub(crate) fn run_task_process(process: &Bound<'_, PyAny>) -> PyResult<()> {
    let _step = Step::enter("run");
    let py = process.py();
    let names = names(py);
    handle_what_came(py)?;
    let task = process.getattr(names.task.bind(py))?;
    let queue = process.getattr(names.result_queue.bind(py))?;
    if task.is_none() {
        let not_loaded = process
            .getattr(names.not_loaded.bind(py))?
            .cast_into::<PyTuple>()?;
        let (id, status, explanation): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
            not_loaded.extract()?;
        let nothing = (PyList::empty(py), PyList::empty(py));
        let result = (id, status, explanation, nothing.0, nothing.1).into_pyobject(py)?;
        return put(&queue, &result);
    }
    let run = Run {
        process,
        task: &task,
        known: prepared(process)?,
    };

    run.say(&names.line_running)?;

    let mut result = Outcome {
        status: names.failed.bind(py).clone().into_any(),
        explanation: names.empty_text.bind(py).clone().into_any(),
        missing: PyList::empty(py).into_any(),
        new_deps: PyList::empty(py).into_any(),
    };
    let ended = match run.carry_out(&mut result) {
        Ok(()) => Ok(()),
        Err(error) => {
            result.status = names.failed.bind(py).clone().into_any();
            run.settle(error, &mut result)
        }
    };

    let id = task.getattr(names.task_id.bind(py))?;
    let result = (
        id,
        result.status,
        result.explanation,
        result.missing,
        result.new_deps,
    );
    put(&queue, &result.into_pyobject(py)?)?;
    settle_output(process)?;
    ended
}

/// Sees that what was printed is not lost if the worker has gone.
pub(super) fn settle_output(process: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = process.py();
    match process.getattr_opt(names(py).output.bind(py))? {
        Some(output) if !output.is_none() => output.call_method0(intern!(py, "settle")).map(drop),
        _ => Ok(()),
    }
}

/// What is put on the queue, apart from the task's id.
struct Outcome<'py> {
    status: Bound<'py, PyAny>,
    explanation: Bound<'py, PyAny>,
    missing: Bound<'py, PyAny>,
    new_deps: Bound<'py, PyAny>,
}

struct Run<'a, 'py> {
    process: &'a Bound<'py, PyAny>,
    task: &'a Bound<'py, PyAny>,
    known: Prepared,
}

impl<'py> Run<'_, 'py> {
    fn carry_out(&self, result: &mut Outcome<'py>) -> PyResult<()> {
        let py = self.process.py();
        let names = names(py);
        let ours = built_in(py)?;
        let external = !self.known.is_internal && self.is_external()?;
        let needs_nothing = self.known.is_ours && self.known.task.requires_nothing;
        if !external && !needs_nothing && self.is_on(&names.check_unfulfilled_deps)? {
            result.missing = self
                .process
                .call_method0(names.missing_dependencies.bind(py))?;
            if result.missing.is_truthy()? {
                let missing = (&result.missing,);
                self.process
                    .call_method1(names.refuse_for.bind(py), missing)?;
            }
        }
        if !self.known.task.is_quiet {
            self.trigger(&names.start, |event| (event, self.task).into_pyobject(py))?;
        }
        let started = self.clock()?;
        let mut status: Bound<'py, PyAny>;
        if external {
            let found = self
                .process
                .call_method0(names.look_for_external.bind(py))?;
            (status, result.explanation) = found.extract()?;
        } else {
            result.new_deps = self.run_task()?;
            status = names.pending.bind(py).clone().into_any();
            if !result.new_deps.is_truthy()? {
                status = self.status_after_run()?;
            }
        }
        result.status = status.clone();
        if result.new_deps.is_truthy()? {
            return self.say(&names.line_new_requirements);
        }
        if status.eq(names.done.bind(py))? {
            self.trigger(&names.processing_time, |event| {
                (event, self.task, self.clock()? - started).into_pyobject(py)
            })?;
            result.explanation = if has(self.task, &names.on_success, &ours.task_on_success)? {
                py.None().into_bound(py)
            } else {
                self.task.call_method0(names.on_success.bind(py))?
            };

            self.say(&names.line_done)?;
            self.trigger(&names.success, |event| (event, self.task).into_pyobject(py))?;
        }
        Ok(())
    }

    /// Makes a failure of what the run raised, as an `except` block would.
    fn settle(&self, error: PyErr, result: &mut Outcome<'py>) -> PyResult<()> {
        let py = self.process.py();
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            // Nobody hears of it if the worker stops as well, which then gives the task back.
            result.explanation = PyString::new(py, "The run was interrupted.").into_any();
            return Err(error);
        }
        let raised = error.value(py);
        result.explanation =
            call_handling(&error, self.process, "_handle_run_exception", (raised,))?;
        Ok(())
    }

    fn is_on(&self, name: &Py<PyString>) -> PyResult<bool> {
        self.process
            .getattr(name.bind(self.process.py()))?
            .is_truthy()
    }

    /// The time in seconds, as the worker has it: whoever put a clock there is asked.
    fn clock(&self) -> PyResult<f64> {
        let py = self.process.py();
        let time = names(py).time.bind(py);
        global(py, time)?.call_method0(time)?.extract()
    }

    fn is_external(&self) -> PyResult<bool> {
        let py = self.process.py();
        let is_external = global(py, names(py).is_external.bind(py))?;
        if !is_external.is(&built_in(py)?.is_external) {
            return is_external.call1((self.task,))?.is_truthy();
        }
        let run = self.task.getattr(names(py).run.bind(py))?;
        Ok(run.is_none() || run.eq(py.NotImplemented())?)
    }

    /// Triggers an event, if anybody could hear of it.
    fn trigger(
        &self,
        event: &Py<PyString>,
        arguments: impl FnOnce(Bound<'py, PyString>) -> PyResult<Bound<'py, PyTuple>>,
    ) -> PyResult<()> {
        let py = self.process.py();
        if task::has_listeners(self.task)? {
            let arguments = arguments(event.bind(py).clone())?;
            self.task
                .call_method1(names(py).trigger_event.bind(py), arguments)?;
        }
        Ok(())
    }

    /// Runs the task, with what it may use of the process meanwhile. Returns what it asked for.
    fn run_task(&self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.process.py();
        let names = names(py);
        if !self.known.is_ours {
            // There may be a context manager of somebody's own.
            return self.process.call_method0(names.run_within.bind(py));
        }
        let forwarded = self
            .process
            .getattr(names.forward_reporter_attributes.bind(py))?;
        let forwarded = forwarded.cast_into::<PyDict>()?;
        let reporter = self.process.getattr(names.status_reporter.bind(py))?;
        for (of_reporter, of_task) in &forwarded {
            let lent = reporter.getattr(of_reporter.cast::<PyString>()?)?;
            self.task.setattr(of_task.cast::<PyString>()?, lent)?;
        }

        let asked = self.ask_for_more();
        for of_task in forwarded.values() {
            self.task.setattr(of_task.cast::<PyString>()?, py.None())?;
        }
        asked
    }

    fn ask_for_more(&self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.process.py();
        let names = names(py);
        let steps = self.task.call_method0(names.run.bind(py))?;

        if steps.is_none() {
            return Ok(steps);
        }
        self.process.call_method1(names.follow.bind(py), (steps,))
    }

    fn status_after_run(&self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.process.py();
        let names = names(py);
        if self.known.ends_done {
            return Ok(names.done.bind(py).clone().into_any());
        }
        self.process.call_method0(names.status_after_run.bind(py))
    }

    fn say(&self, line: &Py<PyString>) -> PyResult<()> {
        let py = self.process.py();
        let worker = self.process.getattr(names(py).worker_id.bind(py))?;
        let task = match &self.known.task.shown {
            Some(text) => PyString::new(py, text).into_any(),
            None => self.task.clone(),
        };
        log::info(py, (line.bind(py), std::process::id(), worker, task))
    }
}
