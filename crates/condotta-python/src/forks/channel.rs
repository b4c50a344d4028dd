//! The way of the results of one run from its process to the worker: both ends of a pipe.

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBrokenPipeError, PyEOFError, PyOSError},
    prelude::*,
    types::{PyBytes, PyList, PyString, PyTuple},
};

use super::held::held;
use crate::{
    built_in::{built_in, has, of_module},
    names::names,
    watch::WorkWatch,
};

/// How many bytes say how many follow.
const HEAD: usize = 8;
/// No more bytes are handed to the system at once: so many a pipe takes without waiting if it takes any.
const AT_ONCE: usize = 4096;
/// What a result is packed with, as the first byte after the head: `marshal` or `pickle`.
const PLAIN: u8 = b'm';
const PICKLED: u8 = b'p';

/// What a pipe is waited for that is read.
const READABLE: i16 = 1;

/// The results of one run in another process, at both of its ends.
#[pyclass(module = "condotta._engine")]
pub(crate) struct Channel {
    process: Option<Py<PyAny>>,
    /// The ends of the pipe; whose they are in a process that is kept, its connections close.
    reader: Option<i32>,
    writer: Option<i32>,
    /// To be called when the one result of a run in a process that is kept has come.
    when_done: Option<Py<PyAny>>,
    /// What tells that the process has ended, as soon as it runs.
    end: Option<i32>,
    /// Whether this end has sent a result.
    sent: bool,
    /// There was something to read when it was looked for what any of the processes sent.
    arrived: bool,
    delivered: bool,
    read_all: bool,
    closed: bool,
}

#[pymethods]
impl Channel {
    /// For the results of a process that is not started yet.
    #[new]
    #[pyo3(signature = (process = None))]
    pub(super) fn new(process: Option<Py<PyAny>>) -> Self {
        Self {
            process,
            reader: None,
            writer: None,
            when_done: None,
            end: None,
            sent: false,
            arrived: false,
            delivered: false,
            read_all: false,
            closed: false,
        }
    }

    /// Makes a pipe for a process that is about to start.
    pub(super) fn open(&mut self, py: Python<'_>) -> PyResult<()> {
        let ends = held(py)?.os(py, &names(py).pipe)?.call0()?;
        let (reader, writer) = ends.extract()?;
        self.reader = Some(reader);
        self.writer = Some(writer);
        Ok(())
    }

    /// Leaves the writing end to the process, so that its end can be seen.
    pub(super) fn started(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.writer.take() {
            Some(writer) => close(py, writer),
            None => Ok(()),
        }
    }

    /// Takes the one result of a run in a process that is kept, and calls `when_done` when it is there.
    fn read_from(&mut self, reader: &Bound<'_, PyAny>, when_done: Py<PyAny>) -> PyResult<()> {
        self.reader = Some(reader.call_method0("fileno")?.extract()?);
        self.when_done = Some(when_done);
        Ok(())
    }

    /// Sends the result of a run in a process that is kept, from there.
    fn write_to(&mut self, writer: &Bound<'_, PyAny>) -> PyResult<()> {
        self.writer = Some(writer.call_method0("fileno")?.extract()?);
        Ok(())
    }

    /// Sends a result to the worker, in full before it returns; a failure in its place if it cannot be
    /// sent. The worker takes one of each run: others stay here, since nobody would take them out of the pipe.
    #[pyo3(signature = (item, block = true, timeout = None))]
    fn put(
        slf: &Bound<'_, Self>,
        item: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let _ = (block, timeout);
        let py = item.py();
        let writer = {
            let mut this = slf.borrow_mut();
            if std::mem::replace(&mut this.sent, true) {
                return Ok(());
            }
            this.writer
        };
        let bytes = packed(item)?;
        let writer =
            writer.ok_or_else(|| PyOSError::new_err("the process has not been started"))?;
        send(py, writer, &bytes)
    }

    /// Takes nothing more.
    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        // Without the circle the process's files are closed as soon as the worker has done with it.
        self.process = None;
        match (&self.when_done, self.reader) {
            (None, Some(reader)) => close(py, reader),
            (Some(when_done), _) if self.delivered => when_done.call0(py).map(drop),
            _ => Ok(()),
        }
    }

    /// Whether the process ended, and nothing more can come, before it sent a result.
    pub(super) fn is_lost(&self) -> bool {
        self.closed && !self.delivered
    }

    /// The process that is started takes the writing end only.
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let duplicate = py.import("multiprocessing.reduction")?.getattr("DupFd")?;
        let writer = slf.borrow().writer;
        let kind = slf.get_type().into_any();
        Ok((kind, PyTuple::empty(py), duplicate.call1((writer,))?))
    }

    fn __setstate__(&mut self, writer: &Bound<'_, PyAny>) -> PyResult<()> {
        self.writer = Some(writer.call_method0("detach")?.extract()?);
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.process)?;
        visit.call(&self.when_done)
    }

    fn __clear__(&mut self) {
        self.process = None;
        self.when_done = None;
    }
}

impl Channel {
    /// Whether there is something to read, be it the end.
    pub(super) fn has_more(&self, py: Python<'_>) -> PyResult<bool> {
        match self.reader {
            Some(reader) if !self.closed && !self.read_all => {
                Ok(!ready_files(py, &[reader], Some(0.0))?.is_empty())
            }
            _ => Ok(false),
        }
    }
}

fn close(py: Python<'_>, file: i32) -> PyResult<()> {
    held(py)?.os(py, &names(py).close)?.call1((file,))?;
    Ok(())
}

/// Writes a result to a pipe that is empty. Nobody wants it if the worker has gone.
fn send(py: Python<'_>, writer: i32, bytes: &[u8]) -> PyResult<()> {
    let write = held(py)?.os(py, &names(py).write)?;
    let mut left = bytes;
    while !left.is_empty() {
        if left.len() < bytes.len() && !has_room(py, writer)? {
            return Ok(());
        }
        let part = PyBytes::new(py, &left[..left.len().min(AT_ONCE)]);
        match write.call1((writer, part)) {
            Ok(written) => left = &left[written.extract::<usize>()?..],
            Err(error) if error.is_instance_of::<PyBrokenPipeError>(py) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until a pipe takes more. Returns whether it does: not if the worker goes first.
fn has_room(py: Python<'_>, writer: i32) -> PyResult<bool> {
    const WRITABLE: i16 = 4;
    let worker = of_module(held(py)?.process.bind(py), &names(py).parent_process)?;
    if worker.is_none() {
        return Ok(true);
    }
    let poll = held(py)?.poll.bind(py).call0()?;
    let sentinel = worker.getattr(names(py).sentinel_of.bind(py))?;
    poll.call_method1(names(py).register.bind(py), (writer, WRITABLE))?;
    poll.call_method1(names(py).register.bind(py), (sentinel, READABLE))?;
    let ready = poll.call_method0(names(py).poll.bind(py))?;
    for event in ready.try_iter()? {
        let (file, _event): (i32, i32) = event?.extract()?;
        if file == writer {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A result as bytes, with their number before them.
fn packed(item: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let py = item.py();
    // Most results are a few texts, for which pickle would have to be woken up first.
    let plain = item
        .cast_exact::<PyTuple>()
        .is_ok_and(|item| item.iter().all(|part| is_plain(&part)));
    let (kind, data) = if plain {
        (PLAIN, held(py)?.marshal_dumps.bind(py).call1((item,))?)
    } else {
        let pickled = py.import("luigi._results")?.getattr("pickled")?;
        (PICKLED, pickled.call1((item,))?)
    };
    let data = data.cast::<PyBytes>()?.as_bytes();
    let mut bytes = Vec::with_capacity(HEAD + 1 + data.len());
    bytes.extend_from_slice(&(data.len() as u64 + 1).to_le_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(data);
    Ok(bytes)
}

fn is_plain(part: &Bound<'_, PyAny>) -> bool {
    part.is_none()
        || part.is_exact_instance_of::<PyString>()
        || part
            .cast_exact::<PyList>()
            .is_ok_and(|list| list.is_empty())
}

fn unpacked<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let loads = match data.first() {
        Some(&PLAIN) => held(py)?.marshal_loads.bind(py).clone(),
        _ => py.import("pickle")?.getattr("loads")?,
    };
    loads.call1((PyBytes::new(py, data.get(1..).unwrap_or_default()),))
}

/// Takes one result from a pipe. `EOFError` when there is none to come.
fn receive(py: Python<'_>, reader: i32) -> PyResult<Bound<'_, PyAny>> {
    let mut head = [0; HEAD];
    head.copy_from_slice(&bytes(py, reader, HEAD)?);
    let size = usize::try_from(u64::from_le_bytes(head)).map_err(|_| PyEOFError::new_err(()))?;
    unpacked(py, &bytes(py, reader, size)?)
}

fn bytes(py: Python<'_>, reader: i32, size: usize) -> PyResult<Vec<u8>> {
    let read = held(py)?.os(py, &names(py).read)?;
    let mut data = Vec::new();
    while data.len() < size {
        let part = read.call1((reader, size - data.len()))?;
        let part = part.cast::<PyBytes>()?.as_bytes();
        if part.is_empty() {
            return Err(PyEOFError::new_err(()));
        }
        data.extend_from_slice(part);
    }
    Ok(data)
}

/// Those of these files that have something to read or have ended; none of them if nothing comes in time.
fn ready_files(py: Python<'_>, files: &[i32], seconds: Option<f64>) -> PyResult<Vec<i32>> {
    let poll = held(py)?.poll.bind(py).call0()?;
    for file in files {
        poll.call_method1(names(py).register.bind(py), (file, READABLE))?;
    }
    let milliseconds = seconds.map(|seconds| (seconds * 1000.0).ceil().clamp(0.0, 1e9) as i64);
    let ready = poll.call_method1(names(py).poll.bind(py), (milliseconds,))?;
    let files = ready.cast::<PyList>()?.iter().map(|event| {
        let (file, _event): (i32, i32) = event.extract()?;
        Ok(file)
    });
    files.collect()
}

/// Takes the oldest of the results that come from processes, for which it waits up to `timeout` seconds;
/// `None` when there is none by then, or as soon as a process ended without one.
///
/// `here` are those that are there already, `channels` the ways from processes. `NotImplemented` if none of
/// them has been opened.
#[pyfunction]
pub(crate) fn next_result<'py>(
    here: &Bound<'py, PyAny>,
    channels: &Bound<'py, PyList>,
    timeout: Option<f64>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    next_or_woken(here, channels, timeout, None)
}

/// The same; `None` also when `watch` says that there may be work for the worker.
fn next_or_woken<'py>(
    here: &Bound<'py, PyAny>,
    channels: &Bound<'py, PyList>,
    timeout: Option<f64>,
    watch: Option<&WorkWatch>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = here.py();
    let deadline = timeout.map(|seconds| std::time::Instant::now() + duration(seconds));
    let mut left = timeout;
    if here.is_truthy()? {
        return Ok(Some(here.call_method0(names(py).popleft.bind(py))?));
    }
    loop {
        let (ready, channel) = match look(here, channels, left, watch)? {
            Looked::Ready(file, channel) => (file, channel),
            Looked::Here(item) => return Ok(Some(item)),
            Looked::Nothing => return Ok(None),
        };
        let item = take(&channel, ready)?;
        if channel.borrow().closed {
            forget(channels, &channel)?;
        }
        if item.is_some() || channel.borrow().is_lost() {
            // Whoever looks after the processes deals with one that was lost.
            return Ok(item);
        }
        left = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            left.as_secs_f64()
        });
    }
}

/// What a wait for results ended with.
enum Looked<'py> {
    /// A file of a process is ready.
    Ready(i32, Bound<'py, Channel>),
    /// A result that is in this process, or `NotImplemented` where nothing is open.
    Here(Bound<'py, PyAny>),
    /// Nothing came in time, or there may be work.
    Nothing,
}

/// Waits until a process has something to say, unless one had when it was looked before, and notes all that have.
fn look<'py>(
    here: &Bound<'py, PyAny>,
    channels: &Bound<'py, PyList>,
    seconds: Option<f64>,
    watch: Option<&WorkWatch>,
) -> PyResult<Looked<'py>> {
    if let Some((file, channel)) = arrived(channels)? {
        return Ok(Looked::Ready(file, channel));
    }
    let py = here.py();
    let sources = sources(channels)?;
    if sources.is_empty() {
        return Ok(Looked::Here(py.NotImplemented().into_bound(py)));
    }
    let bell = watch.map(|watch| watch.arm(py));
    let of_runs = sources.iter().map(|(file, _)| *file);
    let files: Vec<i32> = of_runs.chain(bell).collect();
    let ready = ready_files(py, &files, seconds)?;
    if here.is_truthy()? {
        let item = here.call_method0(names(py).popleft.bind(py))?;
        return Ok(Looked::Here(item));
    }
    for (file, channel) in &sources {
        let mut channel = channel.borrow_mut();
        channel.arrived |= channel.reader == Some(*file) && ready.contains(file);
    }
    let first = sources
        .into_iter()
        .find(|(file, _)| ready.first() == Some(file));
    if let Some((file, channel)) = first {
        return Ok(Looked::Ready(file, channel));
    }
    if let Some(watch) = watch
        && bell.is_some_and(|bell| ready.contains(&bell))
    {
        watch.heed();
    }
    Ok(Looked::Nothing)
}

/// Takes the next result of a worker's queue, or `None` when `watch` says that there may be work. `None` instead where Python has to look, as it does where somebody
/// replaced a part of it.
#[expect(
    clippy::option_option,
    reason = "nothing came in time, or nobody looked"
)]
pub(crate) fn next_of_queue<'py>(
    queue: &Bound<'py, PyAny>,
    seconds: &Bound<'py, PyAny>,
    watch: Option<&WorkWatch>,
) -> PyResult<Option<Option<Bound<'py, PyAny>>>> {
    let py = queue.py();
    let (names, ours) = (names(py), built_in(py)?);
    if !queue.get_type().is(&ours.result_queue) || !has(queue, &names.get, &ours.result_queue_get)?
    {
        return Ok(None);
    }
    let channels = queue.getattr(names.channels.bind(py))?;
    let (Ok(channels), Ok(seconds)) = (channels.cast::<PyList>(), seconds.extract::<f64>()) else {
        return Ok(None);
    };
    let here = queue.getattr(names.here.bind(py))?;
    if sources(channels)?.is_empty() && !here.is_truthy()? {
        return Ok(None);
    }
    let item = next_or_woken(&here, channels, Some(seconds), watch)?;
    Ok(Some(item.filter(|item| !item.is(py.NotImplemented()))))
}

/// Whether a further result is there, as far as it was looked for.
pub(crate) fn has_come(queue: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = queue.py();
    if !queue.get_type().is(&built_in(py)?.result_queue) {
        return Ok(false);
    }
    let channels = queue.getattr(names(py).channels.bind(py))?;
    match channels.cast::<PyList>() {
        Ok(channels) => Ok(arrived(channels)?.is_some()),
        Err(_) => Ok(false),
    }
}

/// The first of the ways that have something to read, as far as it was looked for.
fn arrived<'py>(channels: &Bound<'py, PyList>) -> PyResult<Option<(i32, Bound<'py, Channel>)>> {
    for channel in channels {
        let channel = channel.cast_into::<Channel>()?;
        let reader = {
            let this = channel.borrow();
            this.reader.filter(|_| this.arrived && !this.closed)
        };
        if let Some(reader) = reader {
            return Ok(Some((reader, channel)));
        }
    }
    Ok(None)
}

fn duration(seconds: f64) -> std::time::Duration {
    const LONG: std::time::Duration = std::time::Duration::from_secs(1 << 30);
    std::time::Duration::try_from_secs_f64(seconds.max(0.0)).map_or(LONG, |it| it.min(LONG))
}

/// What becomes ready when there is something to receive or a process has ended.
fn sources<'py>(channels: &Bound<'py, PyList>) -> PyResult<Vec<(i32, Bound<'py, Channel>)>> {
    let py = channels.py();
    let mut sources = Vec::with_capacity(2 * channels.len());
    for channel in channels {
        let channel = channel.cast_into::<Channel>()?;
        let (reader, process, mut end, read_all) = {
            let this = channel.borrow();
            let Some(reader) = this.reader.filter(|_| !this.closed) else {
                continue;
            };
            let process = this.process.as_ref().map(|process| process.clone_ref(py));
            (reader, process, this.end, this.read_all)
        };
        if end.is_none()
            && let Some(process) = process
            && !process.getattr(py, names(py).popen.bind(py))?.is_none(py)
        {
            let sentinel = process.getattr(py, names(py).sentinel_of.bind(py))?;
            end = Some(sentinel.extract(py)?);
            channel.borrow_mut().end = end;
        }
        if !read_all {
            sources.push((reader, channel.clone()));
        }
        if let Some(end) = end {
            sources.push((end, channel));
        }
    }
    Ok(sources)
}

/// Takes what there is in the file that is ready. The channel closes when nothing more is to come.
fn take<'py>(channel: &Bound<'py, Channel>, ready: i32) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = channel.py();
    let (reader, process, mut read_all) = {
        let this = channel.borrow();
        let process = this.process.as_ref().map(|process| process.clone_ref(py));
        (this.reader, process, this.read_all)
    };
    let ended = match process {
        Some(process) if Some(ready) != reader => {
            let alive = process.call_method0(py, names(py).is_alive.bind(py))?;
            !alive.is_truthy(py)?
        }
        _ => false,
    };
    let mut item = None;
    if let Some(reader) = reader {
        // What ended may have sent its result before.
        let has_more = ready == reader
            || ended && !read_all && !ready_files(py, &[reader], Some(0.0))?.is_empty();
        if has_more {
            channel.borrow_mut().arrived = false;
            match receive(py, reader) {
                Ok(result) => item = Some(result),
                Err(error)
                    if error.is_instance_of::<PyEOFError>(py)
                        || error.is_instance_of::<PyOSError>(py) =>
                {
                    read_all = true;
                }
                Err(error) => return Err(error),
            }
        }
    }
    let mut this = channel.borrow_mut();
    this.read_all = read_all;
    this.delivered |= item.is_some();
    // A process that closed its end and lives on is waited for: how it ends is of interest.
    if ended || item.is_some() {
        this.close(py)?;
    }
    Ok(item)
}

fn forget(channels: &Bound<'_, PyList>, channel: &Bound<'_, Channel>) -> PyResult<()> {
    let place = channels.iter().position(|other| other.is(channel));
    place.map_or(Ok(()), |place| channels.del_item(place))
}

/// Puts a result on a queue of results.
pub(super) fn put(queue: &Bound<'_, PyAny>, result: &Bound<'_, PyTuple>) -> PyResult<()> {
    match queue.cast_exact::<Channel>() {
        Ok(channel) => Channel::put(channel, result, true, None),
        Err(_) => queue
            .call_method1(names(queue.py()).put.bind(queue.py()), (result,))
            .map(drop),
    }
}
