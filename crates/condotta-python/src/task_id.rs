//! The id of a task whose parameters Python serialised.

use condotta_worker::task_id::{Lengths, task_id_with};
use pyo3::{
    prelude::*,
    types::{PyDict, PyString},
};

/// The id of a task of `family` by the serialised values of its parameters. It shows the beginnings,
/// of `shown_chars`, of the first `shown_params` values, and ends in `hash_digits`.
///
/// `None` where a name or value is anything else than plain text: that is for Python to show as it does.
#[pyfunction]
pub(crate) fn task_id(
    family: &Bound<'_, PyAny>,
    params: &Bound<'_, PyAny>,
    shown_params: &Bound<'_, PyAny>,
    shown_chars: &Bound<'_, PyAny>,
    hash_digits: &Bound<'_, PyAny>,
) -> Option<String> {
    let lengths = Lengths {
        shown_params: shown_params.extract().ok()?,
        shown_chars: shown_chars.extract().ok()?,
        hash_digits: hash_digits.extract().ok()?,
    };
    let items: Vec<_> = params.cast_exact::<PyDict>().ok()?.iter().collect();
    let mut texts = Vec::with_capacity(items.len());
    for (name, value) in &items {
        texts.push((plain(name)?, plain(value)?));
    }
    Some(task_id_with(plain(family)?, &mut texts, lengths))
}

/// The text, if it is one of Python's own class and can be written as UTF-8.
fn plain<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast_exact::<PyString>().ok()?.to_str().ok()
}
