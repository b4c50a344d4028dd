//! What Python runs print, on its way to a server that keeps it: the classes `RunLogs` and `RunLog`.
//!
//! The threads here know no Python, so the process may fork while they run. What a fork must not meet is
//! a look-up of a host's name, whose locks the child could never have back: see `pause`.

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Write as _},
    mem::ManuallyDrop,
    os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd, RawFd},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use condotta_protocol::LogSource;
use condotta_worker::{
    Identity, LogAnswer, LogBatch, LogSink, Private as Texts, RemoteLogs, RunLog as Log,
    RunLogs as Logs,
};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
};

use crate::pipes::{self, print};

/// So long a fork waits at most for a request that is on its way.
const PAUSE_PATIENCE: Duration = Duration::from_millis(50);
/// So long the end of a run waits for what is in its pipes, which somebody may fill without end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(2);

type Params = Vec<(String, String)>;
/// Standard output, standard error, records.
type Ends = [RawFd; 3];

/// Hides what a task's private parameters hold, and hidden ones in the task's name.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct Private {
    params: Params,
    name: String,
    hidden: Params,
    texts: Texts,
}

#[pymethods]
impl Private {
    #[new]
    #[pyo3(signature = (params, name=String::new(), hidden=Vec::new()))]
    fn new(params: Params, name: String, hidden: Params) -> Self {
        let texts = Texts::with_name(params.iter().cloned(), &name, &hidden);
        Self {
            params,
            name,
            hidden,
            texts,
        }
    }

    /// The text without what is private.
    fn hide(&self, text: &str) -> String {
        self.texts.hide(text).into_owned()
    }

    /// A process that is not forked is sent it.
    fn __getnewargs__(&self) -> (Params, String, Params) {
        (self.params.clone(), self.name.clone(), self.hidden.clone())
    }
}

/// Sends what the runs of one worker print.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct RunLogs {
    /// A process that was forked must not end the thread that it does not have.
    logs: Arc<ManuallyDrop<Logs>>,
    gate: Arc<Gate>,
    life: Arc<Life>,
    /// Of all runs that may still print.
    readings: Mutex<Vec<Weak<Reading>>>,
}

/// Takes what one run prints.
#[pyclass(frozen, module = "condotta._engine")]
pub(crate) struct RunLog {
    logs: Arc<ManuallyDrop<Logs>>,
    life: Arc<Life>,
    log: Log,
    /// The reading ends of pipes that are not read yet.
    readers: Mutex<Vec<OwnedFd>>,
    reading: Arc<Reading>,
}

/// A pipe that nothing is ever written to: it ends with the worker.
struct Life {
    seen: PipeReader,
    /// Of the worker alone, so the processes of runs close theirs.
    held: Mutex<Option<PipeWriter>>,
}

/// Keeps requests and forks apart.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    paused: bool,
    sending: bool,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends unless somebody is about to fork.
struct Gated {
    sink: RemoteLogs,
    gate: Arc<Gate>,
}

impl LogSink for Gated {
    fn send(&self, batch: &LogBatch<'_>) -> LogAnswer {
        let gate = &self.gate;
        let waited = gate
            .changed
            .wait_while(gate.state(), |state| state.paused)
            .unwrap_or_else(PoisonError::into_inner);
        let mut state = waited;
        state.sending = true;
        drop(state);
        let answer = self.sink.send(batch);
        gate.state().sending = false;
        gate.changed.notify_all();
        answer
    }
}

/// The pipes of a run while they are being read.
struct Reading {
    /// Whose output it is: in a process that is kept, of one run after another.
    log: Mutex<Log>,
    pipes: Mutex<Option<Arc<[File; 3]>>>,
    ended: Condvar,
    /// Held while something is on its way.
    moving: Mutex<()>,
}

impl Reading {
    fn of(log: Log) -> Arc<Self> {
        Arc::new(Self {
            log: Mutex::new(log),
            pipes: Mutex::default(),
            ended: Condvar::new(),
            moving: Mutex::default(),
        })
    }

    /// Waits for the end of the pipes. What is in them after `patience` is waited for a little longer: who printed it
    /// has ended, and this machine may be slow.
    fn finish(&self, patience: Duration) {
        let waited = self
            .ended
            .wait_timeout_while(lock(&self.pipes), patience, |pipes| pipes.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        let has_ended = waited.0.is_none();
        drop(waited);
        if !has_ended {
            self.drain(Instant::now() + DRAIN_PATIENCE);
        }
    }

    /// Waits until nothing is left in the pipes.
    fn drain(&self, until: Instant) {
        let Some(pipes) = lock(&self.pipes).clone() else {
            return;
        };
        while Instant::now() < until {
            let moving = lock(&self.moving);
            if !pipes::any_to_read(&pipes) {
                return;
            }
            drop(moving);
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[pymethods]
impl RunLogs {
    #[new]
    #[pyo3(signature = (url, worker, timeout, token=None, ca_file=None))]
    fn new(
        url: &str,
        worker: &str,
        timeout: f64,
        token: Option<String>,
        ca_file: Option<PathBuf>,
    ) -> PyResult<Self> {
        let sink = RemoteLogs::new(url, worker, timeout, &Identity { token, ca_file })
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let gate = Arc::<Gate>::default();
        let gated = Gated {
            sink,
            gate: Arc::clone(&gate),
        };
        let logs = Logs::start(Arc::new(gated)).map_err(PyOSError::new_err)?;
        let (seen, held) = io::pipe()?;
        let held = Mutex::new(Some(held));
        Ok(Self {
            logs: Arc::new(ManuallyDrop::new(logs)),
            gate,
            life: Arc::new(Life { seen, held }),
            readings: Mutex::default(),
        })
    }

    #[pyo3(signature = (task_id, attempt=None, private=None))]
    fn begin(&self, task_id: &str, attempt: Option<u64>, private: Option<&Private>) -> RunLog {
        let private = private.map_or_else(Texts::default, |private| private.texts.clone());
        let log = self.logs.begin(task_id, attempt, private);
        let reading = Reading::of(log.clone());
        let mut readings = lock(&self.readings);
        readings.retain(|reading| reading.strong_count() > 0);
        readings.push(Arc::downgrade(&reading));
        RunLog {
            logs: Arc::clone(&self.logs),
            life: Arc::clone(&self.life),
            log,
            readers: Mutex::default(),
            reading,
        }
    }

    /// Sends nothing for a moment, so that this process can fork.
    fn pause(&self, py: Python<'_>) {
        py.detach(|| {
            let mut state = self.gate.state();
            state.paused = true;
            let patience = PAUSE_PATIENCE;
            let waited = self
                .gate
                .changed
                .wait_timeout_while(state, patience, |state| state.sending);
            drop(waited);
        });
    }

    /// The worker ends, and the processes of its runs have: waits until what they printed has been passed on.
    fn settle(&self, py: Python<'_>, patience: f64) {
        py.detach(|| {
            let until = Instant::now() + secs(patience);
            let readings = lock(&self.readings).clone();
            for reading in readings.iter().filter_map(Weak::upgrade) {
                reading.drain(until);
            }
            self.logs
                .settle(until.saturating_duration_since(Instant::now()));
        });
    }

    /// Goes on.
    fn resume(&self) {
        self.gate.state().paused = false;
        self.gate.changed.notify_all();
    }
}

#[pymethods]
impl RunLog {
    /// Takes what was printed to "stdout" or "stderr".
    fn write(&self, source: &str, data: &[u8]) {
        let source = match source {
            "stderr" => LogSource::Stderr,
            _ => LogSource::Stdout,
        };
        self.log.push(&source, data);
    }

    /// Takes a record of the log.
    fn record(&self, level: u64, logger: &str, message: &str) {
        record(&self.log, level, logger, message);
    }

    /// Makes pipes for a process that is about to start: standard output, standard error, records. The
    /// writing ends are the caller's to close. The reading ends come next, for that process only; last a pipe that
    /// ends with this one.
    fn open(&self) -> PyResult<(Ends, Ends, RawFd)> {
        let pipes = [io::pipe()?, io::pipe()?, io::pipe()?];
        let (readers, writers): (Vec<_>, Vec<_>) = pipes.into_iter().unzip();
        let mut ends = readers.iter().map(PipeReader::as_raw_fd);
        let read = [(); 3].map(|()| ends.next().expect("there are three"));
        *lock(&self.readers) = readers.into_iter().map(OwnedFd::from).collect();
        let mut writers = writers.into_iter().map(OwnedFd::from);
        let write = [(); 3].map(|()| writers.next().expect("there are three").into_raw_fd());
        Ok((write, read, self.life.seen.as_raw_fd()))
    }

    /// This is the process of the run, which was forked: it keeps nobody from seeing the worker's end.
    fn leave(&self) {
        lock(&self.life.held).take();
    }

    /// Reads the pipes until they end, on a thread.
    fn read(&self) -> PyResult<()> {
        let files: Vec<File> = lock(&self.readers).drain(..).map(File::from).collect();
        let Ok(files) = <[File; 3]>::try_from(files) else {
            return Ok(());
        };
        let files = Arc::new(files);
        let reading = Arc::clone(&self.reading);
        *lock(&reading.pipes) = Some(Arc::clone(&files));
        let read = move || {
            copy(&files, &reading);
            *lock(&reading.pipes) = None;
            reading.ended.notify_all();
        };
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(read)
            .map_err(PyOSError::new_err)?;
        Ok(())
    }

    /// From here on the pipes are another run's, which takes place in the same process.
    fn lend(&self, py: Python<'_>, to: &Self) {
        self.drain(py);
        *lock(&self.reading.log) = to.log.clone();
    }

    /// Waits until nothing is left in the pipes, which go on.
    fn drain(&self, py: Python<'_>) {
        py.detach(|| self.reading.drain(Instant::now() + DRAIN_PATIENCE));
    }

    /// The run ended: waits for the end of the files, and until all was sent.
    fn finish(&self, py: Python<'_>, last_output: f64, flush: f64) {
        py.detach(|| {
            self.reading.finish(secs(last_output));
            self.logs.finish(&self.log, secs(flush));
        });
    }
}

fn secs(secs: f64) -> Duration {
    Duration::try_from_secs_f64(secs).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record(log: &Log, level: u64, logger: &str, message: &str) {
    let level = u8::try_from(level).unwrap_or(u8::MAX);
    log.record(level, logger, message);
}

/// Takes standard output, standard error and records until all of them end.
fn copy(pipes: &[File; 3], reading: &Reading) {
    let mut line = Vec::new();
    pipes::read(
        pipes,
        || lock(&reading.moving),
        |index, bytes| take(index, bytes, &mut line, &lock(&reading.log).clone()),
    );
}

fn take(index: usize, bytes: &[u8], line: &mut Vec<u8>, log: &Log) {
    match index {
        0 => {
            log.push(&LogSource::Stdout, bytes);
            print(&io::stdout(), bytes);
        }
        1 => {
            log.push(&LogSource::Stderr, bytes);
            print(&io::stderr(), bytes);
        }
        _ => {
            line.write_all(bytes).expect("memory can be written to");
            while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                let rest = line.split_off(end + 1);
                if let Ok((level, logger, message)) =
                    serde_json::from_slice::<(u64, String, String)>(line)
                {
                    record(log, level, &logger, &message);
                }
                *line = rest;
            }
        }
    }
}
