//! Rows as comma-separated values.

use std::io::Write as _;

use super::{File, Sink};
use crate::{Column, Value, error::Fault, text};

/// The bytes that are collected before they are written.
pub(super) const BUFFER: usize = 64 * 1024;

/// Writes rows as comma-separated values.
pub(super) struct Csv<'a> {
    file: File<'a>,
    buffer: Vec<u8>,
}

impl<'a> Csv<'a> {
    pub(super) fn new(file: File<'a>) -> Self {
        let buffer = Vec::with_capacity(2 * BUFFER);
        Self { file, buffer }
    }

    fn write_out(&mut self) -> Result<(), Fault> {
        self.file.write_all(&self.buffer).map_err(Fault::refused)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Sink for Csv<'_> {
    fn start(&mut self, columns: &[Column]) -> Result<(), Fault> {
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                self.buffer.push(b',');
            }
            quoted(&column.name, &mut self.buffer);
        }
        self.buffer.push(b'\n');
        Ok(())
    }

    fn row(&mut self, _: u64, values: &[Value<'_>]) -> Result<(), Fault> {
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.buffer.push(b',');
            }
            match value {
                Value::Text(text) | Value::Decimal(text) => quoted(text, &mut self.buffer),
                value => text::write(value, b' ', &mut self.buffer),
            }
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER {
            self.write_out()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.write_out()
    }
}

/// Text in quotes where it needs them: empty text does, since nothing at all is NULL.
fn quoted(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let is_plain = memchr::memchr3(b',', b'"', b'\n', bytes).is_none()
        && memchr::memchr(b'\r', bytes).is_none()
        && !bytes.is_empty();
    if is_plain {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    let mut rest = bytes;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_where_it_must_be() {
        for (text, expected) in [
            ("plain text", "plain text"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            let mut out = Vec::new();
            quoted(text, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
