//! Which logger takes what, and which handlers write it where: the model of Python's `logging`.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::{Console, Record, format::Format, rotating::RotatingFile};

/// The format of Luigi's worker.
const WORKER_FORMAT: &str = "%(levelname)s: %(message)s";

/// The format of Luigi's server.
const SERVER_FORMAT: &str = "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s";

/// How bad it is, in Python's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    const NAMES: [(&'static str, u8); 8] = [
        ("NOTSET", 0),
        ("DEBUG", 10),
        ("INFO", 20),
        ("WARNING", 30),
        ("WARN", 30),
        ("ERROR", 40),
        ("CRITICAL", 50),
        ("FATAL", 50),
    ];
    /// Everything, or whatever the logger above takes.
    pub const NOT_SET: Self = Self(0);
    /// What may be wrong.
    pub const WARNING: Self = Self(30);

    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::NAMES.into_iter().find(|(known, _)| *known == name)?;
        Some(Self(found.1))
    }

    /// What Python calls a level of `tracing`. What is finer than `DEBUG` it does not name.
    pub(crate) fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self(40),
            tracing::Level::WARN => Self(30),
            tracing::Level::INFO => Self(20),
            tracing::Level::DEBUG => Self(10),
            tracing::Level::TRACE => Self(5),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            0..10 => "TRACE",
            10..20 => "DEBUG",
            20..30 => "INFO",
            30..40 => "WARNING",
            40..50 => "ERROR",
            _ => "CRITICAL",
        }
    }

    pub(crate) fn number(self) -> u8 {
        self.0
    }
}

/// Loggers and handlers.
#[derive(Debug, Default)]
pub struct Plan {
    handlers: Vec<Handler>,
    /// By name; the root logger has none.
    loggers: BTreeMap<String, Logger>,
}

/// A logger: takes what is said under its name, and passes it on.
#[derive(Debug)]
pub(crate) struct Logger {
    /// `None` is the level of the logger above.
    pub(crate) level: Option<Level>,
    /// Indexes of the plan's handlers.
    pub(crate) handlers: Vec<usize>,
    /// Whether the handlers of the loggers above write it as well.
    pub(crate) propagate: bool,
}

/// A handler: writes lines somewhere.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) level: Level,
    pub(crate) format: Format,
    pub(crate) sink: Sink,
}

/// Where lines go.
#[derive(Debug)]
pub(crate) enum Sink {
    Nowhere,
    Stderr,
    Stdout,
    File(Mutex<File>),
    Rotating(Mutex<RotatingFile>),
}

impl Sink {
    /// A file, made when it is not there; new content goes to its end or replaces the old.
    pub(crate) fn file(path: &Path, append: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).write(true);
        if append {
            options.append(true);
        } else {
            options.truncate(true);
        }
        Ok(Self::File(Mutex::new(options.open(path)?)))
    }
}

impl Plan {
    /// Luigi's default: the worker's log, and that of the program's own crates, from `level` on;
    /// warnings of everybody else.
    pub fn to_stderr(level: Level, crates: impl IntoIterator<Item = String>) -> Self {
        let mut plan = Self::default();
        let handler = plan.add_handler(Handler {
            level,
            format: Format::parse(WORKER_FORMAT, None).expect("the default format is well-formed"),
            sink: Sink::Stderr,
        });
        plan.add_logger(
            "",
            Logger {
                level: Some(Level::WARNING),
                handlers: vec![handler],
                propagate: false,
            },
        );
        for name in crates.into_iter().chain(["luigi-interface".to_owned()]) {
            plan.add_logger(
                &name,
                Logger {
                    level: Some(level).filter(|level| *level != Level::NOT_SET),
                    handlers: Vec::new(),
                    propagate: true,
                },
            );
        }
        plan
    }

    /// The default of Luigi's server: everything from `level` on, to standard error.
    pub fn of_server(level: Level) -> Self {
        Self::all_to(level, Sink::Stderr)
    }

    /// The same to a file, which is renamed and begun anew each day; a week's files are kept.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn of_server_in_file(level: Level, path: &Path) -> io::Result<Self> {
        let file = RotatingFile::open(path)?;
        Ok(Self::all_to(level, Sink::Rotating(Mutex::new(file))))
    }

    /// The same with each line an object in JSON, for programs that collect logs.
    #[must_use]
    pub fn in_json(mut self) -> Self {
        for handler in &mut self.handlers {
            handler.format = Format::json();
        }
        self
    }

    fn all_to(level: Level, sink: Sink) -> Self {
        let mut plan = Self::default();
        let handler = plan.add_handler(Handler {
            level: Level::NOT_SET,
            format: Format::parse(SERVER_FORMAT, None).expect("the default format is well-formed"),
            sink,
        });
        plan.add_logger(
            "",
            Logger {
                level: Some(level),
                handlers: vec![handler],
                propagate: false,
            },
        );
        plan
    }

    pub(crate) fn add_handler(&mut self, handler: Handler) -> usize {
        self.handlers.push(handler);
        self.handlers.len() - 1
    }

    /// Adds a logger, or the root logger when `name` is empty.
    pub(crate) fn add_logger(&mut self, name: &str, logger: Logger) {
        self.loggers.insert(name.to_owned(), logger);
    }

    /// From which level on a logger of this name takes anything.
    pub fn level(&self, name: &str) -> Level {
        self.upwards(name)
            .find_map(|logger| logger.level)
            .unwrap_or(Level::NOT_SET)
    }

    /// Writes a record that its logger takes.
    pub(crate) fn write(&self, record: &Record, console: Console) {
        for logger in self.upwards(&record.logger) {
            for &handler in &logger.handlers {
                self.handlers[handler].write(record, console);
            }
            if !logger.propagate {
                break;
            }
        }
    }

    /// The logger of this name, where there is one, and those above it.
    fn upwards<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Logger> {
        let above = std::iter::successors(Some(name), |name| {
            (!name.is_empty()).then(|| name.rsplit_once('.').map_or("", |(above, _)| above))
        });
        above.filter_map(|name| self.loggers.get(name))
    }
}

impl Handler {
    fn write(&self, record: &Record, console: Console) {
        if record.level < self.level {
            return;
        }
        let mut line = self.format.line(record);
        line.push('\n');
        // There is nobody to tell that a log line cannot be written.
        match &self.sink {
            Sink::Nowhere => {}
            Sink::Stderr => (console.stderr)(&line),
            Sink::Stdout => (console.stdout)(&line),
            Sink::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = file.write_all(line.as_bytes());
            }
            Sink::Rotating(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = file.write(&line, record.time);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logger_without_a_level_takes_that_of_the_one_above() {
        let plan = Plan::to_stderr(Level::named("DEBUG").unwrap(), ["mine".to_owned()]);
        for (name, level) in [
            ("mine", "DEBUG"),
            ("mine.deep.down", "DEBUG"),
            ("luigi-interface", "DEBUG"),
            ("minelayer", "WARNING"),
            ("other", "WARNING"),
        ] {
            assert_eq!(plan.level(name), Level::named(level).unwrap(), "{name}");
        }
    }

    #[test]
    fn not_set_is_the_root_loggers_level() {
        let plan = Plan::to_stderr(Level::NOT_SET, []);
        assert_eq!(plan.level("luigi-interface"), Level::WARNING);
    }
}
