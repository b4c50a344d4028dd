//! Reads JSON in Python's dialect: `Infinity`, `-Infinity` and `NaN` are numbers, of equal keys the last counts.
//!
//! Nesting is bounded, so that no text however deep can exhaust the stack. Half a surrogate pair,
//! which Python accepts and Rust's texts cannot hold, is read as U+FFFD.

use thiserror::Error;

use crate::json::{Json, Object};

/// Lists and objects may stand this deep in one another.
pub const MAX_NESTING: usize = 128;

/// Why a text is no JSON, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not JSON at byte {offset}: expected {expected}")]
pub struct JsonError {
    /// The byte at which reading stopped.
    pub offset: usize,
    /// What could have stood there.
    pub expected: &'static str,
}

/// Reads one value from all of `text`.
///
/// # Errors
///
/// When `text` is not one value in Python's dialect, or nested deeper than [`MAX_NESTING`].
pub fn read_json(text: &str) -> Result<Json, JsonError> {
    let mut reader = Reader { text, offset: 0 };
    let value = reader.value(0)?;
    reader.skip_blanks();
    if reader.offset == text.len() {
        Ok(value)
    } else {
        reader.expected("the end")
    }
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl Reader<'_> {
    fn expected<T>(&self, expected: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            offset: self.offset,
            expected,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    /// Steps over `token` if it comes next.
    fn eat(&mut self, token: &str) -> bool {
        let next = self.text[self.offset..].starts_with(token);
        if next {
            self.offset += token.len();
        }
        next
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.skip_blanks();
        if depth > MAX_NESTING {
            return self.expected("less nesting");
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') if !self.text[self.offset..].starts_with("-I") => {
                self.number()
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        let words = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
            ("NaN", Json::Float(f64::NAN)),
        ];
        for (word, value) in words {
            if self.eat(word) {
                return Ok(value);
            }
        }
        self.expected("a value")
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.offset += 1;
        let mut entries = Vec::new();
        self.skip_blanks();
        if self.eat("}") {
            return Ok(Json::Object(Object::default()));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return self.expected("a key in double quotes");
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.eat(":") {
                return self.expected("`:`");
            }
            entries.push((key, self.value(depth + 1)?));
            self.skip_blanks();
            if self.eat("}") {
                return Ok(Json::Object(Object::new(entries)));
            }
            if !self.eat(",") {
                return self.expected("`,` or `}`");
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.offset += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.eat("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.eat("]") {
                return Ok(Json::List(items));
            }
            if !self.eat(",") {
                return self.expected("`,` or `]`");
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.offset;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.offset += 1;
        }
        self.offset - start
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.offset;
        self.eat("-");
        if !self.eat("0") && self.digits() == 0 {
            return self.expected("a digit");
        }
        let mut whole = true;
        if self.eat(".") {
            whole = false;
            if self.digits() == 0 {
                return self.expected("a digit");
            }
        }
        if self.eat("e") || self.eat("E") {
            whole = false;
            let _signed = self.eat("+") || self.eat("-");
            if self.digits() == 0 {
                return self.expected("a digit");
            }
        }
        let token = &self.text[start..self.offset];
        if whole && let Ok(number) = token.parse() {
            return Ok(Json::Int(number));
        }
        let number = token.parse().expect("the grammar of floats was checked");
        Ok(Json::Float(number))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.offset += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.offset..];
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.offset += plain;
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return self.expected("an escape in place of a control character"),
                None => return self.expected("`\"`"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.offset += 1;
        let plain = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.offset += 1;
                return self.unicode();
            }
            _ => return self.expected("an escape that JSON has"),
        };
        self.offset += 1;
        Ok(plain)
    }

    /// The character after `\u`, taking the other half of a pair along.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.hex()?;
        if (0xD800..0xDC00).contains(&unit) {
            let before = self.offset;
            if self.eat("\\u") {
                let low = self.hex()?;
                if (0xDC00..0xE000).contains(&low) {
                    let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    return Ok(char::from_u32(code).expect("a surrogate pair is a character"));
                }
                self.offset = before;
            }
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.offset..self.offset + 4);
        match digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(digits) => {
                self.offset += 4;
                Ok(u32::from_str_radix(digits, 16).expect("four hexadecimal digits were checked"))
            }
            None => self.expected("four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match read_json(text) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn values_are_read_as_python_reads_them() {
        let cases = [
            ("null", "null"),
            (" true\n", "true"),
            ("[]", "[]"),
            ("{ }", "{}"),
            (
                r#"{"a": [1, -2, 3.5, {"b": false}]}"#,
                r#"{"a": [1, -2, 3.5, {"b": false}]}"#,
            ),
            ("Infinity", "Infinity"),
            ("-Infinity", "-Infinity"),
            ("[NaN]", "[NaN]"),
            ("-0", "0"),
            ("1e3", "1000.0"),
            ("1E-2", "0.01"),
            ("1e999", "Infinity"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e18"),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
            (r#""\u00e4\/\n""#, r#""ä/\n""#),
            (r#""\ud83d\ude00""#, r#""😀""#),
            (r#""\ud83d!""#, "\"\u{fffd}!\""),
            (r#""\ude00""#, "\"\u{fffd}\""),
            (r#""\ud83d\u0041""#, "\"\u{fffd}A\""),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused_with_its_place() {
        let cases = [
            ("", "not JSON at byte 0: expected a value"),
            ("nul", "not JSON at byte 0: expected a value"),
            ("1 2", "not JSON at byte 2: expected the end"),
            ("01", "not JSON at byte 1: expected the end"),
            ("-", "not JSON at byte 1: expected a digit"),
            ("1.", "not JSON at byte 2: expected a digit"),
            ("1e", "not JSON at byte 2: expected a digit"),
            ("[1", "not JSON at byte 2: expected `,` or `]`"),
            ("[1,]", "not JSON at byte 3: expected a value"),
            (
                "{a: 1}",
                "not JSON at byte 1: expected a key in double quotes",
            ),
            (r#"{"a" 1}"#, "not JSON at byte 5: expected `:`"),
            (r#"{"a": 1"#, "not JSON at byte 7: expected `,` or `}`"),
            (r#""a"#, "not JSON at byte 2: expected `\"`"),
            (
                "\"a\nb\"",
                "not JSON at byte 2: expected an escape in place of a control character",
            ),
            (
                r#""\x""#,
                "not JSON at byte 2: expected an escape that JSON has",
            ),
            (
                r#""\u12""#,
                "not JSON at byte 3: expected four hexadecimal digits",
            ),
            ("-Infinit", "not JSON at byte 0: expected a value"),
            ("\u{feff}1", "not JSON at byte 0: expected a value"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read_json(&nested(MAX_NESTING)).is_ok());
        let error = read_json(&nested(MAX_NESTING + 2)).expect_err("too deep");
        assert_eq!(error.expected, "less nesting");
        assert!(read_json(&"[".repeat(1_000_000)).is_err());
        assert!(read_json(&r#"{"a":"#.repeat(1_000_000)).is_err());
    }
}
