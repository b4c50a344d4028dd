//! Strings, numbers, `bool`, paths and `Option`.

use std::path::{Component, PathBuf};

use serde_json::Value;

use super::{Parameter, ParseError, json};
use crate::class::FlagKind;

impl Parameter for String {
    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(text.to_owned())
    }

    fn serialize(&self) -> String {
        self.clone()
    }
}

impl Parameter for PathBuf {
    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self::from(text))
    }

    /// As Python's `str(Path(…))`: without doubled, trailing or lone `.` components, but with `..`.
    fn serialize(&self) -> String {
        let parts = self.components().filter(|part| *part != Component::CurDir);
        let text = parts.collect::<Self>();
        if text.as_os_str().is_empty() {
            return ".".to_owned();
        }
        text.to_string_lossy().into_owned()
    }
}

macro_rules! whole_numbers {
    ($($type:ty)*) => {$(
        impl Parameter for $type {
            fn parse(text: &str) -> Result<Self, ParseError> {
                digits(text).parse().map_err(|error: std::num::ParseIntError| {
                    match error.kind() {
                        std::num::IntErrorKind::PosOverflow
                        | std::num::IntErrorKind::NegOverflow => ParseError::new(format_args!(
                            "expected a whole number from {} to {}", <$type>::MIN, <$type>::MAX
                        )),
                        _ if <$type>::MIN == 0 => ParseError::new(
                            "expected a whole number that is not negative"
                        ),
                        _ => ParseError::new("expected a whole number"),
                    }
                })
            }

            fn serialize(&self) -> String {
                self.to_string()
            }

            fn next_in_enumeration(&self) -> Option<Self> {
                self.checked_add(1)
            }

            fn write_json(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }

            fn from_json(value: &Value) -> Result<Self, ParseError> {
                match value {
                    Value::Number(number) => Self::parse(&number.to_string()),
                    other => Err(ParseError::new(format_args!(
                        "expected a whole number, found {other}"
                    ))),
                }
            }
        }
    )*};
}
whole_numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! floats {
    ($($type:ty)*) => {$(
        impl Parameter for $type {
            fn parse(text: &str) -> Result<Self, ParseError> {
                digits(text).parse().map_err(|_| ParseError::new("expected a number"))
            }

            fn serialize(&self) -> String {
                layout(*self < 0.0 || (*self == 0.0 && self.is_sign_negative()), &format!("{:e}", self.abs()))
            }

            fn write_json(&self, out: &mut String) {
                match self.serialize().as_str() {
                    "nan" => out.push_str("NaN"),
                    "inf" => out.push_str("Infinity"),
                    "-inf" => out.push_str("-Infinity"),
                    text => out.push_str(text),
                }
            }

            fn from_json(value: &Value) -> Result<Self, ParseError> {
                match value {
                    Value::Number(number) => Self::parse(&number.to_string()),
                    other => Err(ParseError::new(format_args!("expected a number, found {other}"))),
                }
            }
        }
    )*};
}
floats!(f32 f64);

impl Parameter for bool {
    const FLAG: FlagKind = FlagKind::Switch;

    fn parse(text: &str) -> Result<Self, ParseError> {
        if text.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if text.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(ParseError::new("expected true or false"))
        }
    }

    fn serialize(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }

    fn default_value() -> Option<Self> {
        Some(false)
    }

    fn write_json(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        value
            .as_bool()
            .ok_or_else(|| ParseError::new(format_args!("expected true or false, found {value}")))
    }
}

/// The empty text is `None`.
impl<T: Parameter> Parameter for Option<T> {
    const FORM: &'static str = T::FORM;
    const FLAG: FlagKind = match T::FLAG {
        FlagKind::Switch => FlagKind::OptionalBool,
        other => other,
    };

    fn parse(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Ok(None);
        }
        T::parse(text).map(Some)
    }

    fn serialize(&self) -> String {
        self.as_ref().map(T::serialize).unwrap_or_default()
    }

    fn default_value() -> Option<Self> {
        Some(None)
    }

    fn choices() -> Vec<String> {
        T::choices()
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Some(value) => value.write_json(out),
            None => out.push_str("null"),
        }
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }
}

/// Any JSON: Luigi's `DictParameter` and `ListParameter` as they are, mixed types and all.
impl Parameter for Value {
    const FORM: &'static str = "JSON";

    fn parse(text: &str) -> Result<Self, ParseError> {
        json::parse(text)
    }

    fn serialize(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    fn write_json(&self, out: &mut String) {
        json::write_value(self, out);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        Ok(value.clone())
    }
}

/// What Python's `int` and `float` take beside plain digits: space around, and `_` between digits.
fn digits(text: &str) -> String {
    let text = text.trim();
    let bytes = text.as_bytes();
    let between_digits = |index: usize| {
        let digit = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_digit)
        };
        digit(index.checked_sub(1)) && digit(Some(index + 1))
    };
    text.char_indices()
        .filter(|&(index, c)| c != '_' || !between_digits(index))
        .map(|(_, c)| c)
        .collect()
}

/// The shortest text that reads back as the same number, laid out as Python does.
pub(crate) fn python_float(value: f64) -> String {
    value.serialize()
}

/// Turns `d.ddde±x`, Rust's shortest form of a number that is not negative, into Python's.
fn layout(negative: bool, scientific: &str) -> String {
    let sign = if negative { "-" } else { "" };
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        // `inf` and `NaN` have no exponent.
        return format!("{sign}{}", scientific.to_ascii_lowercase());
    };
    let exponent: i32 = exponent
        .parse()
        .expect("a number in scientific form has an exponent");
    let digits = mantissa.replace('.', "");
    if !(-4..16).contains(&exponent) {
        let (exponent_sign, exponent) = if exponent < 0 {
            ('-', -exponent)
        } else {
            ('+', exponent)
        };
        return format!("{sign}{mantissa}e{exponent_sign}{exponent:02}");
    }
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).expect("checked: it is negative"));
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = usize::try_from(exponent).expect("checked: it is not negative") + 1;
    if digits.len() <= whole {
        let zeros = "0".repeat(whole - digits.len());
        return format!("{sign}{digits}{zeros}.0");
    }
    let (whole, rest) = digits.split_at(whole);
    format!("{sign}{whole}.{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_laid_out_as_in_python() {
        let cases: [(f64, &str); 16] = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (100.0, "100.0"),
            (123.456, "123.456"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.00001, "1e-05"),
            (1e-7, "1e-07"),
            (1.5e-10, "1.5e-10"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e20, "1e+20"),
            (-1.25e300, "-1.25e+300"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in cases {
            assert_eq!(value.serialize(), text);
            let back = f64::parse(text).unwrap();
            assert!(back == value || (back.is_nan() && value.is_nan()), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_in_python() {
        assert_eq!(i64::parse(" -1_000 "), Ok(-1000));
        assert_eq!(u8::parse("+7"), Ok(7));
        assert_eq!(f64::parse("1_0.5e1"), Ok(105.0));
        assert_eq!(f64::parse(" Infinity "), Ok(f64::INFINITY));
        for text in ["", "_1", "1_", "1__0", "1.0", "0x10", "ten"] {
            assert!(i64::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            u8::parse("256"),
            Err(ParseError::new("expected a whole number from 0 to 255"))
        );
    }

    #[test]
    fn paths_are_tidied_as_in_python() {
        for (path, text) in [
            ("/tmp//a/../b", "/tmp/a/../b"),
            ("x/", "x"),
            ("./x/./y", "x/y"),
            ("", "."),
        ] {
            assert_eq!(PathBuf::from(path).serialize(), text);
        }
    }

    #[test]
    fn an_empty_text_is_none() {
        assert_eq!(Option::<i64>::parse(""), Ok(None));
        assert_eq!(Option::<i64>::parse("3"), Ok(Some(3)));
        assert_eq!(None::<i64>.serialize(), "");
        assert!(Option::<i64>::parse("x").is_err());
    }
}
