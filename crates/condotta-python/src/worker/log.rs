//! Lines of the worker's log. They go through the `logger` of `luigi.worker`, as it is when they do.
//!
//! Records of a log name who logs. The engine's steps have no Python frames, so a line is logged by a
//! function of Python that bears the name of the step. Where the line is all that comes of it, as
//! `luigi._interface_logger` knows, it is written from here.

use std::{
    cell::Cell,
    sync::{Mutex, PoisonError},
};

use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyInt, PyList, PyString, PyTuple},
};

use super::global;
use crate::{
    built_in::{built_in, has, of_module},
    names::names,
};

thread_local! {
    static STEP: Cell<&'static str> = const { Cell::new("run") };
}

/// The step that logs what is logged while this lives.
pub(crate) struct Step {
    before: &'static str,
}

impl Step {
    pub(crate) fn enter(name: &'static str) -> Self {
        Self {
            before: STEP.replace(name),
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        STEP.set(self.before);
    }
}

/// What a line is made of: a text, and what is put into it.
pub(crate) trait Line<'py>:
    IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>
{
}

impl<'py, T> Line<'py> for T where
    T: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>
{
}

// How much a line matters.
const DEBUG: i64 = 10;
const INFO: i64 = 20;
const WARNING: i64 = 30;

/// What is of use to whoever looks for a fault.
pub(crate) fn debug<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, DEBUG, &names(py).debug, line)
}

/// What everybody wants to know.
pub(crate) fn info<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, INFO, &names(py).info, line)
}

/// What is likely to be wrong.
pub(super) fn warning<'py>(py: Python<'py>, line: impl Line<'py>) -> PyResult<()> {
    say(py, WARNING, &names(py).warning, line)
}

fn say<'py>(
    py: Python<'py>,
    level: i64,
    method: &Py<PyString>,
    line: impl Line<'py>,
) -> PyResult<()> {
    static SAYER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let logger = global(py, intern!(py, "logger"))?;
    let line = line.into_pyobject(py)?;
    match way(&logger, level)? {
        Way::Nowhere => return Ok(()),
        Way::Handler(handler) => {
            if let Some(text) = text(&handler, level, &line)? {
                return match write(&handler, &text) {
                    Err(error) if error.is_instance_of::<PyException>(py) => {
                        complain(&logger, &handler, error, level, &line)
                    }
                    written => written,
                };
            }
        }
        Way::Logger => {}
    }
    let sayer = SAYER.import(py, "luigi._step_log", "sayer")?;
    let sayer = sayer.call1((STEP.get(),))?;
    sayer.call1((logger.getattr(method.bind(py))?, line))?;
    Ok(())
}

/// Where a line goes.
enum Way<'py> {
    /// The level is off.
    Nowhere,
    /// To a handler that prints lines in Luigi's own format, and to nobody else.
    Handler(Bound<'py, PyAny>),
    /// Through all of `logging`.
    Logger,
}

fn way<'py>(logger: &Bound<'py, PyAny>, level: i64) -> PyResult<Way<'py>> {
    let py = logger.py();
    let names = names(py);
    if level > INFO || !is_ours(logger)? {
        return Ok(Way::Logger);
    }
    if logger.getattr(names.disabled.bind(py))?.is_truthy()? {
        return Ok(Way::Nowhere);
    }
    let known = logger.getattr(names.cache.bind(py))?;
    let enabled = match known.cast::<PyDict>()?.get_item(level)? {
        Some(enabled) => enabled,
        None => logger.call_method1(names.is_enabled_for.bind(py), (level,))?,
    };
    if !enabled.is_truthy()? {
        return Ok(Way::Nowhere);
    }
    Ok(match plain_handler(logger, level)? {
        Some(handler) => Way::Handler(handler),
        None => Way::Logger,
    })
}

/// Whether the logger's methods are the package's.
///
/// To look at each of them costs more memory than a line, after a fork. So the class is looked at when a
/// worker begins, and the logger itself when it has got an attribute, as methods of its own are.
fn is_ours(logger: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = logger.py();
    let mut looked_at = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = &*looked_at
        && before.logger.is(logger)
        && before.attributes.bind(py).len() == before.count
    {
        return Ok(before.is_ours);
    }
    *looked_at = None;
    let (names, ours) = (names(py), built_in(py)?);
    let is_ours = logger.get_type().is(&ours.logger)
        && has(logger, &names.debug, &ours.logger_debug)?
        && has(logger, &names.info, &ours.logger_info)?
        && has(logger, &names.is_enabled_for, &ours.logger_is_enabled_for)?
        && has(logger, &names.log_method, &ours.logger_log)?
        && has(logger, &names.plain_handler, &ours.logger_plain_handler)?;
    let attributes = logger.getattr(names.dict.bind(py))?;
    if let Ok(attributes) = attributes.cast_into::<PyDict>() {
        *looked_at = Some(LookedAt {
            logger: logger.clone().unbind(),
            count: attributes.len(),
            attributes: attributes.unbind(),
            is_ours,
        });
    }
    Ok(is_ours)
}

/// Has the logger's class looked at again: somebody may have replaced a method of it.
pub(super) fn look_again() {
    *LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

static LOOKED_AT: Mutex<Option<LookedAt>> = Mutex::new(None);

/// A logger whose methods were looked at.
struct LookedAt {
    logger: Py<PyAny>,
    attributes: Py<PyDict>,
    /// How many attributes it had.
    count: usize,
    is_ours: bool,
}

/// The one handler of this logger, if a line in Luigi's own format is all that comes of a record.
#[pyfunction]
pub(crate) fn plain_handler<'py>(
    logger: &Bound<'py, PyAny>,
    level: i64,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    /// What Luigi sets up where nothing else is configured.
    const FORMAT: &str = "%(levelname)s: %(message)s";

    let py = logger.py();
    let (names, ours) = (names(py), built_in(py)?);
    let is_empty = |object: &Bound<'py, PyAny>, name: &Py<PyString>| {
        object.getattr(name.bind(py))?.is_truthy().map(|any| !any)
    };
    let handlers = logger.getattr(names.handlers.bind(py))?;
    let Ok(handlers) = handlers.cast::<PyList>() else {
        return Ok(None);
    };
    if handlers.len() != 1 || !is_empty(logger, &names.filters)? {
        return Ok(None);
    }
    let factory = of_module(ours.logging.bind(py).cast()?, &names.record_factory)?;
    if !factory.is(&ours.log_record) {
        return Ok(None);
    }
    if logger.getattr(names.propagate.bind(py))?.is_truthy()? {
        let root = ours.root_logger.bind(py);
        let parent = logger.getattr(names.parent.bind(py))?;
        if !parent.is(root) || !is_empty(root, &names.handlers)? {
            return Ok(None);
        }
    }
    let handler = handlers.get_item(0)?;
    if !handler.get_type().is(&ours.stream_handler)
        || !is_empty(&handler, &names.filters)?
        || level < handler.getattr(names.level.bind(py))?.extract::<i64>()?
    {
        return Ok(None);
    }
    let formatter = handler.getattr(names.formatter.bind(py))?;
    if !formatter.get_type().is(&ours.formatter) {
        return Ok(None);
    }
    let style = formatter.getattr(names.style.bind(py))?;
    let format = formatter.getattr(names.format_text.bind(py))?;
    let is_plain = style.get_type().is(&ours.percent_style)
        && format.cast::<PyString>().is_ok_and(|text| text == FORMAT);
    Ok(is_plain.then_some(handler))
}

/// The line, `None` for one that cannot be made: logging itself has a way to complain of it.
fn text(
    handler: &Bound<'_, PyAny>,
    level: i64,
    line: &Bound<'_, PyTuple>,
) -> PyResult<Option<String>> {
    let py = handler.py();
    let made = message(line).and_then(|message| {
        let logging = built_in(py)?.logging.bind(py).cast()?;
        let level = of_module(logging, &names(py).level_names)?
            .get_item(level)?
            .str()?;
        let terminator = handler.getattr(names(py).terminator.bind(py))?.str()?;
        Ok(format!(
            "{}: {message}{}",
            level.to_cow()?,
            terminator.to_cow()?
        ))
    });
    match made {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_instance_of::<PyException>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text with what is put into it.
fn message(line: &Bound<'_, PyTuple>) -> PyResult<String> {
    let text = line.get_item(0)?;
    if line.len() == 1 {
        return text.str()?.extract();
    }
    let values = line.get_slice(1, line.len());
    let filled = text.cast::<PyString>()?.to_cow()?;
    match filled_in(&filled, &values)? {
        Some(message) => Ok(message),
        None => text.rem(values)?.str()?.extract(),
    }
}

/// Puts texts and whole numbers in the places of a text, `None` where Python's own way is needed.
fn filled_in(text: &str, values: &Bound<'_, PyTuple>) -> PyResult<Option<String>> {
    let mut made = String::with_capacity(text.len() + 64);
    let mut values = values.iter();
    let mut parts = text.split('%');
    made.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let is_number = value.is_exact_instance_of::<PyInt>();
        let fits = match part.as_bytes().first() {
            Some(b's') => is_number || value.is_exact_instance_of::<PyString>(),
            Some(b'd' | b'i') => is_number,
            _ => false,
        };
        if !fits {
            return Ok(None);
        }
        if is_number {
            match value.extract::<i64>() {
                Ok(number) => made.push_str(&number.to_string()),
                Err(_) => return Ok(None),
            }
        } else {
            made.push_str(&value.cast::<PyString>()?.to_cow()?);
        }
        made.push_str(&part[1..]);
    }
    Ok(values.next().is_none().then_some(made))
}

fn write(handler: &Bound<'_, PyAny>, text: &str) -> PyResult<()> {
    let py = handler.py();
    let names = names(py);
    let lock = handler.getattr(names.lock.bind(py))?;
    lock.call_method0(names.acquire.bind(py))?;
    let stream = handler.getattr(names.stream.bind(py));
    let written = stream.and_then(|stream| {
        stream.call_method1(names.write.bind(py), (text,))?;
        match stream.getattr_opt(names.flush.bind(py))? {
            Some(flush) => flush.call0().map(drop),
            None => Ok(()),
        }
    });
    lock.call_method0(names.release.bind(py))?;
    written
}

/// A line could not be written. What `logging` does then does not end the worker.
fn complain(
    logger: &Bound<'_, PyAny>,
    handler: &Bound<'_, PyAny>,
    error: PyErr,
    level: i64,
    line: &Bound<'_, PyTuple>,
) -> PyResult<()> {
    static COMPLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = logger.py();
    let about = (logger, handler, error.into_value(py), level).into_pyobject(py)?;
    let arguments = about.add(line)?;
    COMPLAIN
        .import(py, "luigi._interface_logger", "complain")?
        .call1(arguments.cast_into::<PyTuple>()?)?;
    Ok(())
}
