//! Trying again what failed for reasons that pass: a broken connection, a server that restarts.

use std::{fmt, time::Duration};
#[cfg(any(feature = "by-rename", feature = "http"))]
use std::{io, thread};

/// How often something is tried again.
pub(crate) const TIMES: usize = 5;
/// The wait before the second try. Each further one is twice as long: six seconds in all.
pub(crate) const SHORTEST: Duration = Duration::from_millis(200);

#[cfg(any(feature = "by-rename", feature = "http"))]
/// Calls until it goes well, fails for good, or has failed too often. `place` is what is called, as people may
/// see it: without passwords.
pub(crate) fn retried<T>(
    place: impl fmt::Display,
    mut call: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut wait = SHORTEST;
    for _ in 0..TIMES {
        match call() {
            Err(error) if passes(&error) => {
                say_again(&place, &error, wait);
                thread::sleep(wait);
                wait *= 2;
            }
            result => return result,
        }
    }
    call().map_err(|error| match passes(&error) {
        true => io::Error::new(
            error.kind(),
            format!("{error}, also when tried {TIMES} times more"),
        ),
        false => error,
    })
}

/// Says that a place is called again.
pub(crate) fn say_again(place: &dyn fmt::Display, error: &dyn fmt::Display, wait: Duration) {
    let wait = wait.as_secs_f32();
    tracing::warn!("{place}: {error}; trying again in {wait:.1} s");
}

#[cfg(any(feature = "by-rename", feature = "http"))]
/// Whether the same call may go well in a moment.
pub(crate) fn passes(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, NotConnected, ResourceBusy, TimedOut, UnexpectedEof,
    };
    matches!(
        error.kind(),
        BrokenPipe
            | ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkUnreachable
            | NotConnected
            | ResourceBusy
            | TimedOut
            | UnexpectedEof
    )
}

#[cfg(all(test, any(feature = "by-rename", feature = "http")))]
mod tests {
    use super::*;

    #[test]
    fn what_fails_for_good_is_not_tried_again() {
        let mut calls = 0;
        let error = retried("here", || -> io::Result<()> {
            calls += 1;
            Err(io::ErrorKind::PermissionDenied.into())
        });
        assert!(error.is_err());
        assert_eq!(calls, 1);
    }
}
