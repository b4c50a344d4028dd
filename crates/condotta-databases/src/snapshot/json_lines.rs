//! Rows as JSON, one object on each line.

use std::io::Write as _;

use super::{File, Sink, csv::BUFFER};
use crate::{Column, Value, error::Fault, text};

/// Writes rows as lines of JSON.
pub(super) struct JsonLines<'a> {
    file: File<'a>,
    /// What stands before each value: the brace or the comma, and the name.
    names: Vec<Vec<u8>>,
    buffer: Vec<u8>,
}

impl<'a> JsonLines<'a> {
    pub(super) fn new(file: File<'a>) -> Self {
        Self {
            file,
            names: Vec::new(),
            buffer: Vec::with_capacity(2 * BUFFER),
        }
    }

    fn write_out(&mut self) -> Result<(), Fault> {
        self.file.write_all(&self.buffer).map_err(Fault::refused)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Sink for JsonLines<'_> {
    fn start(&mut self, columns: &[Column]) -> Result<(), Fault> {
        for (place, column) in columns.iter().enumerate() {
            let mut name = vec![if place == 0 { b'{' } else { b',' }];
            quoted(&column.name, &mut name);
            name.push(b':');
            self.names.push(name);
        }
        Ok(())
    }

    fn row(&mut self, _: u64, values: &[Value<'_>]) -> Result<(), Fault> {
        for (name, value) in self.names.iter().zip(values) {
            self.buffer.extend_from_slice(name);
            write(value, &mut self.buffer);
        }
        self.buffer.extend_from_slice(b"}\n");
        if self.buffer.len() >= BUFFER {
            self.write_out()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.write_out()
    }
}

fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Text(text) => quoted(text, out),
        Value::Decimal(digits) if is_number(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Decimal(text) => quoted(text, out),
        Value::Double(number) if number.is_finite() => text::write(value, b'T', out),
        Value::Boolean(_) | Value::Integer(_) => text::write(value, b'T', out),
        Value::Bytes(_) => {
            // Its backslash is one to JSON, too.
            out.extend_from_slice(b"\"\\");
            text::write(value, b'T', out);
            out.push(b'"');
        }
        Value::Double(_) | Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_) => {
            out.push(b'"');
            text::write(value, b'T', out);
            out.push(b'"');
        }
    }
}

/// Whether digits are a number to JSON, too: databases also write `NaN`.
fn is_number(digits: &str) -> bool {
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole.len() == 1 || !whole.starts_with('0'))
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (place, &byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..place]);
        match escape {
            b"" => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            escape => out.extend_from_slice(escape),
        }
        from = place + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json() {
        for (value, expected) in [
            (Value::Null, "null"),
            (Value::Boolean(true), "true"),
            (Value::Integer(-5), "-5"),
            (Value::Double(1e300), "1e300"),
            (Value::Double(f64::NAN), "\"NaN\""),
            (Value::Decimal("1.50".into()), "1.50"),
            (Value::Decimal("NaN".into()), "\"NaN\""),
            (Value::Decimal("007".into()), "\"007\""),
            (Value::Text("é \"\\\n\u{1}".into()), r#""é \"\\\n\u0001""#),
            (Value::Bytes(b"\x00\xff".into()), r#""\\x00ff""#),
        ] {
            let mut out = Vec::new();
            write(&value, &mut out);
            let out = String::from_utf8(out).expect("text");
            assert_eq!(out, expected);
            serde_json::from_str::<serde_json::Value>(&out).expect("JSON");
        }
    }
}
