//! Lists, maps and tuples: JSON, with the separators and escapes that Luigi writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
};

use indexmap::IndexMap;
use serde_json::Value;

use super::{Parameter, ParseError, json};

/// The parts of [`Parameter`] that follow from the JSON form.
macro_rules! as_json {
    () => {
        as_json!(json::parse);
    };
    ($parse:path) => {
        fn parse(text: &str) -> Result<Self, ParseError> {
            Self::from_json(&$parse(text)?)
        }

        fn serialize(&self) -> String {
            let mut text = String::new();
            self.write_json(&mut text);
            text
        }
    };
}

impl<T: Parameter> Parameter for Vec<T> {
    const FORM: &'static str = "JSON list";

    as_json!();

    fn write_json(&self, out: &mut String) {
        json::write_list(self, out, T::write_json);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        elements(value)?.iter().map(T::from_json).collect()
    }
}

impl<T: Parameter + Ord> Parameter for BTreeSet<T> {
    const FORM: &'static str = "JSON list";

    as_json!();

    fn write_json(&self, out: &mut String) {
        json::write_list(self, out, T::write_json);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        elements(value)?.iter().map(T::from_json).collect()
    }
}

impl<T: Parameter, const N: usize> Parameter for [T; N] {
    const FORM: &'static str = "JSON list";

    as_json!(json::parse_or_literal);

    fn write_json(&self, out: &mut String) {
        json::write_list(self, out, T::write_json);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        let items = Vec::from_json(value)?;
        let count = items.len();
        items
            .try_into()
            .map_err(|_| ParseError::new(format_args!("expected {N} elements, found {count}")))
    }
}

/// Keys are the texts of their values. Entries keep the order in which they came, and that order
/// is part of the task id, as in Luigi.
impl<K: Parameter + Hash + Eq, V: Parameter> Parameter for IndexMap<K, V> {
    const FORM: &'static str = "JSON object";

    as_json!();

    fn write_json(&self, out: &mut String) {
        let entries = self.iter().map(|(key, value)| (key.serialize(), value));
        json::write_map(entries, out, V::write_json);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        entries(value)
    }
}

/// Keys are the texts of their values. Entries are sorted by key.
impl<K: Parameter + Ord, V: Parameter> Parameter for BTreeMap<K, V> {
    const FORM: &'static str = "JSON object";

    as_json!();

    fn write_json(&self, out: &mut String) {
        let entries = self.iter().map(|(key, value)| (key.serialize(), value));
        json::write_map(entries, out, V::write_json);
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        entries(value)
    }
}

macro_rules! tuples {
    ($(($count:literal: $($name:ident $index:tt),+))*) => {$(
        impl<$($name: Parameter),+> Parameter for ($($name,)+) {
            const FORM: &'static str = "JSON list";

            as_json!(json::parse_or_literal);

            fn write_json(&self, out: &mut String) {
                let items: [&dyn Fn(&mut String); $count] =
                    [$(&|out: &mut String| self.$index.write_json(out)),+];
                json::write_list(items, out, |write, out| write(out));
            }

            fn from_json(value: &Value) -> Result<Self, ParseError> {
                match elements(value)? {
                    [$($name),+] => Ok(($($name::from_json($name)?,)+)),
                    other => Err(ParseError::new(format_args!(
                        "expected {} elements, found {}", $count, other.len()
                    ))),
                }
            }
        }
    )*};
}

#[expect(non_snake_case, reason = "an element is bound to the name of its type")]
mod tuples {
    use super::{Parameter, ParseError, Value, elements, json};

    tuples! {
        (1: A 0)
        (2: A 0, B 1)
        (3: A 0, B 1, C 2)
        (4: A 0, B 1, C 2, D 3)
        (5: A 0, B 1, C 2, D 3, E 4)
        (6: A 0, B 1, C 2, D 3, E 4, F 5)
    }
}

fn elements(value: &Value) -> Result<&[Value], ParseError> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| ParseError::new(format_args!("expected a JSON list, found {value}")))
}

fn entries<K: Parameter, V: Parameter, C: FromIterator<(K, V)>>(
    value: &Value,
) -> Result<C, ParseError> {
    let entries = value
        .as_object()
        .ok_or_else(|| ParseError::new(format_args!("expected a JSON object, found {value}")))?;
    entries
        .iter()
        .map(|(key, value)| Ok((K::parse(key)?, V::from_json(value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Parameter + PartialEq + std::fmt::Debug>(value: T, text: &str) {
        assert_eq!(value.serialize(), text);
        assert_eq!(T::parse(text), Ok(value));
    }

    #[test]
    fn collections_are_json_as_python_writes_it() {
        check(vec![1, 2], "[1, 2]");
        check(Vec::<String>::new(), "[]");
        check(
            vec!["ü😀\u{7f}\n\"".to_owned()],
            r#"["\u00fc\ud83d\ude00\u007f\n\""]"#,
        );
        check(
            ((1_u8, "a".to_owned()), Some(0.5), None::<bool>),
            r#"[[1, "a"], 0.5, null]"#,
        );
        check([true, false], "[true, false]");
        check(
            IndexMap::from([("b".to_owned(), vec![1]), ("a".to_owned(), vec![])]),
            r#"{"b": [1], "a": []}"#,
        );
        check(
            BTreeMap::from([(2, 1e20), (1, 0.0)]),
            r#"{"1": 0.0, "2": 1e+20}"#,
        );
        check(
            jiff::civil::date(2013, 7, 10).into_vec(),
            r#"["2013-07-10"]"#,
        );
    }

    trait IntoVec: Sized {
        fn into_vec(self) -> Vec<Self> {
            vec![self]
        }
    }
    impl IntoVec for jiff::civil::Date {}

    #[test]
    fn tuples_may_be_written_as_in_python() {
        let text = "((1, 2,), 'it\\'s \"x\"', None, True)";
        let value = ((1, 2), "it's \"x\"".to_owned(), None::<f64>, true);
        assert_eq!(Parameter::parse(text), Ok(value));
        assert_eq!(<[i64; 2]>::parse("(3, 4)"), Ok([3, 4]));
        for text in ["1, 2", "(1, 2", "(1, two)", "('a, 2)"] {
            assert!(<(i64, i64)>::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_without_quotes_are_answered_with_the_form() {
        let reason = |text| Vec::<String>::parse(text).unwrap_err().to_string();
        let hint = "texts in JSON stand in double quotes, as in '[\"a\", \"b\"]'";
        for text in ["[north, south]", "north", "['north']"] {
            assert!(reason(text).ends_with(hint), "{text}: {}", reason(text));
        }
        assert!(!reason("[1, 2").contains(hint));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            (
                Vec::<i64>::parse("[1, \"x\"]").map(drop),
                "expected a whole number, found \"x\"",
            ),
            (
                Vec::<i64>::parse("1").map(drop),
                "expected a JSON list, found 1",
            ),
            (
                <(i64, i64)>::parse("[1]").map(drop),
                "expected 2 elements, found 1",
            ),
            (
                <[i64; 3]>::parse("[1]").map(drop),
                "expected 3 elements, found 1",
            ),
        ];
        for (result, reason) in cases {
            assert_eq!(result, Err(ParseError::new(reason)));
        }
    }
}
