//! How a program fails its run: what was called, how it ended, and what it said last.

use std::{fmt, io, time::Duration};

use condotta_targets::TargetError;
use nix::sys::signal::Signal;

/// A program did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It could not be started.
    #[error("cannot start {program}: {reason}")]
    Start {
        /// Its name.
        program: String,
        /// What is wrong, and what to do about it.
        reason: String,
        /// What the system says.
        source: io::Error,
    },
    /// The pattern for the tracking URL is no regular expression.
    #[error("the pattern {pattern:?} for the tracking URL cannot be used")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
    /// It ended, but not well.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// What it was to read could not be read.
    #[error("{program} was ended, since its input is not to be had")]
    Input {
        /// Its name.
        program: String,
        /// Why not.
        source: TargetError,
    },
    /// What it made could not be stored.
    #[error("the output of {program} cannot be stored")]
    Output {
        /// Its name.
        program: String,
        /// Why not.
        source: TargetError,
    },
    /// The system does not let it be followed.
    #[error("{program} cannot be followed")]
    Follow {
        /// Its name.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

impl ProgramError {
    /// The failure, if the program ran.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal, which somebody else sent.
    Signal(i32),
    /// By us: it took longer than this.
    TimedOut(Duration),
    /// By us: the run was to stop.
    Stopped,
}

/// A program that ended, but not well. Secrets are hidden in it.
#[derive(Debug)]
pub struct Failure {
    /// The program's name.
    pub program: String,
    /// The whole command.
    pub command: String,
    /// How it ended.
    pub ended: Ended,
    /// The last lines of its standard output, also if that was to go into a target: some programs, as
    /// Spark's for Python, complain there.
    pub stdout: Vec<String>,
    /// The last lines of its standard error.
    pub stderr: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = &self.program;
        match self.ended {
            Ended::Code(code) => write!(f, "{program} failed with exit code {code}")?,
            Ended::Signal(signal) => match Signal::try_from(signal) {
                Ok(signal) => write!(f, "{program} was ended by {signal}")?,
                Err(_) => write!(f, "{program} was ended by signal {signal}")?,
            },
            Ended::TimedOut(limit) => {
                write!(f, "{program} timed out after {limit:?} and was ended")?
            }
            Ended::Stopped => write!(f, "{program} was ended, since the run was to stop")?,
        }
        write!(f, "\n  command: {}", self.command)?;
        if self.stdout.is_empty() && self.stderr.is_empty() {
            return write!(f, "\n  it printed nothing");
        }
        let streams = [("output", &self.stdout), ("error", &self.stderr)];
        for (stream, lines) in streams.iter().filter(|(_, lines)| !lines.is_empty()) {
            write!(f, "\n  the last lines of its standard {stream}:")?;
            for line in *lines {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}
