//! Why the command failed, and with which exit code.

use std::fmt;

/// The exit codes, as `--help` explains them.
pub(crate) const CODES: &str = "\
Exit codes:
  0  all went well; a server was told to stop, and stopped
  1  the command could not do its work: the message says why
  2  the command line makes no sense
  3  the stored state is damaged, or cannot be used
  4  another scheduler runs already, or its port is in use
  5  there is no such task, worker or the like, or several could be meant
  6  the scheduler refuses, or cannot do it
  7  the scheduler cannot be reached";

/// Why the command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    /// What happened and what to do, in one or more lines.
    text: String,
    /// It may pass by itself.
    may_pass: bool,
}

/// What an exit code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything else.
    Other = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The stored state.
    State = 3,
    /// Another scheduler.
    AlreadyRunning = 4,
    /// What is asked about is not there, or not clear.
    NotFound = 5,
    /// The scheduler does not do it.
    Refused = 6,
    /// No scheduler answers.
    Unreachable = 7,
}

impl Failure {
    pub(crate) fn new(kind: Kind, text: impl fmt::Display) -> Self {
        Self {
            kind,
            text: text.to_string(),
            may_pass: false,
        }
    }

    /// The same, where it may pass by itself.
    pub(crate) fn that_may_pass(self) -> Self {
        Self {
            may_pass: true,
            ..self
        }
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.may_pass
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The process's exit code.
    pub(crate) fn code(&self) -> u8 {
        self.kind as u8
    }

    /// A failure that another process had.
    pub(crate) fn with_code(code: u8, text: String) -> Self {
        let kinds = [Kind::Usage, Kind::State, Kind::AlreadyRunning];
        let kind = kinds.into_iter().find(|kind| *kind as u8 == code);
        Self {
            kind: kind.unwrap_or(Kind::Other),
            text,
            may_pass: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An error with its causes, each after a colon.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors say their cause themselves.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
