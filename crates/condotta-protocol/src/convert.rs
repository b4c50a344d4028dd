//! From JSON values to the scheduler's plain types, one function per kind of value.
//!
//! Conversions are strict where a wrong value would break a later request, and lenient where stock
//! workers may send what Luigi stores without looking.

use condotta_scheduler::{InfoValue, Resources, Status};

use crate::json::Json;

/// A value of the wrong kind.
#[derive(Debug, PartialEq)]
pub(crate) struct Mismatch {
    /// Where in the argument, as in `.gpu`; empty for the argument itself.
    pub(crate) path: String,
    /// What was given, shortened.
    pub(crate) given: String,
    /// What was expected.
    pub(crate) expected: &'static str,
}

impl Mismatch {
    /// `given` stands where `expected` should.
    pub(crate) fn new(given: &Json, expected: &'static str) -> Self {
        Self {
            path: String::new(),
            given: shorten(&given.to_string()),
            expected,
        }
    }

    /// The same, one step further out.
    pub(crate) fn at(mut self, key: impl std::fmt::Display) -> Self {
        self.path = format!(".{}{}", shorten(&key.to_string()), self.path);
        self
    }
}

/// At most 60 characters of `text`.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text.
pub(crate) fn text(value: Json) -> Result<String, Mismatch> {
    match value {
        Json::Text(text) => Ok(text),
        other => Err(Mismatch::new(&other, "a text")),
    }
}

/// A text, or anything else as the text that Python would show. Null is refused.
pub(crate) fn scalar_text(value: Json) -> Result<String, Mismatch> {
    match value {
        Json::Text(text) => Ok(text),
        Json::Bool(flag) => Ok(if flag { "True" } else { "False" }.to_owned()),
        number @ (Json::Int(_) | Json::Float(_)) => Ok(number.to_string()),
        other => Err(Mismatch::new(&other, "a text")),
    }
}

/// A text, or anything else as JSON. Luigi keeps whatever was sent here only to show it.
pub(crate) fn shown_text(value: Json) -> String {
    match value {
        Json::Text(text) => text,
        other => other.to_string(),
    }
}

/// True or false; null is false, and a whole number is true unless it is zero, as in Python.
pub(crate) fn flag(value: Json) -> Result<bool, Mismatch> {
    match value {
        Json::Bool(flag) => Ok(flag),
        Json::Int(whole) => Ok(whole != 0),
        Json::Null => Ok(false),
        other => Err(Mismatch::new(&other, "true or false")),
    }
}

/// A number. An infinite one becomes the greatest that JSON can show; true is 1, as in Python.
pub(crate) fn number(value: Json) -> Result<f64, Mismatch> {
    match value {
        Json::Bool(flag) => Ok(f64::from(u8::from(flag))),
        #[expect(
            clippy::cast_precision_loss,
            reason = "whole numbers beyond 2^53 only rank and measure"
        )]
        Json::Int(whole) => Ok(whole as f64),
        Json::Float(number) if !number.is_nan() => Ok(number.clamp(f64::MIN, f64::MAX)),
        other => Err(Mismatch::new(&other, "a number")),
    }
}

/// A whole number of zero or more. `2.0` is one.
pub(crate) fn amount(value: Json) -> Result<u64, Mismatch> {
    const EXPECTED: &str = "a whole number of zero or more";
    match value {
        Json::Int(whole) => {
            u64::try_from(whole).map_err(|_| Mismatch::new(&Json::Int(whole), EXPECTED))
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number is whole and in range"
        )]
        Json::Float(number) if number.fract() == 0.0 && (0.0..1e15).contains(&number) => {
            Ok(number as u64)
        }
        other => Err(Mismatch::new(&other, EXPECTED)),
    }
}

/// A number of failures: fractions count up, less than none is none, an infinite one is never reached.
pub(crate) fn count(value: Json) -> Result<u64, Mismatch> {
    let number = number(value)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is what is meant"
    )]
    let count = number.ceil() as u64;
    Ok(count)
}

/// A limit on a number of things; an infinite one is none.
pub(crate) fn limit(value: Json) -> Result<Option<u64>, Mismatch> {
    match value {
        Json::Float(f64::INFINITY) => Ok(None),
        other => amount(other).map(Some),
    }
}

/// A status by its name.
pub(crate) fn status(value: Json) -> Result<Status, Mismatch> {
    let name = text(value)?;
    Status::from_name(&name)
        .ok_or_else(|| Mismatch::new(&Json::Text(name), "a status such as \"PENDING\""))
}

/// A list of texts.
pub(crate) fn texts(value: Json) -> Result<Vec<String>, Mismatch> {
    let Json::List(items) = value else {
        return Err(Mismatch::new(&value, "a list of texts"));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| text(item).map_err(|mismatch| mismatch.at(index)))
        .collect()
}

/// The entries of an object.
pub(crate) fn entries(value: Json) -> Result<Vec<(String, Json)>, Mismatch> {
    match value {
        Json::Object(object) => Ok(object.into_entries()),
        other => Err(Mismatch::new(&other, "an object")),
    }
}

/// Amounts by name.
pub(crate) fn resources(value: Json) -> Result<Resources, Mismatch> {
    entries(value)?
        .into_iter()
        .map(|(name, value)| match need(value) {
            Ok(amount) => Ok((name, amount)),
            Err(mismatch) => Err(mismatch.at(name)),
        })
        .collect()
}

/// How much of a resource, where a flag may stand as in Luigi. It takes fractions, too, so whoever has them has to
/// know what to do.
fn need(value: Json) -> Result<u64, Mismatch> {
    if let Json::Bool(flag) = value {
        return Ok(u64::from(flag));
    }
    let is_fraction = matches!(value, Json::Float(number) if number.fract() > 0.0);
    amount(value).map_err(|mismatch| Mismatch {
        expected: if is_fraction {
            "a whole number: count in smaller units, multiplying all amounts of this resource and its limit alike"
        } else {
            mismatch.expected
        },
        ..mismatch
    })
}

/// Amounts to give back, by name. What is less than nothing gives nothing back.
pub(crate) fn decrease(value: Json) -> Result<Resources, Mismatch> {
    let entries = entries(value)?.into_iter();
    let positive = entries.filter(|(_, value)| !matches!(value, Json::Int(..=0)));
    resources(Json::Object(positive.collect()))
}

/// Something that a worker says of itself.
pub(crate) fn info_value(value: Json) -> Result<InfoValue, Mismatch> {
    Ok(match value {
        Json::Null => InfoValue::Null,
        Json::Bool(flag) => InfoValue::Bool(flag),
        Json::Int(whole) => InfoValue::Int(whole),
        Json::Float(float) if float.is_finite() => InfoValue::Float(float),
        Json::Float(_) => return Err(Mismatch::new(&value, "a number that JSON has")),
        Json::Text(text) => InfoValue::Text(text),
        nested => InfoValue::Json(nested.to_string()),
    })
}
