//! A file that is closed with the object that has it.

use pyo3::prelude::*;

/// Closes a file when nobody has this any more. In a process that was forked meanwhile it closes that one's.
#[pyclass(module = "condotta._engine")]
pub(crate) struct OwnedFile {
    file: Option<i32>,
}

#[pymethods]
impl OwnedFile {
    /// Takes the number of an open file.
    #[new]
    pub(super) fn new(file: i32) -> Self {
        Self { file: Some(file) }
    }

    /// Closes the file, if that has not been done.
    fn close(&mut self) {
        if let Some(file) = self.file.take() {
            // Somebody may have closed it: then there is nothing to do.
            let _ = nix::unistd::close(file);
        }
    }
}

impl Drop for OwnedFile {
    fn drop(&mut self) {
        self.close();
    }
}
