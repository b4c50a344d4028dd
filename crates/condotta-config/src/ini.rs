//! Reads the INI dialect of Python's `configparser` with Luigi's settings.
//!
//! Keys are case-sensitive, `=` and `:` delimit, lines starting with `#` or `;` are comments, and
//! lines indented deeper than their key continue its value. Sections and keys must not repeat
//! within one file. Knows nothing of interpolation.

use std::{path::Path, sync::Arc};

use crate::{
    document::{DEFAULT_SECTION, Document, Raw},
    error::ConfigError,
    value::{Origin, Value},
};

/// Reads `text`; `file` is for messages.
pub(crate) fn parse(text: &str, file: Option<&Arc<Path>>) -> Result<Document, ConfigError> {
    let mut reader = Reader {
        file,
        document: Document::default(),
        section: None,
        key: None,
        indent: 0,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in lines(text).enumerate() {
        reader.line(index + 1, line)?;
    }
    Ok(reader.finish())
}

/// White space to Python, which also counts the ASCII separators.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Python's universal newlines: LF, CR LF and a lone CR all end a line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

struct Reader<'a> {
    file: Option<&'a Arc<Path>>,
    document: Document,
    section: Option<String>,
    key: Option<String>,
    indent: usize,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &str) -> Result<(), ConfigError> {
        let text = line.trim_matches(is_space);
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            self.continue_value("");
            return Ok(());
        }
        let indent = line.chars().take_while(|&c| is_space(c)).count();
        if self.key.is_some() && indent > self.indent {
            self.continue_value(text);
            return Ok(());
        }
        self.indent = indent;
        match header(text) {
            Some(name) => self.open_section(number, name),
            None => self.option(number, text),
        }
    }

    fn continue_value(&mut self, text: &str) {
        let (Some(section), Some(key)) = (&self.section, &self.key) else {
            return;
        };
        let raw = self.document.section_mut(section).get_mut(key);
        if let Some(Value::Text(value)) = raw.map(|raw| &mut raw.value) {
            value.push('\n');
            value.push_str(text);
        }
    }

    fn open_section(&mut self, number: usize, name: &str) -> Result<(), ConfigError> {
        if name != DEFAULT_SECTION && self.document.section(name).is_some() {
            return Err(self.error(
                number,
                format!("section [{name}] is there twice; join the two"),
            ));
        }
        self.document.section_mut(name);
        self.section = Some(name.to_owned());
        self.key = None;
        Ok(())
    }

    fn option(&mut self, number: usize, text: &str) -> Result<(), ConfigError> {
        let is_header = self.section.is_none() || !text.contains(['=', ':']);
        if is_header && text.starts_with('[') && !text.contains(']') {
            return Err(self.error(
                number,
                format!("{text:?} opens a section, but its closing \"]\" is missing; add it"),
            ));
        }
        let Some(section) = self.section.clone() else {
            return Err(self.error(
                number,
                format!("{text:?} stands before any section; put a line such as [core] above it"),
            ));
        };
        let Some((key, value)) = text.split_once(['=', ':']) else {
            return Err(self.error(
                number,
                format!("{text:?} in section [{section}] is not `key = value`; add the `=`, or indent it to continue the value above"),
            ));
        };
        let (key, value) = (
            key.trim_end_matches(is_space),
            value.trim_start_matches(is_space),
        );
        if key.is_empty() {
            return Err(self.error(
                number,
                format!("{text:?} in section [{section}] has no key before its delimiter"),
            ));
        }
        let raw = Raw {
            value: Value::from(value),
            origin: self.origin(number),
        };
        if let Some(first) = self.document.section_mut(&section).get(key) {
            let line = first.origin.line;
            return Err(self.error(
                number,
                format!("[{section}] {key} is there twice, first in line {line}; remove one"),
            ));
        }
        self.document.section_mut(&section).insert(key, raw);
        self.key = Some(key.to_owned());
        Ok(())
    }

    /// Trailing white space, such as the empty lines up to the next section, is no part of a value.
    fn finish(mut self) -> Document {
        let names: Vec<String> = self.document.section_names().map(str::to_owned).collect();
        for name in names {
            let section = self.document.section_mut(&name);
            let keys: Vec<String> = section.keys().map(str::to_owned).collect();
            for key in keys {
                let raw = section.get_mut(&key).map(|raw| &mut raw.value);
                if let Some(Value::Text(value)) = raw {
                    value.truncate(value.trim_end_matches(is_space).len());
                }
            }
        }
        self.document
    }

    fn origin(&self, line: usize) -> Origin {
        Origin {
            file: self.file.cloned(),
            line,
        }
    }

    fn error(&self, line: usize, problem: String) -> ConfigError {
        ConfigError::Syntax {
            origin: self.origin(line),
            problem,
        }
    }
}

/// The name in `[name]`: up to the last bracket of the line, as `configparser` has it.
fn header(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let file: Arc<Path> = Path::new("luigi.cfg").into();
        parse(text, Some(&file))
            .map(|_| ())
            .expect_err("must not parse")
            .to_string()
    }

    #[test]
    fn mistakes_are_named_with_file_line_section_and_key() {
        assert_eq!(
            problem("\nx = 1\n"),
            "luigi.cfg:2: \"x = 1\" stands before any section; put a line such as [core] above it"
        );
        for text in ["\n[core\nx = 1\n", "[a]\n[core\nx = 1\n"] {
            assert_eq!(
                problem(text),
                "luigi.cfg:2: \"[core\" opens a section, but its closing \"]\" is missing; add it"
            );
        }
        assert!(parse("[a]\n[x = 1\n", None).is_ok());
        assert_eq!(
            problem("[a]\nx = 1\nx : 2\n"),
            "luigi.cfg:3: [a] x is there twice, first in line 2; remove one"
        );
        assert_eq!(
            problem("[a]\n[b]\n[a]\n"),
            "luigi.cfg:3: section [a] is there twice; join the two"
        );
        assert!(problem("[a]\nnothing\n").starts_with("luigi.cfg:2: \"nothing\" in section [a]"));
        assert!(problem("[a]\n = 1\n").contains("no key"));
    }
}
