//! Which release of Python this is. Python says it in a text, which each process would read anew.

use std::sync::OnceLock;

use pyo3::prelude::*;

/// The second number of the release; the first is 3.
pub(crate) fn release(py: Python<'_>) -> u8 {
    static RELEASE: OnceLock<u8> = OnceLock::new();
    *RELEASE.get_or_init(|| py.version_info().minor)
}
