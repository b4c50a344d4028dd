//! Values as text, to the letter: how they are written into files and statements, and read from files.

use std::{borrow::Cow, io::Write as _};

use jiff::civil::{Date, Time};

use crate::{Type, Value};

/// Writes a value as text. Nothing is quoted or escaped.
///
/// `between` stands between a date and its time: a space, as databases have it, or a `T`, as ISO 8601.
pub(crate) fn write(value: &Value<'_>, between: u8, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Integer(value) => show(out, format_args!("{value}")),
        Value::Double(value) => double(*value, out),
        Value::Decimal(text) | Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => hex(bytes, out),
        Value::Date(value) => date(*value, out),
        Value::Timestamp(value) => {
            date(value.date(), out);
            out.push(between);
            time(value.time(), out);
        }
        Value::TimestampTz(value) => {
            let value = jiff::tz::Offset::UTC.to_datetime(*value);
            date(value.date(), out);
            out.push(between);
            time(value.time(), out);
            out.push(b'Z');
        }
    }
}

fn show(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes what is written");
}

/// The fewest digits that give the same number when they are read.
fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        show(out, format_args!("{value:?}"));
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        });
    }
}

/// `\x` and two digits for each byte, as PostgreSQL has it.
fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 + bytes.len() * 2);
    out.extend_from_slice(b"\\x");
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn date(value: Date, out: &mut Vec<u8>) {
    let year = value.year().unsigned_abs();
    if value.year() < 0 {
        out.push(b'-');
    }
    digits(year / 100, out);
    digits(year % 100, out);
    out.push(b'-');
    digits(value.month().unsigned_abs().into(), out);
    out.push(b'-');
    digits(value.day().unsigned_abs().into(), out);
}

/// Of the fraction of a second, only the digits that count.
fn time(value: Time, out: &mut Vec<u8>) {
    digits(value.hour().unsigned_abs().into(), out);
    out.push(b':');
    digits(value.minute().unsigned_abs().into(), out);
    out.push(b':');
    digits(value.second().unsigned_abs().into(), out);
    let nanoseconds = value.subsec_nanosecond();
    if nanoseconds > 0 {
        show(out, format_args!(".{nanoseconds:09}"));
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Two digits of a number below 100.
fn digits(number: u16, out: &mut Vec<u8>) {
    let digit = |number: u16| b'0' + u8::try_from(number % 10).expect("one digit");
    out.push(digit(number / 10));
    out.push(digit(number));
}

/// Reads the text of a column's value.
pub(crate) fn read<'a>(text: &'a str, kind: &Type) -> Result<Value<'a>, String> {
    let wrong = || kind.misfit(&beginning(text));
    Ok(match kind {
        Type::Text | Type::Sql(_) => Value::Text(Cow::Borrowed(text)),
        Type::Boolean => Value::Boolean(boolean(text).ok_or_else(wrong)?),
        Type::Integer => Value::Integer(text.parse().map_err(|_| wrong())?),
        Type::Double => Value::Double(text.parse().map_err(|_| wrong())?),
        Type::Decimal(..) if is_decimal(text) => Value::Decimal(Cow::Borrowed(text)),
        Type::Bytes => Value::Bytes(Cow::Owned(bytes(text).ok_or_else(wrong)?)),
        Type::Date => Value::Date(text.parse().map_err(|_| wrong())?),
        Type::Timestamp => Value::Timestamp(text.parse().map_err(|_| wrong())?),
        Type::TimestampTz => Value::TimestampTz(moment(text).ok_or_else(wrong)?),
        Type::Decimal(..) => return Err(wrong()),
    })
}

/// As much of a text as an error shows.
fn beginning(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(["true", "t", "1"]) => Some(true),
        () if is(["false", "f", "0"]) => Some(false),
        () => None,
    }
}

fn is_decimal(text: &str) -> bool {
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// A moment with its offset, which PostgreSQL may give in hours alone: `2026-11-27 08:00:00+00`.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// A value that fits its column: as it is, or read from text.
pub(crate) fn conform<'a>(value: Value<'a>, kind: &Type) -> Result<Value<'a>, String> {
    Ok(match (kind, value) {
        (Type::Sql(_), value)
        | (_, value @ Value::Null)
        | (Type::Boolean, value @ Value::Boolean(_))
        | (Type::Integer, value @ Value::Integer(_))
        | (Type::Double, value @ Value::Double(_))
        | (Type::Decimal(..), value @ (Value::Integer(_) | Value::Double(_)))
        | (Type::Text, value @ Value::Text(_))
        | (Type::Bytes, value @ Value::Bytes(_))
        | (Type::Date, value @ Value::Date(_))
        | (Type::Timestamp, value @ Value::Timestamp(_))
        | (Type::TimestampTz, value @ Value::TimestampTz(_)) => value,
        (Type::Decimal(..), Value::Decimal(digits)) if is_decimal(&digits) => {
            Value::Decimal(digits)
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a column of doubles holds no more"
        )]
        (Type::Double, Value::Integer(whole)) => Value::Double(whole as f64),
        (_, Value::Text(Cow::Borrowed(text)) | Value::Decimal(Cow::Borrowed(text))) => {
            read(text, kind)?
        }
        (_, Value::Text(Cow::Owned(text)) | Value::Decimal(Cow::Owned(text))) => {
            read(&text, kind)?.into_owned()
        }
        (_, value) => {
            let mut text = Vec::new();
            write(&value, b' ', &mut text);
            let text = String::from_utf8_lossy(&text);
            return Err(kind.misfit(&beginning(&text)));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        write(value, b' ', &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let cases = [
            (Type::Boolean, "true"),
            (Type::Integer, "-9223372036854775808"),
            (Type::Double, "0.1"),
            (Type::Double, "1e300"),
            (Type::Double, "-Infinity"),
            (Type::Decimal(20, 4), "12345678901234567890.1200"),
            (Type::Text, "naïve, \"so\"\n"),
            (Type::Bytes, "\\x00ff10"),
            (Type::Date, "0044-03-15"),
            (Type::Timestamp, "2026-11-27 23:59:59.000001"),
            (Type::Timestamp, "2026-11-27 00:00:00"),
            (Type::TimestampTz, "2026-11-27 08:00:00.5Z"),
        ];
        for (kind, text) in cases {
            let value = read(text, &kind).expect(text);
            assert_eq!(written(&value), text);
            assert_eq!(conform(value.clone(), &kind), Ok(value));
        }
    }

    #[test]
    fn other_spellings_are_read() {
        for (kind, text, same) in [
            (Type::Boolean, "F", "false"),
            (Type::Boolean, "1", "true"),
            (
                Type::Timestamp,
                "2026-11-27T08:00:00",
                "2026-11-27 08:00:00",
            ),
            (Type::Timestamp, "2026-11-27", "2026-11-27 00:00:00"),
            (
                Type::TimestampTz,
                "2026-11-27 08:00:00+02",
                "2026-11-27 06:00:00Z",
            ),
            (
                Type::TimestampTz,
                "2026-11-27T08:00:00-05:30",
                "2026-11-27 13:30:00Z",
            ),
        ] {
            assert_eq!(written(&read(text, &kind).expect(text)), same);
        }
    }

    #[test]
    fn what_is_none_is_named() {
        for (kind, text) in [
            (Type::Boolean, "maybe"),
            (Type::Integer, "1.5"),
            (Type::Integer, ""),
            (Type::Double, "1,5"),
            (Type::Decimal(5, 2), "1.2.3"),
            (Type::Decimal(5, 2), "."),
            (Type::Bytes, "\\x0"),
            (Type::Bytes, "00"),
            (Type::Date, "2026-02-30"),
            (Type::Timestamp, "yesterday"),
            (Type::TimestampTz, "2026-11-27 08:00:00"),
        ] {
            let error = read(text, &kind).expect_err(text);
            let named = format!("`{text}` is no {kind}, which is written as `");
            assert!(error.starts_with(&named), "{error}");
            // The examples are what they are for.
            let form = &error[named.len() - 1..];
            let example = form.split('`').nth(1).expect("an example");
            read(example, &kind).expect(example);
        }
        let error = conform(Value::Boolean(true), &Type::Date);
        let said = "`true` is no date, which is written as `2026-11-27`";
        assert_eq!(error, Err(said.to_owned()));
        let error = conform(Value::Integer(1), &Type::Text);
        assert_eq!(error, Err("`1` is no text".to_owned()));
    }
}
