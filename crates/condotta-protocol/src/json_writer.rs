//! Writes JSON as Luigi's server sends it: what Python's `json.dumps` gives by default, with `</` as `<\/`.
//!
//! So all that leaves is ASCII: other characters are `\uXXXX`, those beyond 16 bits as surrogate pairs.
//! Nothing here knows what the values mean.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

/// Appends `value` to `out`.
///
/// # Panics
///
/// When a map in `value` has keys that are no text.
pub fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    value
        .serialize(&mut Serializer::with_formatter(out, Luigi::default()))
        .expect("memory takes everything, and keys are text");
}

/// The layout of Luigi's replies.
#[derive(Default)]
struct Luigi {
    /// The last fragment of the current text ends with `<`. A text may come in several.
    after_less: bool,
}

impl Formatter for Luigi {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_f32<W: ?Sized + Write>(&mut self, out: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(out, value.into())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
            return CompactFormatter.write_f64(out, value);
        }
        // Python writes the sign of every exponent, and two digits at least.
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').expect("this form has an exponent");
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        write!(out, "{digits}e{sign}{exponent:0>2}")
    }

    fn begin_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.after_less = false;
        out.write_all(b"\"")
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.after_less = false;
        CompactFormatter.write_char_escape(out, escape)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        let mut written = 0;
        if self.after_less && bytes.first() == Some(&b'/') {
            out.write_all(br"\/")?;
            written = 1;
        }
        if let Some(last) = bytes.last() {
            self.after_less = *last == b'<';
        }
        while let Some(plain) = bytes[written..].iter().position(|&byte| is_special(byte)) {
            let at = written + plain;
            out.write_all(&bytes[written..at])?;
            written = at + write_special(out, fragment, at)?;
        }
        out.write_all(&bytes[written..])
    }
}

fn separate<W: ?Sized + Write>(out: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { out.write_all(b", ") }
}

/// Whether a character that begins with this byte may not stand as it is. The others that JSON
/// escapes never come here.
fn is_special(byte: u8) -> bool {
    byte == b'<' || byte >= 0x7f
}

/// Writes the character at `at`; the number of its bytes.
fn write_special<W: ?Sized + Write>(out: &mut W, text: &str, at: usize) -> io::Result<usize> {
    let bytes = text.as_bytes();
    if bytes[at] == b'<' {
        let closes = bytes.get(at + 1) == Some(&b'/');
        out.write_all(if closes { br"<\/" } else { b"<" })?;
        return Ok(1 + usize::from(closes));
    }
    let character = text[at..].chars().next().expect("a character begins here");
    for &mut unit in character.encode_utf16(&mut [0; 2]) {
        write_unit(out, unit)?;
    }
    Ok(character.len_utf8())
}

fn write_unit<W: ?Sized + Write>(out: &mut W, unit: u16) -> io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| DIGITS[usize::from(unit >> shift & 15)];
    out.write_all(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Serialize + ?Sized>(value: &T) -> String {
        let mut out = Vec::new();
        write_json(&mut out, value);
        String::from_utf8(out).expect("it is ASCII")
    }

    #[test]
    fn texts_are_ascii_and_close_no_script() {
        let cases = [
            ("plain", r#""plain""#),
            ("ä€", r#""\u00e4\u20ac""#),
            ("😀!", r#""\ud83d\ude00!""#),
            ("</script>", r#""<\/script>""#),
            ("<<//", r#""<<\//""#),
            ("<", r#""<""#),
            ("<ä/", r#""<\u00e4/""#),
            ("\"\\\n\u{1}\u{7f}", r#""\"\\\n\u0001\u007f""#),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_in_fragments_is_one_text() {
        /// Its characters, one after the other.
        struct Fragments(&'static str);

        impl std::fmt::Display for Fragments {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut characters = self.0.split("").map(|it| out.write_str(it));
                characters.by_ref().collect()
            }
        }

        impl Serialize for Fragments {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        let texts = ["</a></", "<\n/", "/<", "<ä/"];
        for text in texts {
            assert_eq!(written(&Fragments(text)), written(text));
        }
        assert_eq!(written(&["<", "/"]), r#"["<", "/"]"#);
    }

    #[test]
    fn numbers_are_pythons() {
        let cases = [
            (5.0, "5.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.25e-7, "-1.25e-07"),
            (1732457680.123, "1732457680.123"),
        ];
        for (number, expected) in cases {
            assert_eq!(written(&number), expected);
        }
        assert_eq!(written(&u64::MAX), "18446744073709551615");
    }

    #[test]
    fn lists_and_objects_have_pythons_blanks() {
        let value = serde_json::json!({"a": [1, {}, []], "b": {"c": null, "d": true}});
        let expected = r#"{"a": [1, {}, []], "b": {"c": null, "d": true}}"#;
        assert_eq!(written(&value), expected);
    }
}
