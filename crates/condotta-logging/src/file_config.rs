//! Logging configuration in the ini format of Python's `logging.config.fileConfig`.
//!
//! Supported: loggers, formatters, and handlers that write to a stream or a file. Anything else is
//! an error that says what there is.

use std::{collections::BTreeMap, path::Path};

use super::{
    LoggingError,
    format::Format,
    plan::{Handler, Level, Logger, Plan, Sink},
};

/// A section's keys.
type Section = BTreeMap<String, String>;

/// Reads the file of `--logging-conf-file`.
pub fn from_file(path: &Path) -> Result<Plan, LoggingError> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| LoggingError {
        place: place.clone(),
        problem: format!("cannot be read: {error}"),
    })?;
    parse(&text).map_err(|problem| LoggingError { place, problem })
}

fn parse(text: &str) -> Result<Plan, String> {
    let sections = sections(text)?;
    let mut plan = Plan::default();
    let mut handlers = BTreeMap::new();
    for name in listed(&sections, "handlers")? {
        let section = section(&sections, &format!("handler_{name}"))?;
        let handler =
            handler(section, &sections).map_err(|why| format!("handler {name}: {why}"))?;
        handlers.insert(name, plan.add_handler(handler));
    }
    for name in listed(&sections, "loggers")? {
        let section = section(&sections, &format!("logger_{name}"))?;
        let (qualified, logger) =
            logger(&name, section, &handlers).map_err(|why| format!("logger {name}: {why}"))?;
        plan.add_logger(&qualified, logger);
    }
    Ok(plan)
}

fn logger(
    name: &str,
    section: &Section,
    handlers: &BTreeMap<String, usize>,
) -> Result<(String, Logger), String> {
    let qualified = match name {
        "root" => String::new(),
        _ => section.get("qualname").cloned().ok_or("has no qualname")?,
    };
    let level = level(section)?;
    let logger = Logger {
        level: level.filter(|level| qualified.is_empty() || *level != Level::NOT_SET),
        handlers: section
            .get("handlers")
            .map_or("", String::as_str)
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| {
                handlers
                    .get(name)
                    .copied()
                    .ok_or(format!("no handler {name}"))
            })
            .collect::<Result<_, _>>()?,
        propagate: section.get("propagate").is_none_or(|text| text != "0"),
    };
    Ok((qualified, logger))
}

fn handler(section: &Section, sections: &BTreeMap<String, Section>) -> Result<Handler, String> {
    let class = section.get("class").ok_or("has no class")?;
    let arguments = arguments(section.get("args").map_or("()", String::as_str));
    let format = match section.get("formatter").filter(|name| !name.is_empty()) {
        Some(name) => formatter(self::section(sections, &format!("formatter_{name}"))?)?,
        None => Format::parse("%(message)s", None)?,
    };
    Ok(Handler {
        level: level(section)?.unwrap_or(Level::NOT_SET),
        format,
        sink: sink(class, &arguments)?,
    })
}

/// The sink of a handler class with the arguments of its constructor.
pub(crate) fn sink(class: &str, arguments: &[String]) -> Result<Sink, String> {
    let short = class.trim_start_matches("logging.");
    match (short, arguments) {
        ("NullHandler", _) => Ok(Sink::Nowhere),
        ("StreamHandler", []) => Ok(Sink::Stderr),
        ("StreamHandler", [stream]) => match stream.trim_start_matches("ext://") {
            "sys.stderr" => Ok(Sink::Stderr),
            "sys.stdout" => Ok(Sink::Stdout),
            other => Err(format!("unknown stream {other}")),
        },
        ("FileHandler", [path, rest @ ..]) => {
            let append = rest.first().is_none_or(|mode| mode.starts_with('a'));
            Sink::file(Path::new(path), append).map_err(|error| format!("{path}: {error}"))
        }
        _ => Err(format!(
            "{class} with {} arguments is not supported; there are StreamHandler, FileHandler(path, mode) and NullHandler",
            arguments.len()
        )),
    }
}

fn formatter(section: &Section) -> Result<Format, String> {
    if let Some(style) = section.get("style").filter(|style| *style != "%") {
        return Err(format!(
            "format style {style} is not supported; write %(name)s"
        ));
    }
    Format::parse(
        section.get("format").map_or("%(message)s", String::as_str),
        section
            .get("datefmt")
            .map(String::as_str)
            .filter(|date| !date.is_empty()),
    )
}

fn level(section: &Section) -> Result<Option<Level>, String> {
    let Some(name) = section.get("level") else {
        return Ok(None);
    };
    match Level::named(name) {
        Some(level) => Ok(Some(level)),
        None => Err(format!("unknown level {name}")),
    }
}

/// The words of a Python tuple, without their quotes.
fn arguments(text: &str) -> Vec<String> {
    text.trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .split(',')
        .map(|word| word.trim().trim_matches(['\'', '"']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

fn section<'a>(sections: &'a BTreeMap<String, Section>, name: &str) -> Result<&'a Section, String> {
    sections
        .get(name)
        .ok_or(format!("there is no section [{name}]"))
}

/// The names that section `name` lists in its `keys`.
fn listed(sections: &BTreeMap<String, Section>, name: &str) -> Result<Vec<String>, String> {
    let keys = section(sections, name)?
        .get("keys")
        .ok_or(format!("[{name}] has no keys"))?;
    Ok(keys
        .split(',')
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty())
        .collect())
}

/// Plain ini: formats are full of `%`, so nothing is filled in.
fn sections(text: &str) -> Result<BTreeMap<String, Section>, String> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            current = Some(name.to_owned());
            sections.entry(name.to_owned()).or_default();
            continue;
        }
        let section = current.as_ref().and_then(|name| sections.get_mut(name));
        match (section, line.split_once(['=', ':'])) {
            (Some(section), Some((key, value))) => {
                section.insert(key.trim().to_owned(), value.trim().to_owned());
            }
            _ => {
                return Err(format!(
                    "line {} is no `key = value` in a section",
                    number + 1
                ));
            }
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LUIGI: &str = "\
[loggers]
keys = root, luigi

[handlers]
keys = screen, file

[formatters]
keys = plain

[logger_root]
level = ERROR
handlers = screen

[logger_luigi]
qualname = luigi-interface
level = INFO
handlers = file
propagate = 0

[handler_screen]
class = StreamHandler
args = (sys.stdout,)
formatter = plain

[handler_file]
class = logging.FileHandler
args = ('LOG', 'a')
level = INFO
formatter = plain

[formatter_plain]
format = %(asctime)s %(name)s %(levelname)s: %(message)s
";

    #[test]
    fn a_usual_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("luigi.log");
        let text = LUIGI.replace("LOG", log.to_str().unwrap());
        let plan = parse(&text).unwrap();
        assert_eq!(plan.level("luigi-interface"), Level::named("INFO").unwrap());
        assert_eq!(plan.level("anything"), Level::named("ERROR").unwrap());
        assert!(log.exists());
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for (from, to, says) in [
            (
                "StreamHandler",
                "SocketHandler",
                "handler screen: SocketHandler",
            ),
            (
                "level = ERROR",
                "level = LOUD",
                "logger root: unknown level LOUD",
            ),
            ("handlers = file", "handlers = fil", "no handler fil"),
            (
                "qualname = luigi-interface",
                "",
                "logger luigi: has no qualname",
            ),
            (
                "[handler_screen]",
                "[handler_x]",
                "no section [handler_screen]",
            ),
            ("[loggers]", "keys", "line 1"),
        ] {
            let error = parse(&LUIGI.replace("'LOG', 'a'", "'/dev/null'").replace(from, to));
            let error = error.unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
