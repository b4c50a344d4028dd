//! The arguments of `add_task` and `get_work`, taken from Python's objects without a step between.

use condotta_scheduler::{AddTask, GetWork, Param, Resources, RetryPolicy, Status, Visibility};
use pyo3::{
    Borrowed,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::convert::{self, named, optional_text, text, texts};

/// The positional arguments of one call, in order.
struct Arguments<'a, 'py> {
    items: &'a Bound<'py, PyTuple>,
    next: usize,
}

impl<'a, 'py> Arguments<'a, 'py> {
    fn take(&mut self) -> PyResult<Borrowed<'a, 'py, PyAny>> {
        let item = self.items.get_borrowed_item(self.next)?;
        self.next += 1;
        Ok(item)
    }

    fn text(&mut self, name: &str) -> PyResult<String> {
        let item = self.take()?;
        text(&item).map_err(|error| wrong(&item, name, &error))
    }

    fn optional_text(&mut self, name: &str) -> PyResult<Option<String>> {
        let item = self.take()?;
        optional_text(&item).map_err(|error| wrong(&item, name, &error))
    }

    fn optional_texts(&mut self) -> PyResult<Option<Vec<String>>> {
        let item = self.take()?;
        optional_texts(&item)
    }

    fn flag(&mut self) -> PyResult<bool> {
        self.take()?.is_truthy()
    }

    fn optional_flag(&mut self) -> PyResult<Option<bool>> {
        let item = self.take()?;
        if item.is_none() {
            return Ok(None);
        }
        item.is_truthy().map(Some)
    }
}

fn wrong(item: &Bound<'_, PyAny>, name: &str, error: &PyErr) -> PyErr {
    PyTypeError::new_err(format!("{name}: {}", error.value(item.py())))
}

/// The error with the task whose arguments are wrong.
pub(super) fn of_task(task_id: &str, item: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let text = format!("{task_id}: {}", error.value(item.py()));
    PyErr::from_type(error.get_type(item.py()), text)
}

fn optional_texts(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    if value.is_none() {
        return Ok(None);
    }
    texts(value).map(Some)
}

/// The arguments of `add_task` in Luigi's order, with the number of the attempt at the end.
pub(super) fn add_task(items: &Bound<'_, PyTuple>) -> PyResult<AddTask> {
    let mut given = Arguments { items, next: 0 };
    let task_id = given.text("task_id")?;
    let status = status(&*given.take()?)?;
    let runnable = given.optional_flag()?;
    let deps = given.optional_texts()?;
    let new_deps = given.optional_texts()?;
    let expl = shown_text(&*given.take()?)?;
    let needs = given.take()?;
    let needs = resources(&needs).map_err(|error| of_task(&task_id, &needs, error))?;
    let priority = given.take()?;
    let priority =
        number("priority", &priority).map_err(|error| of_task(&task_id, &priority, error))?;
    let family = given.optional_text("family")?.unwrap_or_default();
    let module = given.optional_text("module")?;
    let params = given.take()?;
    let visibilities = given.take()?;
    let accepts_messages = given.optional_flag()?;
    let assistant = given.flag()?;
    let tracking_url = given.optional_text("tracking_url")?;
    let worker = given.text("worker")?;
    let batchable = given.optional_flag()?;
    let batch_id = given.optional_text("batch_id")?;
    let policy = given.take()?;
    let retry_policy = retry_policy(&policy).map_err(|error| of_task(&task_id, &policy, error))?;
    Ok(AddTask {
        task_id,
        status,
        runnable,
        deps,
        new_deps,
        expl,
        resources: needs,
        priority,
        family,
        module,
        params: self::params(&params, &visibilities)?,
        accepts_messages,
        assistant,
        tracking_url,
        worker,
        batchable,
        batch_id,
        retry_policy,
        // People are told by Python, which knows the owners.
        owners: Vec::new(),
        attempt: attempt(&*given.take()?)?,
    })
}

/// The arguments of `get_work`.
pub(super) fn get_work(
    host: Option<String>,
    assistant: bool,
    current_tasks: &Bound<'_, PyAny>,
    worker: &Bound<'_, PyAny>,
) -> PyResult<GetWork> {
    Ok(GetWork {
        worker: text(worker).map_err(|error| wrong(worker, "worker", &error))?,
        host,
        assistant,
        current_tasks: optional_texts(current_tasks)?,
    })
}

/// Statuses by their names.
pub(super) fn statuses(names: &[String]) -> PyResult<Vec<Status>> {
    names.iter().map(|name| named_status(name)).collect()
}

fn status(value: &Bound<'_, PyAny>) -> PyResult<Status> {
    match value.cast::<PyString>() {
        Ok(name) => named_status(&name.to_cow()?),
        Err(_) => Err(PyTypeError::new_err(format!(
            "status: {} stands where the name of a status should",
            named(value)
        ))),
    }
}

/// A status by its name.
pub(super) fn named_status(name: &str) -> PyResult<Status> {
    Status::from_name(name)
        .ok_or_else(|| PyValueError::new_err(format!("there is no status {name:?}")))
}

fn shown_text(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(text.to_cow()?.into_owned())),
        // An exception, for instance, that a worker in this process reports as it is.
        Err(_) => match convert::json(value) {
            Ok(json) => Ok(Some(json.to_string())),
            Err(_) => convert::scalar_text(value).map(Some),
        },
    }
}

fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract().map_err(|_| {
        PyTypeError::new_err(format!(
            "{name}: {} stands where a number should",
            named(value)
        ))
    })
}

fn attempt(value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    value.extract()
}

/// What a run takes of each resource.
fn resources(value: &Bound<'_, PyAny>) -> PyResult<Option<Resources>> {
    if value.is_none() {
        return Ok(None);
    }
    let dict = dictionary(value)?;
    if dict.is_empty() {
        return Ok(Some(Resources::new()));
    }
    amounts(&dict, amount).map(Some)
}

/// The dictionary itself, or one of the mapping that stands in its place.
fn dictionary<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    let dict = PyDict::new(value.py());
    let mapping = value
        .cast::<pyo3::types::PyMapping>()
        .map_err(|_| PyTypeError::new_err(format!("{} is no dictionary", named(value))))?;
    dict.update(mapping)?;
    Ok(dict)
}

/// Amounts by name, each read by `amount`.
pub(super) fn amounts(
    dict: &Bound<'_, PyDict>,
    amount: impl Fn(&str, &Bound<'_, PyAny>) -> PyResult<u64>,
) -> PyResult<Resources> {
    dict.iter()
        .map(|(name, value)| {
            let name = convert::scalar_text(&name)?;
            let amount = amount(&name, &value)?;
            Ok((name, amount))
        })
        .collect()
}

/// A whole number of zero or more; `2.0` is one.
pub(super) fn amount(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(whole) = value.extract::<u64>() {
        return Ok(whole);
    }
    let float: Option<f64> = value.extract().ok();
    match float.filter(|float| float.fract() == 0.0 && (0.0..1e15).contains(float)) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number is whole and in range"
        )]
        Some(float) => Ok(float as u64),
        None => Err(PyValueError::new_err(format!(
            "resource {name:?} is {}, expected {}",
            value.repr()?,
            float.map_or_else(|| WHOLE.to_owned(), in_smaller_units)
        ))),
    }
}

const WHOLE: &str = "a whole number of zero or more";

/// What is expected in place of a fraction, which Luigi takes.
fn in_smaller_units(amount: f64) -> String {
    let factor = (2_u32..=100).map(f64::from).find(|factor| {
        let whole = amount * factor;
        (whole - whole.round()).abs() < 1e-9
    });
    match factor {
        Some(factor) if amount > 0.0 => format!(
            "a whole number. Count in smaller units: multiply all amounts of this resource, and its limit in section \
             [resources], by {factor}; this one is {:.0} then",
            amount * factor
        ),
        _ => WHOLE.to_owned(),
    }
}

fn params(
    params: &Bound<'_, PyAny>,
    visibilities: &Bound<'_, PyAny>,
) -> PyResult<Option<Vec<Param>>> {
    if params.is_none() {
        return Ok(None);
    }
    let visibilities = if visibilities.is_none() {
        None
    } else {
        Some(dictionary(visibilities)?).filter(|dict| !dict.is_empty())
    };
    let dict = dictionary(params)?;
    let mut read = Vec::with_capacity(dict.len());
    for (name, value) in dict.iter() {
        let visibility = match &visibilities {
            Some(visibilities) => visibilities.get_item(&name)?,
            None => None,
        };
        read.push(Param {
            name: convert::scalar_text(&name)?,
            value: convert::scalar_text(&value)?,
            visibility: visibility.map_or(Ok(Visibility::Public), |given| visible(&given))?,
        });
    }
    Ok(Some(read))
}

fn visible(value: &Bound<'_, PyAny>) -> PyResult<Visibility> {
    let number: i64 = value
        .extract()
        .or_else(|_| value.getattr("value")?.extract())?;
    match number {
        0 => Ok(Visibility::Public),
        1 => Ok(Visibility::Hidden),
        2 => Ok(Visibility::Private),
        _ => Err(PyValueError::new_err(format!(
            "{number} is no visibility: 0, 1 and 2 are"
        ))),
    }
}

fn retry_policy(value: &Bound<'_, PyAny>) -> PyResult<RetryPolicy> {
    let mut policy = RetryPolicy::default();
    if value.is_none() {
        return Ok(policy);
    }
    for (name, value) in dictionary(value)?.iter() {
        if value.is_none() {
            continue;
        }
        let name = convert::scalar_text(&name)?;
        let number = number(&name, &value)?;
        match &*name {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, which is what is meant"
            )]
            "retry_count" => policy.retry_count = Some(number.ceil() as u64),
            "disable_hard_timeout" => policy.disable_hard_timeout = Some(number),
            "disable_window" => policy.disable_window = Some(number),
            other => {
                let text = format!("{other:?} is no part of a retry policy");
                return Err(PyTypeError::new_err(text));
            }
        }
    }
    Ok(policy)
}
