//! The threads between a program and the rest: what it prints goes to the run or into a target, what it
//! reads comes from a target.

use std::{
    io::{self, Read, Write},
    os::fd::AsFd,
    process::{Child, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
};

use condotta_targets::{Reader, TargetError, Writer};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::Stream;

/// So much is read at a time.
const CHUNK: usize = 64 << 10;
/// A line that is longer than this is passed on in parts.
const LONGEST_LINE: usize = 16 << 10;
/// So much of what goes into a target is kept for an error.
const LAST: usize = 8 << 10;
/// So long nothing comes any more from a program that has ended, if somebody else holds its output open.
const QUIET_MILLIS: u16 = 100;

/// What the threads have to say.
pub(crate) enum Event {
    /// The program printed whole lines.
    Printed(Stream, Vec<u8>),
    /// An output has been read to its end.
    Closed,
    /// The output has been written to its target, which may be committed; and its last bytes.
    Written(Result<Writer, TargetError>, Vec<u8>),
    /// The input cannot be read.
    NoInput(TargetError),
    /// The program has ended.
    Ended(io::Result<ExitStatus>),
}

/// Reads an output and passes its lines on.
pub(crate) fn pass_on(
    from: impl Read + AsFd,
    stream: Stream,
    to: &SyncSender<Event>,
    over: &AtomicBool,
) {
    let mut waiting: Vec<u8> = Vec::new();
    let take = |chunk: &[u8]| {
        waiting.extend_from_slice(chunk);
        let whole = match waiting.iter().rposition(|&byte| is_end(byte)) {
            Some(last) => last + 1,
            None if waiting.len() > LONGEST_LINE => waiting.len(),
            None => return true,
        };
        let rest = waiting.split_off(whole);
        let lines = std::mem::replace(&mut waiting, rest);
        to.send(Event::Printed(stream, lines)).is_ok()
    };
    if read_all(from, over, take) && !waiting.is_empty() {
        waiting.push(b'\n');
        let _ = to.send(Event::Printed(stream, waiting));
    }
    // Nobody listens to a run that was given up.
    let _ = to.send(Event::Closed);
}

/// A progress bar ends its lines with a carriage return.
pub(crate) fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Reads the output and writes it into a target.
pub(crate) fn store(
    from: impl Read + AsFd,
    mut target: Writer,
    to: &SyncSender<Event>,
    over: &Arc<AtomicBool>,
    name: &str,
) {
    let (mut failed, mut last) = (None, Vec::new());
    read_all(from, over, |chunk| {
        last.extend_from_slice(&chunk[chunk.len().saturating_sub(LAST)..]);
        last.drain(..last.len().saturating_sub(LAST));
        match target.write_all(chunk) {
            Ok(()) => true,
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    });
    let written = match failed {
        None => Ok(target),
        Some(source) => Err(TargetError::Io {
            action: "write",
            target: name.to_owned(),
            source,
        }),
    };
    let _ = to.send(Event::Written(written, last));
}

/// Reads until the end, until `take` has enough, or, once the program is over, until nothing comes for
/// a while. Whether the end was reached.
fn read_all(
    mut from: impl Read + AsFd,
    over: &AtomicBool,
    mut take: impl FnMut(&[u8]) -> bool,
) -> bool {
    let mut bytes = vec![0; CHUNK];
    loop {
        let mut ready = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(QUIET_MILLIS)) {
            Ok(0) if over.load(Ordering::SeqCst) => return true,
            Ok(0) | Err(Errno::EINTR | Errno::EAGAIN) => continue,
            // Reading says what is wrong.
            Ok(_) | Err(_) => {}
        }
        match from.read(&mut bytes) {
            Ok(0) => return true,
            Ok(read) if take(&bytes[..read]) => {}
            Ok(_) => return false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return true,
        }
    }
}

/// Hands a target's content to the program, as far as it wants it.
pub(crate) fn feed(mut from: Reader, mut to: impl Write, said: &SyncSender<Event>, name: &str) {
    let mut bytes = vec![0; CHUNK];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return,
            // A program may read less than there is.
            Ok(read) if to.write_all(&bytes[..read]).is_ok() => {}
            Ok(_) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                let error = TargetError::Io {
                    action: "read",
                    target: name.to_owned(),
                    source,
                };
                // First, so that the program's end cannot be taken for a good one.
                let _ = said.send(Event::NoInput(error));
                return;
            }
        }
    }
}

/// Waits for the end of the program.
pub(crate) fn wait(mut child: Child, to: &SyncSender<Event>) {
    let _ = to.send(Event::Ended(child.wait()));
}
