//! JSON as it arrives: like `serde_json`'s value, but with the numbers that Python's dialect adds.
//!
//! Stock workers send `Infinity`, and no other number type of the ecosystem keeps it. Replies need
//! nothing of this and are plain `serde_json` values.

use std::{collections::HashMap, fmt};

/// A value of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number without fraction or exponent, within 64 bits.
    Int(i64),
    /// Any other number, also an infinite one or NaN.
    Float(f64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

/// An object in the order of its keys' first appearance; of equal keys the last value counts, as in Python.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    /// The object of these entries.
    #[must_use]
    pub fn new(mut entries: Vec<(String, Json)>) -> Self {
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut repeated = Vec::new();
        for (index, (key, _)) in entries.iter().enumerate() {
            if let Some(&earlier) = first.get(key.as_str()) {
                repeated.push((earlier, index));
            } else {
                first.insert(key, index);
            }
        }
        drop(first);
        for &(earlier, later) in &repeated {
            entries[earlier].1 = std::mem::replace(&mut entries[later].1, Json::Null);
        }
        let mut gone = repeated.iter().map(|&(_, later)| later).peekable();
        let mut index = 0;
        entries.retain(|_| {
            let drop = gone.next_if_eq(&index).is_some();
            index += 1;
            !drop
        });
        Self(entries)
    }

    /// The entries, in order.
    #[must_use]
    pub fn into_entries(self) -> Vec<(String, Json)> {
        self.0
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value)
    }

    /// Takes the value of `key` out.
    pub(crate) fn take(&mut self, key: &str) -> Option<Json> {
        let (_, value) = self.0.iter_mut().find(|(name, _)| name == key)?;
        Some(std::mem::replace(value, Json::Null))
    }
}

impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(entries: I) -> Self {
        Self::new(entries.into_iter().collect())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::Null,
            },
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Object(map.into()),
        }
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Object {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        Self(
            map.into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect(),
        )
    }
}

/// Writes a float as JSON has it; what JSON lacks is written as Python does.
fn write_float(number: f64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if number.is_nan() {
        out.write_str("NaN")
    } else if number.is_infinite() {
        out.write_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    } else {
        write!(out, "{number:?}")
    }
}

/// Writes a text in quotes.
fn write_text(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(out, "{}", serde_json::Value::from(text))
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(flag) => write!(out, "{flag}"),
            Self::Int(whole) => write!(out, "{whole}"),
            Self::Float(number) => write_float(*number, out),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { ", " })?;
                    write!(out, "{item}")?;
                }
                out.write_str("]")
            }
            Self::Object(object) => {
                out.write_str("{")?;
                for (index, (key, value)) in object.0.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { ", " })?;
                    write_text(key, out)?;
                    write!(out, ": {value}")?;
                }
                out.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_keys_the_last_value_counts_in_the_first_place() {
        let entries = [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)];
        let object = Object::new(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Json::Int(value)))
                .collect(),
        );
        assert_eq!(
            Json::Object(object).to_string(),
            r#"{"a": 5, "b": 2, "c": 4}"#
        );
    }

    #[test]
    fn values_of_serde_json_come_over_whole() {
        let value = serde_json::json!({"n": null, "t": [true, -1, 1.5, "x\"y"]});
        assert_eq!(
            Json::from(value).to_string(),
            r#"{"n": null, "t": [true, -1, 1.5, "x\"y"]}"#
        );
    }

    #[test]
    fn numbers_that_json_lacks_are_written_as_python_does() {
        let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0];
        let list = Json::List(numbers.map(Json::Float).to_vec());
        assert_eq!(list.to_string(), "[NaN, Infinity, -Infinity, 2.0]");
    }
}
