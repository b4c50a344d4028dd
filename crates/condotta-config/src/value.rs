//! What a configuration says: a value, and the file and line that said so.

use std::{fmt, path::Path, sync::Arc};

/// How a configuration file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `luigi.cfg`: the INI dialect of Python's `configparser`. All values are text.
    Ini,
    /// `luigi.toml`: values have types; nothing is interpolated.
    Toml,
}

impl Syntax {
    /// The syntax of Luigi's parser names, which are also the files' extensions.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "cfg" | "conf" | "ini" => Some(Self::Ini),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// One value. INI files hold text only.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, interpolated when it comes from INI.
    Text(String),
    /// `true` or `false` in TOML.
    Boolean(bool),
    /// A whole number in TOML.
    Integer(i64),
    /// A number with a fraction in TOML.
    Float(f64),
    /// A date, time or both in TOML, as written.
    Datetime(String),
    /// A list in TOML.
    Array(Vec<Value>),
    /// A table in TOML, in the order of the file.
    Table(Vec<(String, Value)>),
}

impl Value {
    /// The value in the form that parameters parse: text as it is, lists and tables as JSON.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// JSON, but for numbers that JSON does not have (`nan`, `inf`).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(f, text),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            // Debug keeps the `.0` of a whole float, and with it the type.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Datetime(text) => f.write_str(text),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index > 0 { ", " } else { "" })?;
                    write_nested(f, value)?;
                }
                f.write_str("]")
            }
            Self::Table(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    f.write_str(if index > 0 { ", " } else { "" })?;
                    write_quoted(f, key)?;
                    f.write_str(": ")?;
                    write_nested(f, value)?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A date inside a list is a string to JSON.
fn write_nested(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Datetime(text) => write_quoted(f, text),
        other => write!(f, "{other}"),
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file; `None` is the program itself.
    pub file: Option<Arc<Path>>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{}", file.display(), self.line),
            None if self.line == 0 => f.write_str("configuration set by the program"),
            None => write!(f, "configuration text:{}", self.line),
        }
    }
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What is said, interpolated.
    pub value: Value,
    /// Where it is said.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_tables_become_json() {
        let value = Value::Array(vec![
            Value::Integer(1),
            Value::Float(2.0),
            Value::Table(vec![("a \"b\"".to_owned(), Value::from("x\ny"))]),
            Value::Datetime("2026-01-02".to_owned()),
        ]);
        assert_eq!(
            value.to_text(),
            r#"[1, 2.0, {"a \"b\"": "x\ny"}, "2026-01-02"]"#
        );
        assert_eq!(Value::from("plain").to_text(), "plain");
        assert_eq!(
            Value::Datetime("2026-01-02".to_owned()).to_text(),
            "2026-01-02"
        );
    }
}
