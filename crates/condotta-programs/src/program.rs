//! A call of a program, described step by step.

use std::{
    ffi::OsString,
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use condotta_targets::{ReadWrite, Reader, TargetError, Writer};
use regex::bytes::{Regex, RegexBuilder};

use crate::{
    Argument, Attempt, ProgramError, Stream, argument::quoted, running::Running, secrets::Secrets,
};

/// So long a program has to end after SIGTERM, unless said otherwise.
const GRACE: Duration = Duration::from_secs(5);
/// So much of a command is shown.
const SHOWN: usize = 2000;

/// Looks at the lines that a program prints.
type LineListener<'a> = Box<dyn FnMut(Stream, &str) + 'a>;

/// One call of a program. Nothing happens before [`run`](Self::run).
///
/// It is started without a shell, with the environment of this process and with nothing to read. What it
/// prints is the run's output, line by line. It has failed when its exit code is not zero.
///
/// It runs in a process group of its own. When the run is to stop, when the time is over or when this
/// process dies, be it by `kill -9`, the whole group gets SIGTERM, and after the
/// [grace](Self::grace) SIGKILL. What the program leaves behind when it ends is ended in the same way.
/// Out of reach is only what leaves the group, as daemons do (`setsid`).
#[must_use = "nothing happens before `run`"]
pub struct Program<'a> {
    pub(crate) attempt: &'a dyn Attempt,
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) input: Option<Result<Reader, TargetError>>,
    pub(crate) output: Option<(String, Result<Writer, TargetError>)>,
    pub(crate) good_codes: Vec<i32>,
    pub(crate) grace: Duration,
    pub(crate) listeners: Vec<LineListener<'a>>,
    pub(crate) secrets: Secrets,
    patterns: Vec<(Stream, String)>,
    timeout: Option<Duration>,
}

impl<'a> Program<'a> {
    /// A program, by its path or to be looked for on the `PATH`, in a run.
    pub fn new(program: impl Argument, attempt: &'a dyn Attempt) -> Self {
        Self {
            attempt,
            program: program.to_argument(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
            input: None,
            output: None,
            good_codes: vec![0],
            grace: GRACE,
            listeners: Vec::new(),
            secrets: Secrets::of(attempt),
            patterns: Vec::new(),
            timeout: None,
        }
    }

    /// Adds an argument: a text, a path, a number, a date, a file's target.
    ///
    /// Everybody on the machine can see arguments. Hand passwords over by [`env`](Self::env) or
    /// [`stdin`](Self::stdin).
    pub fn arg(mut self, argument: impl Argument) -> Self {
        self.arguments.push(argument.to_argument());
        self
    }

    /// Adds several arguments.
    pub fn args<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.to_argument()));
        self
    }

    /// Sets an environment variable. Its value is shown nowhere.
    pub fn env(mut self, name: &str, value: impl Argument) -> Self {
        self.environment
            .push((name.into(), Some(value.to_argument())));
        self
    }

    /// Takes an environment variable away.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// The folder in which the program works; by default that of this process.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Hands the program the content of a target to read, decompressed if it is compressed.
    pub fn stdin(mut self, target: &impl ReadWrite) -> Self {
        self.input = Some(target.reader());
        self
    }

    /// Writes what the program prints to its standard output into a target, all or nothing: a
    /// program that fails leaves the target as it was.
    pub fn stdout(mut self, target: &impl ReadWrite) -> Self {
        self.output = Some((target.to_string(), target.writer()));
        self
    }

    /// Where a line of the output, be it the standard output or the standard error, matches this
    /// regular expression, its first group becomes the run's tracking URL (the whole match, if there is
    /// no group). `\w`, `\d` and `\s` mean ASCII.
    pub fn tracking_url(self, pattern: &str) -> Self {
        self.tracking_url_in(Stream::Stdout, pattern)
            .tracking_url_in(Stream::Stderr, pattern)
    }

    /// The same, of one of the two streams.
    pub fn tracking_url_in(mut self, stream: Stream, pattern: &str) -> Self {
        self.patterns.push((stream, pattern.to_owned()));
        self
    }

    /// Has each line that the program prints looked at: to set the run's progress, say. What goes into
    /// a target is not looked at.
    pub fn on_line(mut self, look: impl FnMut(Stream, &str) + 'a) -> Self {
        self.listeners.push(Box::new(look));
        self
    }

    /// The longest time that the program may take. Besides this there is the time-out of the task.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// How long the program has to end after SIGTERM before it gets SIGKILL. Five seconds by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Hides a text wherever the command or the output is shown. Private parameters are hidden
    /// without that.
    pub fn secret(mut self, secret: impl AsRef<str>) -> Self {
        self.secrets.add(secret.as_ref());
        self
    }

    /// The exit codes that are no failure, in place of 0 alone.
    pub fn success_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.good_codes = codes.into_iter().collect();
        self
    }

    /// Runs the program and waits for its end.
    ///
    /// # Errors
    /// It could not be started, it failed, it took too long, it was stopped, or its input or output is
    /// not to be had. Its output's target is as it was then.
    pub fn run(mut self) -> Result<(), ProgramError> {
        let patterns = std::mem::take(&mut self.patterns);
        for (stream, pattern) in patterns {
            let listener = url_listener(self.attempt, stream, pattern)?;
            self.listeners.push(listener);
        }
        let deadline = self
            .timeout
            .and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        Running::start(self, deadline)?.finish()
    }

    /// The program's name, as it may be shown.
    pub(crate) fn name(&self) -> String {
        self.secrets.hide(&self.program.to_string_lossy())
    }

    /// The whole command, as it may be shown.
    pub(crate) fn command(&self) -> String {
        let mut shown = quoted(&self.name()).into_owned();
        for argument in &self.arguments {
            if shown.len() > SHOWN {
                shown.push_str(" …");
                break;
            }
            shown.push(' ');
            shown.push_str(&quoted(&self.secrets.hide(&argument.to_string_lossy())));
        }
        shown
    }
}

impl fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.command()).finish()
    }
}

/// Sets the tracking URL where a line gives one.
fn url_listener(
    attempt: &dyn Attempt,
    of: Stream,
    pattern: String,
) -> Result<LineListener<'_>, ProgramError> {
    // URLs are ASCII, and without Unicode's tables the expression takes little.
    let regex = RegexBuilder::new(&pattern).unicode(false).build();
    let regex: Regex = regex.map_err(|source| ProgramError::Pattern { pattern, source })?;
    let mut last = String::new();
    Ok(Box::new(move |stream, line| {
        if stream != of {
            return;
        }
        let Some(captures) = regex.captures(line.as_bytes()) else {
            return;
        };
        let Some(found) = captures.get(1).or_else(|| captures.get(0)) else {
            return;
        };
        let url = String::from_utf8_lossy(found.as_bytes());
        if url != last {
            last = url.into_owned();
            attempt.set_tracking_url(&last);
        }
    }))
}
