//! The field `data` of a query or form body: found, percent-decoded and cleaned as Tornado does it.
//!
//! Of several fields of that name the last one wins. Decoding is by hand since nearly each request
//! of a worker is one percent-encoded JSON text.

use std::borrow::Cow;

const NAME: &[u8] = b"data";

/// The text of the last field `data` in `form`, decoded.
///
/// # Errors
///
/// When its bytes are no UTF-8.
pub(super) fn data(form: &[u8]) -> Result<Option<String>, NotUtf8> {
    let last = form.split(|&byte| byte == b'&').rev().find_map(|field| {
        let equals = field.iter().position(|&byte| byte == b'=')?;
        is_data(&field[..equals]).then(|| &field[equals + 1..])
    });
    last.map(|value| clean(decode(value))).transpose()
}

/// Text that is not UTF-8 where text is expected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`data` is not UTF-8 at byte {0}")]
pub(super) struct NotUtf8(pub(super) usize);

/// What Tornado makes of a field's bytes: text, with a blank for each control character, trimmed.
pub(super) fn clean(mut bytes: Vec<u8>) -> Result<String, NotUtf8> {
    for byte in &mut bytes {
        if matches!(byte, 0..=8 | 14..=31) {
            *byte = b' ';
        }
    }
    let text =
        String::from_utf8(bytes).map_err(|error| NotUtf8(error.utf8_error().valid_up_to()))?;
    let trimmed = text.trim();
    if trimmed.len() == text.len() {
        return Ok(text);
    }
    Ok(trimmed.to_owned())
}

fn is_data(name: &[u8]) -> bool {
    name == NAME || (name.iter().any(|byte| matches!(byte, b'%' | b'+')) && decode(name) == NAME)
}

/// Undoes percent-encoding; `+` is a blank, and a `%` that begins nothing stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => match hex_pair(after) {
                Some(value) => {
                    decoded.push(value);
                    rest = &after[2..];
                }
                None => decoded.push(b'%'),
            },
            b'+' => decoded.push(b' '),
            plain => decoded.push(plain),
        }
    }
    decoded
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let &[high, low, ..] = text else { return None };
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    (high | low < 16).then_some(high << 4 | low)
}

/// The value of each hexadecimal digit; 255 for other bytes.
const HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

/// Percent-decodes a path; `None` if that gives no text.
pub(super) fn decode_path(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(path.into());
    }
    let literal_plus = path.replace('+', "%2B");
    String::from_utf8(decode(literal_plus.as_bytes()))
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Option<String> {
        data(form.as_bytes()).expect("the test's forms are UTF-8")
    }

    #[test]
    fn data_is_found_and_decoded() {
        let cases = [
            ("data=%7B%22a%22%3A+1%7D", Some(r#"{"a": 1}"#)),
            ("data={}&data=[1]&x=3", Some("[1]")),
            ("d%61ta=yes", Some("yes")),
            ("x=1&date=2", None),
            ("", None),
            ("data", None),
            ("data=", Some("")),
            ("data=%&", Some("%")),
            ("data=%zz%4", Some("%zz%4")),
            ("data=%e2%82%AC", Some("€")),
            ("data=++%0a%7b%7d%09+", Some("{}")),
            ("data=1%00%1f%0b2", Some("1  \u{b}2")),
            ("data=a=b", Some("a=b")),
        ];
        for (form, expected) in cases {
            assert_eq!(read(form).as_deref(), expected, "{form}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(data(b"data=ab%ff"), Err(NotUtf8(2)));
        assert_eq!(data(b"data=\xc3("), Err(NotUtf8(0)));
    }

    #[test]
    fn a_plus_in_a_path_stays() {
        assert_eq!(decode_path("pin%67+a").as_deref(), Some("ping+a"));
        assert_eq!(decode_path("%ff"), None);
    }
}
