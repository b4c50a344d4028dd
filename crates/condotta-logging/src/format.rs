//! Lines in the format strings of Python's `logging`, as in `%(levelname)s: %(message)s`.

use jiff::tz::TimeZone;
use serde_json::json;

use super::Record;

/// A format string, taken apart.
#[derive(Debug)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
    /// How to write the time, as `strftime` has it; `None` is Python's default.
    date: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// The whole record as an object in JSON.
    Json,
    Text(String),
    Attribute {
        attribute: Attribute,
        width: usize,
        left: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Time,
    Logger,
    LevelName,
    LevelNumber,
    Message,
    Process,
    Thread,
    File,
    Path,
    Line,
    Module,
}

impl Attribute {
    const NAMES: [(&'static str, Self); 13] = [
        ("asctime", Self::Time),
        ("name", Self::Logger),
        ("levelname", Self::LevelName),
        ("levelno", Self::LevelNumber),
        ("message", Self::Message),
        ("process", Self::Process),
        ("processName", Self::Process),
        ("thread", Self::Thread),
        ("threadName", Self::Thread),
        ("filename", Self::File),
        ("pathname", Self::Path),
        ("lineno", Self::Line),
        ("module", Self::Module),
    ];
}

impl Format {
    /// Takes a format string apart, or says what is wrong with it.
    pub(crate) fn parse(text: &str, date: Option<&str>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            rest = match after.strip_prefix('%') {
                Some(after) => {
                    pieces.push(Piece::Text("%".to_owned()));
                    after
                }
                None => {
                    let (piece, after) = attribute(after)
                        .ok_or_else(|| format!("in format {text:?}: cannot read %{after}"))?;
                    pieces.push(piece?);
                    after
                }
            };
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self {
            pieces,
            date: date.map(str::to_owned),
        })
    }

    /// One object in JSON for each record: its `time`, `level`, `logger`, `process` and `message`.
    pub(crate) fn json() -> Self {
        Self {
            pieces: vec![Piece::Json],
            date: None,
        }
    }

    /// The line for a record, without its end.
    pub(crate) fn line(&self, record: &Record) -> String {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Json => line.push_str(&json(record)),
                Piece::Attribute {
                    attribute,
                    width,
                    left,
                } => {
                    let value = self.value(*attribute, record);
                    let missing = width.saturating_sub(value.chars().count());
                    let padding = " ".repeat(missing);
                    if *left {
                        line.push_str(&value);
                        line.push_str(&padding);
                    } else {
                        line.push_str(&padding);
                        line.push_str(&value);
                    }
                }
            }
        }
        line
    }

    fn value(&self, attribute: Attribute, record: &Record) -> String {
        let path = record.file.unwrap_or("unknown");
        let file = path.rsplit('/').next().unwrap_or(path);
        match attribute {
            Attribute::Time => self.time(record.time),
            Attribute::Logger => record.logger.clone(),
            Attribute::LevelName => record.level.name().to_owned(),
            Attribute::LevelNumber => record.level.number().to_string(),
            Attribute::Message => record.message.clone(),
            Attribute::Process => std::process::id().to_string(),
            Attribute::Thread => std::thread::current()
                .name()
                .unwrap_or("unnamed")
                .to_owned(),
            Attribute::File => file.to_owned(),
            Attribute::Path => path.to_owned(),
            Attribute::Line => record.line.unwrap_or(0).to_string(),
            Attribute::Module => file.trim_end_matches(".rs").to_owned(),
        }
    }

    fn time(&self, time: jiff::Timestamp) -> String {
        let local = time.to_zoned_datetime(TimeZone::system());
        match &self.date {
            Some(date) => local.strftime(date).to_string(),
            None => format!(
                "{},{:03}",
                local.strftime("%Y-%m-%d %H:%M:%S"),
                local.millisecond()
            ),
        }
    }
}

/// A record for programs; its time is UTC.
fn json(record: &Record) -> String {
    let object = json!({
        "time": format!("{:.3}", record.time),
        "level": record.level.name(),
        "logger": record.logger,
        "process": std::process::id(),
        "message": record.message,
    });
    object.to_string()
}

/// Reads what follows a `%`: `(name)`, width, and the letter that says how to write it.
fn attribute(text: &str) -> Option<(Result<Piece, String>, &str)> {
    let (name, after) = text.strip_prefix('(')?.split_once(')')?;
    let (left, after) = match after.strip_prefix('-') {
        Some(after) => (true, after),
        None => (false, after),
    };
    let digits = after.find(|c: char| !c.is_ascii_digit())?;
    let width = match &after[..digits] {
        "" => 0,
        width => width.parse().ok()?,
    };
    let after = after[digits..].strip_prefix(['s', 'd'])?;
    let known = Attribute::NAMES
        .into_iter()
        .find(|(known, _)| *known == name);
    let piece = match known {
        Some((_, attribute)) => Ok(Piece::Attribute {
            attribute,
            width,
            left,
        }),
        None => {
            let known: Vec<&str> = Attribute::NAMES.iter().map(|(name, _)| *name).collect();
            Err(format!(
                "%({name}) is not supported in a format; there are {}",
                known.join(", ")
            ))
        }
    };
    Some((piece, after))
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn record(message: &str) -> Record {
        Record {
            level: Level::WARNING,
            logger: "luigi-interface".to_owned(),
            message: message.to_owned(),
            file: Some("src/deep/plan.rs"),
            line: Some(7),
            time: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn line(format: &str) -> String {
        let format = Format::parse(format, Some("%Y")).unwrap();
        format.line(&record("disk is full"))
    }

    #[test]
    fn a_record_in_json_is_one_line_whatever_it_says() {
        let line = Format::json().line(&record("\"two\"\nlines"));
        assert!(!line.contains('\n'), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(read["level"], "WARNING");
        assert_eq!(read["logger"], "luigi-interface");
        assert_eq!(read["message"], "\"two\"\nlines");
        assert_eq!(read["process"], std::process::id());
    }

    #[test]
    fn attributes_are_filled_in_with_their_width() {
        assert_eq!(line("%(levelname)s: %(message)s"), "WARNING: disk is full");
        assert_eq!(
            line("%(asctime)s [%(levelname)-9s|%(lineno)3d] %(module)s 100%%"),
            "1970 [WARNING  |  7] plan 100%"
        );
    }

    #[test]
    fn what_is_not_supported_is_said() {
        let error = Format::parse("%(funcName)s", None).unwrap_err();
        assert!(error.contains("%(funcName) is not supported"), "{error}");
        let error = Format::parse("%q", None).unwrap_err();
        assert!(error.contains("cannot read %q"), "{error}");
    }
}
