//! What a child process prints: to where the worker itself prints, and to the run's log.

use std::{
    io::{self, Read},
    os::fd::AsFd,
    process::Child,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use condotta_protocol::LogSource;
use nix::errno::Errno;

use super::RunLog;

/// Reads both outputs of a child until they are closed.
pub(crate) struct Tee {
    /// Each of the two has an end of it until it is done.
    done: Receiver<()>,
}

impl Tee {
    /// Begins with a child whose outputs are pipes.
    pub(crate) fn start(child: &mut Child, log: &RunLog) -> io::Result<Self> {
        let (ends, done) = channel();
        if let Some(stdout) = child.stdout.take() {
            let (log, ends) = (log.clone(), ends.clone());
            let pass = move || {
                copy(stdout, io::stdout(), &log, &LogSource::Stdout);
                drop(ends);
            };
            thread::Builder::new()
                .name("stdout".to_owned())
                .spawn(pass)?;
        }
        if let Some(stderr) = child.stderr.take() {
            let log = log.clone();
            let pass = move || {
                copy(stderr, io::stderr(), &log, &LogSource::Stderr);
                drop(ends);
            };
            thread::Builder::new()
                .name("stderr".to_owned())
                .spawn(pass)?;
        }
        Ok(Self { done })
    }

    /// Waits until all was read that the child printed, at most `patience`: something that it started
    /// may hold its outputs open for ever.
    pub(crate) fn finish(self, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.done.recv_timeout(left) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return,
            }
        }
    }
}

fn copy(mut from: impl Read, to: impl AsFd, log: &RunLog, source: &LogSource) {
    let mut bytes = vec![0; 64 << 10];
    let mut to_is_open = true;
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        log.push(source, &bytes[..read]);
        to_is_open = to_is_open && write_all(&to, &bytes[..read]);
    }
}

/// Prints what a program printed to where this process prints.
pub(crate) fn print(source: &LogSource, text: &[u8]) {
    // Who closed an output does not want it.
    let _ = match source {
        LogSource::Stdout => write_all(&io::stdout(), text),
        _ => write_all(&io::stderr(), text),
    };
}

/// Past the buffers and locks of this process, which a live display may hold. Whether it could be written.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match nix::unistd::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => thread::sleep(Duration::from_millis(5)),
            Err(_) => return false,
        }
    }
    true
}
