//! The pipes that a run prints to: standard output, standard error, records of the log.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::AsFd,
    thread,
    time::Duration,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Reads the pipes until all of them end. `take` is given what comes of which; from before it is read, what `holding`
/// gave is held.
pub(crate) fn read<T>(
    pipes: &[File; 3],
    holding: impl Fn() -> T,
    mut take: impl FnMut(usize, &[u8]),
) {
    let mut is_open = [true; 3];
    let mut bytes = vec![0; 64 << 10];
    while is_open.contains(&true) {
        let waiting: Vec<usize> = (0..3).filter(|index| is_open[*index]).collect();
        let mut polled: Vec<PollFd<'_>> = waiting
            .iter()
            .map(|index| PollFd::new(pipes[*index].as_fd(), PollFlags::POLLIN))
            .collect();
        if poll(&mut polled, PollTimeout::NONE).is_err_and(|error| error != nix::Error::EINTR) {
            return;
        }
        let held = holding();
        for (index, polled) in waiting.into_iter().zip(polled) {
            if !polled.any().unwrap_or(true) {
                continue;
            }
            match (&pipes[index]).read(&mut bytes) {
                Ok(0) => is_open[index] = false,
                Ok(read) => take(index, &bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => is_open[index] = false,
            }
        }
        drop(held);
    }
}

/// Whether there is something to read, more than that a pipe has ended.
pub(crate) fn any_to_read(pipes: &[File; 3]) -> bool {
    let mut polled = pipes
        .each_ref()
        .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
    let has_text = |pipe: &PollFd<'_>| {
        pipe.revents()
            .is_some_and(|it| it.contains(PollFlags::POLLIN))
    };
    poll(&mut polled, PollTimeout::ZERO).is_ok() && polled.iter().any(has_text)
}

/// Past the locks and buffers of this process. Nobody can be told that it cannot be written.
pub(crate) fn print(to: &impl AsFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match nix::unistd::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(nix::Error::EINTR) => {}
            Err(nix::Error::EAGAIN) => thread::sleep(Duration::from_millis(5)),
            Err(_) => return,
        }
    }
}
