//! Python's objects as the engine's plain values, and the reverse.
//!
//! What is kept as JSON by the scheduler may be any object that JSON can show.

use condotta_protocol::{Json, Object};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple},
};
use serde_json::{Map, Value};

/// Deeper than that is refused, so that a list that holds itself ends.
const DEEPEST: usize = 100;

/// An object as JSON.
///
/// # Errors
///
/// `TypeError` for what JSON cannot show, `ValueError` for what is nested too deep.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    nested(value, 0)
}

fn nested(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Json> {
    if depth > DEEPEST {
        return Err(PyValueError::new_err(
            "the value is nested too deep, or holds itself",
        ));
    }
    if value.is_none() {
        return Ok(Json::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Json::Text(text.to_cow()?.into_owned()));
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Json::Bool(flag.is_true()));
    }
    if let Ok(whole) = value.cast::<PyInt>() {
        return match whole.extract::<i64>() {
            Ok(whole) => Ok(Json::Int(whole)),
            Err(_) => Ok(Json::Float(whole.extract()?)),
        };
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Ok(Json::Float(float.value()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return dict
            .iter()
            .map(|(key, value)| Ok((key_text(&key)?, nested(&value, depth + 1)?)))
            .collect::<PyResult<Object>>()
            .map(Json::Object);
    }
    if let Ok(mapping) = value.cast::<PyMapping>() {
        let dict = PyDict::new(value.py());
        dict.update(mapping)?;
        return nested(&dict.into_any(), depth + 1);
    }
    // Enumerations of numbers, such as that of visibilities, stand for their values.
    if let Ok(inner) = value.getattr("value")
        && !value.hasattr("__iter__")?
    {
        return nested(&inner, depth + 1);
    }
    let items = value
        .try_iter()
        .map_err(|_| PyTypeError::new_err(format!("{} cannot be sent", named(value))))?;
    items
        .map(|item| nested(&item?, depth + 1))
        .collect::<PyResult<_>>()
        .map(Json::List)
}

/// The type and the value, for an error.
pub(crate) fn named(value: &Bound<'_, PyAny>) -> String {
    let kind = value.get_type().name().map(|name| name.to_string());
    let shown = value.repr().map(|text| text.to_string());
    format!(
        "{} {}",
        kind.unwrap_or_default(),
        shown
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect::<String>()
    )
}

/// The key of a dictionary as JSON writes it.
fn key_text(key: &Bound<'_, PyAny>) -> PyResult<String> {
    match key.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => Ok(key.str()?.to_cow()?.into_owned()),
    }
}

/// Keyword arguments as the arguments of a request.
///
/// # Errors
///
/// As [`json`].
pub(crate) fn object(arguments: &Bound<'_, PyDict>) -> PyResult<Object> {
    arguments
        .iter()
        .map(|(name, value)| Ok((key_text(&name)?, json(&value)?)))
        .collect()
}

/// A reply as Python's objects.
///
/// # Errors
///
/// Those of Python when it has no memory left.
pub(crate) fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (None, Some(whole)) => whole.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(map) => dict(py, map)?.into_any(),
    })
}

/// An object as a dictionary.
///
/// # Errors
///
/// As [`python`].
pub(crate) fn dict<'py>(py: Python<'py>, map: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in map {
        dict.set_item(key, python(py, value)?)?;
    }
    Ok(dict)
}

/// Texts in a list, a tuple, a set or anything else that can be walked.
///
/// # Errors
///
/// `TypeError` for what is no collection, or holds something else than texts.
pub(crate) fn texts(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if let Ok(list) = value.cast::<PyList>() {
        return list.iter().map(|item| text(&item)).collect();
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return tuple.iter_borrowed().map(|item| text(&item)).collect();
    }
    value.try_iter()?.map(|item| text(&item?)).collect()
}

/// A text.
///
/// # Errors
///
/// `TypeError` for anything else.
pub(crate) fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{} stands where a text should",
            named(value)
        ))),
    }
}

/// A text, or nothing.
///
/// # Errors
///
/// `TypeError` for anything else.
pub(crate) fn optional_text(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        Ok(None)
    } else {
        text(value).map(Some)
    }
}

/// A text, or anything else as `str` shows it: Luigi keeps parameters as they come.
///
/// # Errors
///
/// Those of the object's own `__str__`.
pub(crate) fn scalar_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => Ok(value.str()?.to_cow()?.into_owned()),
    }
}
