//! The class `HttpClient`: requests to a scheduler server.

use std::path::PathBuf;

use condotta_worker::{HttpClient as Client, Identity, Outlook};
use pyo3::{
    create_exception,
    exceptions::{PyConnectionError, PyValueError},
    prelude::*,
};

create_exception!(
    condotta._engine,
    FetchError,
    PyConnectionError,
    "A request to the scheduler's server has no answer."
);
create_exception!(
    condotta._engine,
    NobodyError,
    FetchError,
    "Nobody listens at the server's address, or the server has just gone or is not ready yet."
);
create_exception!(
    condotta._engine,
    RefusedError,
    FetchError,
    "The server will not answer the same request otherwise."
);

create_exception!(
    condotta._engine,
    NoMethodError,
    RefusedError,
    "The server has no such method."
);

/// Sends requests to one server. Connections stay open between them, so a process that is forked
/// needs one of its own.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct HttpClient {
    client: Client,
}

#[pymethods]
impl HttpClient {
    /// Requests to the server at `url`: `http://`, `https://` or `http+unix://`. `timeout` bounds
    /// connecting and each wait for the answer, in seconds. `token` is sent unless the URL has a user and
    /// password; `ca_file` has the certificates to trust.
    #[new]
    #[pyo3(signature = (url, timeout, token=None, ca_file=None))]
    fn new(
        url: &str,
        timeout: f64,
        token: Option<String>,
        ca_file: Option<PathBuf>,
    ) -> PyResult<Self> {
        let client = Client::new(url, timeout, &Identity { token, ca_file });
        let client = client.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { client })
    }

    /// Puts keyword arguments, as JSON, to a path below the address; the text of the answer.
    /// `FetchError` when there is none.
    fn post(&self, py: Python<'_>, path: &str, arguments: &str) -> PyResult<String> {
        let answer = py.detach(|| self.client.post(path, arguments));
        answer.map_err(|failure| match failure.outlook {
            Outlook::MayPass if failure.nobody_listens => NobodyError::new_err(failure.to_string()),
            Outlook::MayPass => FetchError::new_err(failure.to_string()),
            Outlook::Refused | Outlook::NoWay => RefusedError::new_err(failure.to_string()),
            Outlook::NoMethod => NoMethodError::new_err(failure.to_string()),
        })
    }
}
