//! Writes the keyword arguments of one request as a JSON object, in Python's dialect.

use std::fmt::Write as _;

/// An object that is being written.
pub(super) struct Keywords {
    text: String,
}

impl Keywords {
    pub(super) fn new() -> Self {
        Self {
            text: "{".to_owned(),
        }
    }

    /// The name of the next argument, whose value `write` adds.
    pub(super) fn value(mut self, name: &str, write: impl FnOnce(&mut String)) -> Self {
        if self.text.len() > 1 {
            self.text.push_str(", ");
        }
        text(&mut self.text, name);
        self.text.push_str(": ");
        write(&mut self.text);
        self
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.value(name, |out| text(out, value))
    }

    pub(super) fn flag(self, name: &str, value: bool) -> Self {
        self.value(name, |out| flag(out, value))
    }

    pub(super) fn number(self, name: &str, value: f64) -> Self {
        self.value(name, |out| number(out, value))
    }

    pub(super) fn texts(self, name: &str, values: &[String]) -> Self {
        self.value(name, |out| list(out, values, |out, value| text(out, value)))
    }

    /// Null where there is no value.
    pub(super) fn optional<T>(
        self,
        name: &str,
        value: Option<T>,
        write: impl FnOnce(&mut String, T),
    ) -> Self {
        self.value(name, |out| match value {
            Some(value) => write(out, value),
            None => out.push_str("null"),
        })
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

pub(super) fn text(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if u32::from(control) < 0x20 => {
                write(out, format_args!("\\u{:04x}", u32::from(control)))
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

pub(super) fn flag(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

/// Whole numbers without a fraction, as Python writes integers.
pub(super) fn number(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        write(out, format_args!("{value:.0}"));
    } else {
        write(out, format_args!("{value:?}"));
    }
}

pub(super) fn whole(out: &mut String, value: impl std::fmt::Display) {
    write(out, format_args!("{value}"));
}

pub(super) fn list<T>(out: &mut String, values: &[T], mut each: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        each(out, value);
    }
    out.push(']');
}

/// An object of these entries.
pub(super) fn object<'a, T>(
    out: &mut String,
    entries: impl IntoIterator<Item = (&'a str, T)>,
    mut each: impl FnMut(&mut String, T),
) {
    out.push('{');
    for (index, (name, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        text(out, name);
        out.push_str(": ");
        each(out, value);
    }
    out.push('}');
}

fn write(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("to write to a string never fails");
}
