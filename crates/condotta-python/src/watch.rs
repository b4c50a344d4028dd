//! The class `WorkWatch`: wakes a worker that waits for its runs when the scheduler's server may have something for it.
//!
//! The thread that waits at the server knows no Python, so the process may fork meanwhile. What a fork must not meet
//! is a look-up of a host's name: see `pause`.

use std::{
    io::{PipeReader, PipeWriter, Read as _, Write as _},
    os::fd::AsRawFd as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use condotta_worker::{Identity, Lookups, RemoteOptions, RemoteScheduler, Scheduler as _};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
};

/// So long a fork waits at most for a look-up that has begun.
const PAUSE_PATIENCE: Duration = Duration::from_millis(50);

/// Waits at a server for one worker.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct WorkWatch {
    scheduler: RemoteScheduler,
    worker: String,
    bell: Arc<Bell>,
    lookups: Lookups,
}

/// Can be heard from another thread, like all that becomes readable.
struct Bell {
    ear: PipeReader,
    clapper: PipeWriter,
}

#[pymethods]
impl WorkWatch {
    /// At the server at `url`, spoken to as `HttpClient` does. Nothing is sent yet.
    #[new]
    #[pyo3(signature = (url, worker, timeout, token=None, ca_file=None))]
    fn new(
        url: &str,
        worker: String,
        timeout: f64,
        token: Option<String>,
        ca_file: Option<PathBuf>,
    ) -> PyResult<Self> {
        let lookups = Lookups::default();
        let options = RemoteOptions {
            rpc_connect_timeout: timeout,
            identity: Identity { token, ca_file },
            lookups: lookups.clone(),
            ..RemoteOptions::default()
        };
        let scheduler = RemoteScheduler::new(url, options)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let (ear, clapper) = std::io::pipe().map_err(PyOSError::new_err)?;
        let bell = Arc::new(Bell { ear, clapper });
        let rung = Arc::clone(&bell);
        scheduler.subscribe(&worker, Arc::new(move || rung.ring()));
        Ok(Self {
            scheduler,
            worker,
            bell,
            lookups,
        })
    }

    /// Lets no look-up of a host's name begin for a moment, so that this process can fork.
    fn pause(&self, py: Python<'_>) {
        py.detach(|| self.lookups.hold(PAUSE_PATIENCE));
    }

    /// Lets them begin again.
    fn resume(&self) {
        self.lookups.release();
    }
}

impl WorkWatch {
    /// Sees that the server is asked to say when there may be work. Returns the file that is readable then.
    pub(crate) fn arm(&self, py: Python<'_>) -> i32 {
        // How long the worker waits stays its own decision: it also looks after its runs.
        py.detach(|| self.scheduler.until_next_ask(&self.worker, Duration::ZERO));
        self.bell.ear.as_raw_fd()
    }

    /// Takes note of what was heard, as it is when the file is readable.
    pub(crate) fn heed(&self) {
        let _ = (&self.bell.ear).read(&mut [0; 64]);
    }
}

impl Bell {
    /// Returns whether it could be heard. It can: the other end is open as long as this one.
    fn ring(&self) -> bool {
        (&self.clapper).write(&[0]).is_ok()
    }
}
