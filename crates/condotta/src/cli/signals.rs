//! Answers signals: the first SIGINT or SIGTERM lets running tasks finish, the second stops them,
//! SIGUSR1 asks for no more work.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use condotta_worker::{StopLevel, StopSignal};
use signal_hook::{
    consts::{SIGINT, SIGTERM, SIGUSR1},
    iterator::{Handle, Signals},
};

use crate::console;

/// How long tasks have to stop after the second signal. One that runs on a thread and does not ask
/// whether it should stop cannot be stopped otherwise than with the program.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the scheduler has to take back what does not stop.
const FAREWELL: Duration = Duration::from_secs(2);
/// The same when somebody wants the program to leave at once.
const SHORT_FAREWELL: Duration = Duration::from_millis(500);

/// Listens until it is dropped.
pub(crate) struct Listener {
    handle: Handle,
    received: Arc<AtomicI32>,
}

impl Listener {
    /// Passes signals on to `stop`; SIGUSR1 only when `phase_out` says so.
    pub(crate) fn start(stop: StopSignal, phase_out: bool) -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        if phase_out {
            signals.add_signal(SIGUSR1)?;
        }
        let handle = signals.handle();
        let received = Arc::new(AtomicI32::new(0));
        let listener = Self {
            handle,
            received: Arc::clone(&received),
        };
        std::thread::Builder::new()
            .name("condotta-signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    answer(signal, &stop, &received);
                }
            })?;
        Ok(listener)
    }

    /// The code with which a shell expects an interrupted program to exit, if it was interrupted.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(exit_code(signal)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn answer(signal: i32, stop: &StopSignal, received: &AtomicI32) {
    if signal == SIGUSR1 {
        stop.phase_out();
        tracing::info!("SIGUSR1: asking for no more work; what runs is finished");
        return;
    }
    let name = if signal == SIGINT {
        "SIGINT"
    } else {
        "SIGTERM"
    };
    let before = stop.level();
    received.store(signal, Ordering::SeqCst);
    match stop.interrupt() {
        StopLevel::Now if before == StopLevel::Now => leave(signal, stop, SHORT_FAREWELL),
        StopLevel::Now => {
            tracing::warn!("{name} again: stopping what runs; once more to leave at once");
            leave_after_patience(signal, stop.clone());
        }
        _ => {
            tracing::warn!("{name}: finishing what runs, then leaving; once more to stop it now");
        }
    }
}

/// Leaves when the worker has not come to an end in time. It could not be told apart from one that
/// hangs in a task.
fn leave_after_patience(signal: i32, stop: StopSignal) {
    let here = stop.clone();
    let watch = move || {
        if !stop.wait_until_idle(PATIENCE) {
            tracing::warn!("tasks did not stop in time; leaving without them");
            leave(signal, &stop, FAREWELL);
        }
    };
    let started = std::thread::Builder::new()
        .name("condotta-patience".to_owned())
        .spawn(watch);
    if started.is_err() {
        leave(signal, &here, FAREWELL);
    }
}

/// Gives back what runs, so that others need not wait for it, and exits.
fn leave(signal: i32, stop: &StopSignal, patience: Duration) -> ! {
    if !stop.take_leave(patience) {
        tracing::warn!("the scheduler was not told in time that what runs is given up");
    }
    console::restore();
    std::process::exit(i32::from(exit_code(signal)));
}

fn exit_code(signal: i32) -> u8 {
    128 + u8::try_from(signal).expect("signal numbers are small")
}
