//! What people see while tasks run: a live display on a terminal, plain lines elsewhere.
//!
//! Everything that is written while the display is shown goes through here, so that lines appear
//! above it. Knows nothing of how tasks are run.

mod display;
mod running;

use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
};

use indicatif::{MultiProgress, ProgressDrawTarget};

pub(crate) use display::Display;

/// The display that is shown now.
static SHOWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Whether standard error is a terminal that can show a display.
pub(crate) fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Holds log lines back until it is known where they go, which is above the display.
pub(crate) fn hold_back_logging() {
    let console = condotta_logging::Console {
        stderr: write_stderr,
        stdout: write_stdout,
    };
    condotta_logging::hold_back_with(console, condotta_worker::RunLayer);
}

/// Writes to standard error, above the display.
pub(crate) fn write_stderr(text: &str) {
    above_display(|| write(&mut io::stderr().lock(), text));
}

/// Writes to standard output, above the display.
pub(crate) fn write_stdout(text: &str) {
    above_display(|| write(&mut io::stdout().lock(), text));
}

/// Takes the display away at once, to leave the terminal as it was.
pub(crate) fn restore() {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(display) = shown {
        // A terminal that is gone needs no clearing.
        let _ = display.clear();
        display.set_draw_target(ProgressDrawTarget::hidden());
    }
}

fn show(display: Option<MultiProgress>) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = display;
}

fn above_display(write: impl FnOnce()) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*shown {
        Some(display) => display.suspend(write),
        None => write(),
    }
}

/// Nobody can be told that standard output or error cannot be written to.
fn write(out: &mut impl io::Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
