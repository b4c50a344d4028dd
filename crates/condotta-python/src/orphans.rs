//! What a run prints after its worker has gone: the class `OrphanOutput`.
//!
//! As long as the worker lives it reads the pipes that a run prints to. When it has been killed the run goes on, as
//! Luigi's do, and nobody would read: what filled the pipes would wait for ever. So the run's own process looks
//! whether the worker lives, and if not passes on what is printed to where the worker itself printed.

use std::{
    fs::File,
    io,
    os::fd::{AsFd as _, OwnedFd, RawFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pyo3::{exceptions::PyOSError, prelude::*};

use crate::pipes::{self, print};

/// The thread needs no more.
const STACK_BYTES: usize = 64 << 10;
/// So long the end of the process waits for what is in the pipes.
const LAST_OUTPUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Passes on what a run prints if its worker has gone. Lives in the process of the run.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct OrphanOutput {
    files: Arc<Files>,
}

struct Files {
    /// Ends with the worker.
    worker: File,
    /// Standard output, standard error, records.
    pipes: [File; 3],
    /// Where the worker itself prints.
    stdout: OwnedFd,
    stderr: OwnedFd,
    /// Held while something is on its way.
    moving: Mutex<()>,
}

#[pymethods]
impl OrphanOutput {
    /// `worker` is a pipe that ends with the worker, `pipes` what it reads of this run. Standard output and error are
    /// still the worker's.
    #[new]
    fn new(worker: RawFd, pipes: [RawFd; 3]) -> PyResult<Self> {
        let files = Files::open(worker, pipes).map_err(PyOSError::new_err)?;
        let files = Arc::new(files);
        let followed = Arc::clone(&files);
        thread::Builder::new()
            .name("orphan".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || followed.follow())
            .map_err(PyOSError::new_err)?;
        Ok(Self { files })
    }

    /// The process is about to end: waits until what it printed has been passed on, if nobody else reads it.
    fn settle(&self, py: Python<'_>) {
        py.detach(|| self.files.settle());
    }
}

impl Files {
    fn open(worker: RawFd, pipes: [RawFd; 3]) -> io::Result<Self> {
        let [stdout, stderr, records] = pipes;
        Ok(Self {
            worker: again(worker)?,
            pipes: [again(stdout)?, again(stderr)?, again(records)?],
            stdout: io::stdout().as_fd().try_clone_to_owned()?,
            stderr: io::stderr().as_fd().try_clone_to_owned()?,
            moving: Mutex::default(),
        })
    }

    fn follow(&self) {
        loop {
            match self.has_gone(PollTimeout::NONE) {
                Some(true) => break,
                Some(false) => {}
                None => return,
            }
        }
        pipes::read(
            &self.pipes,
            || self.moving(),
            |pipe, bytes| match pipe {
                0 => print(&self.stdout, bytes),
                1 => print(&self.stderr, bytes),
                // Handlers of the log print for themselves.
                _ => {}
            },
        );
    }

    /// Whether the worker has gone, or goes in this time. `None` if that cannot be known any more.
    fn has_gone(&self, wait: PollTimeout) -> Option<bool> {
        let mut polled = [PollFd::new(self.worker.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, wait) {
            Ok(_) => {}
            Err(nix::Error::EINTR) => return Some(false),
            Err(_) => return None,
        }
        let seen = polled[0].revents()?;
        // The run may have closed files that it did not open.
        (!seen.contains(PollFlags::POLLNVAL)).then(|| seen.contains(PollFlags::POLLHUP))
    }

    fn settle(&self) {
        if self.has_gone(PollTimeout::ZERO) != Some(true) {
            return;
        }
        let patience = Instant::now() + LAST_OUTPUT;
        while Instant::now() < patience {
            let moving = self.moving();
            if !pipes::any_to_read(&self.pipes) {
                return;
            }
            drop(moving);
            thread::sleep(LOOK_EVERY);
        }
    }

    fn moving(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same file, of one's own.
fn again(file: RawFd) -> io::Result<File> {
    File::open(format!("/dev/fd/{file}"))
}
