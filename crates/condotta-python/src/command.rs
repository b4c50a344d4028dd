//! The command `condotta` in a process of Python.

use std::ffi::OsString;

use condotta_cli::{Call, Launcher};
use pyo3::prelude::*;

/// What an interpreter runs to be the command.
const PROGRAM: &str = "import sys; from condotta import _engine; sys.exit(_engine.main())";

/// Does what the words after the command's name say, by default those of the process's command line;
/// the exit code. The process is the command's from then on: its signals, its log, its output.
///
/// Another command that does its work so gives what was typed to start it, for advice, and what it says to
/// the configuration: section, key and value.
#[pyfunction]
#[pyo3(signature = (arguments = None, *, command = None, settings = Vec::new()))]
pub(crate) fn main(
    py: Python<'_>,
    arguments: Option<Vec<OsString>>,
    command: Option<String>,
    settings: Vec<(String, String, String)>,
) -> PyResult<u8> {
    let sys = py.import("sys")?;
    let arguments = match arguments {
        Some(arguments) => arguments,
        None => {
            let words: Vec<OsString> = sys.getattr("argv")?.extract()?;
            words.into_iter().skip(1).collect()
        }
    };
    let interpreter: OsString = sys.getattr("executable")?.extract()?;
    let call = Call {
        start: vec![interpreter, "-c".into(), PROGRAM.into()],
        arguments,
        launcher: command.map(|command| Launcher { command, settings }),
    };
    // Python would raise KeyboardInterrupt when the command has ended over it. Only the main thread
    // may say so, and only there Python would.
    let signal = py.import("signal")?;
    let default = signal.getattr("SIG_DFL")?;
    let _ = signal.call_method1("signal", (signal.getattr("SIGINT")?, default));
    Ok(py.detach(|| condotta_cli::run(&call)))
}
